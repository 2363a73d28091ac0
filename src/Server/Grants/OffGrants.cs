using System.Runtime.CompilerServices;
using Postern.Grants.Parties;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>
/// Which living grants stand still because somebody in them is switched off: what <see cref="Switches"/> says of one,
/// asked of all at once and of the database, where nobody has to hold them.
/// </summary>
internal sealed class OffGrants(Db db, TimeProvider clock)
{
    /// <summary>The most rows of one page.</summary>
    public const int Page = 10_000;

    // From who is off to what stands still: it costs as much as is off, and nothing where nobody is. What was passed on
    // is found along its chain. {0} is the tenant, {1} the time.
    private const string StandStill =
        """
        with recursive off_parties (kind, id) as (
          select s.kind, s.id from switched_off s where s.tenant = {0}
          union
          select m.kind, m.id from switched_off s
          join organization_members m on m.tenant = {0} and m.organization = s.id
          where s.tenant = {0} and s.kind = 'organization'),
        off_clients (id) as (
          select o.id from off_parties o where o.kind = 'client'
          union
          select c.client_id from agents a
          join agent_clients c on c.tenant = {0} and c.agent_id = a.id
          where a.tenant = {0} and (a.ends_at <= {1}
            or a.id in (select o.id from off_parties o where o.kind = 'agent')
            or a.owner in (select o.id from off_parties o where o.kind = 'user')
            or not exists (select 1 from users u where u.tenant = {0} and u.id = a.owner))),
        off_grants (id, root, resource) as (
          select g.id, coalesce(g.root_id, g.id), g.resource from off_clients o
          join grants g on g.tenant = {0} and g.client_id = o.id
          where g.revoked_at is null and g.expires_at > {1}
          union
          select g.id, coalesce(g.root_id, g.id), g.resource from off_parties o
          join grants g on g.tenant = {0} and g.subject = o.id and not g.is_own
          where o.kind = 'user' and g.revoked_at is null and g.expires_at > {1}
          union
          select g.id, coalesce(g.root_id, g.id), g.resource from off_parties o
          join grants g on g.tenant = {0} and g.approved_by = o.id
          where o.kind = 'identity_provider' and g.revoked_at is null and g.expires_at > {1}
          union
          select g.id, o.root, g.resource from off_grants o
          join grants g on g.tenant = {0} and g.root_id = o.root and g.parent_id = o.id
          where g.revoked_at is null and g.expires_at > {1})

        """;

    /// <summary>Those of a resource, in pages by name.</summary>
    public Task<List<string>> AtAsync(TenantId tenant, string resource, string after, CancellationToken stop) =>
        db.AllAsync(
            FormattableStringFactory.Create(
                StandStill
                + """
                select o.id from off_grants o where o.resource = {2} and o.id > {3} order by o.id limit {4}
                """,
                tenant.Value,
                clock.GetUtcNow().ToUnixTimeSeconds(),
                resource,
                after,
                (long)Page),
            row => row.GetString(0),
            stop);

    /// <summary>The places of a status list whose tokens have not expired and came of one.</summary>
    public Task<List<Tuple<int>>> PlacesAsync(TenantId tenant, long list, CancellationToken stop) => db.AllAsync(
        FormattableStringFactory.Create(
            StandStill
            + """
            select s.place from token_statuses s join off_grants o on o.id = s.grant_id
            where s.tenant = {0} and s.list = {2} and s.expires_at > {1}
            """,
            tenant.Value,
            clock.GetUtcNow().ToUnixTimeSeconds(),
            list),
        row => Tuple.Create((int)row.GetInt64(0)),
        stop);
}
