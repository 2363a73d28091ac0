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
    // is found along its chain.
    private const string Standing =
        """
        with recursive moment (tenant, now) as (select cast({0} as text), cast({1} as bigint)),
        off_members (kind, id) as (
          select m.kind, m.id from moment t
          join switched_off s on s.tenant = t.tenant and s.kind = 'organization'
          join organization_members m on m.tenant = s.tenant and m.organization = s.id),
        off_parties (kind, id) as (
          select s.kind, s.id from moment t join switched_off s on s.tenant = t.tenant
          union select kind, id from off_members),
        off_clients (id) as (
          select id from off_parties where kind = 'client'
          union
          select c.client_id from moment t
          join agents a on a.tenant = t.tenant
          join agent_clients c on c.tenant = a.tenant and c.agent_id = a.id
          where a.ends_at <= t.now
            or a.id in (select id from off_parties where kind = 'agent')
            or a.owner in (select id from off_parties where kind = 'user')
            or not exists (select 1 from users u where u.tenant = a.tenant and u.id = a.owner)),
        off_grants (id, root) as (
          select g.id, coalesce(g.root_id, g.id) from moment t, off_clients o
          join grants g on g.client_id = o.id
          where g.tenant = t.tenant and g.revoked_at is null and g.expires_at > t.now
          union
          select g.id, coalesce(g.root_id, g.id) from moment t, off_parties o
          join grants g on g.subject = o.id
          where o.kind = 'user' and not g.is_own
            and g.tenant = t.tenant and g.revoked_at is null and g.expires_at > t.now
          union
          select g.id, coalesce(g.root_id, g.id) from moment t, off_parties o
          join grants g on g.approved_by = o.id
          where o.kind = 'identity_provider'
            and g.tenant = t.tenant and g.revoked_at is null and g.expires_at > t.now
          union
          select g.id, o.root from moment t, off_grants o
          join grants g on g.root_id = o.root and g.parent_id = o.id
          where g.tenant = t.tenant and g.revoked_at is null and g.expires_at > t.now)

        """;

    /// <summary>Those of a resource, in pages by name.</summary>
    public Task<List<string>> AtAsync(TenantId tenant, string resource, string after, CancellationToken stop) =>
        db.AllAsync(
            FormattableStringFactory.Create(
                Standing
                + """
                select g.id from off_grants o join grants g on g.tenant = {0} and g.id = o.id
                where g.resource = {2} and g.id > {3}
                order by g.id limit {4}
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
            Standing
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
