using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>Many grants at once: a person's, a session's, a client's, a tenant's.</summary>
internal sealed class GrantLists(Db db)
{
    /// <summary>A person's grants that are not over, newest first.</summary>
    public Task<List<GrantUse>> OfSubjectAsync(
        TenantId tenant, SubjectId subject, DateTimeOffset now, CancellationToken stop) =>
        db.AllAsync(
            $"""
            select grants.*, (
              select bound_to from families f
              where f.tenant = grants.tenant and f.grant_id = grants.id) as bound_to, (
              select instance from families f
              where f.tenant = grants.tenant and f.grant_id = grants.id) as instance
            from grants where tenant = {tenant.Value} and subject = {subject.Value}
              and revoked_at is null and expires_at > {now.ToUnixTimeSeconds()}
            order by id desc limit {(long)GrantStore.Page}
            """,
            GrantRow.ReadUse,
            stop);

    /// <summary>
    /// What a person let a client do at a resource in the session they are in and is not over, newest first.
    /// </summary>
    public Task<List<Grant>> OfSessionAsync(
        Caller caller, ClientId client, string resource, DateTimeOffset now, CancellationToken stop) =>
        db.AllAsync(
            $"""
            select * from grants where tenant = {caller.Tenant.Value} and session = {caller.Session}
              and subject = {caller.Subject.Value} and client_id = {client.Value} and resource = {resource}
              and revoked_at is null and expires_at > {now.ToUnixTimeSeconds()}
            order by id desc limit {(long)GrantStore.Page}
            """,
            GrantRow.Read,
            stop);

    /// <summary>
    /// The newest of what a person let a client do in the session that this client calls so and is not over.
    /// </summary>
    public Task<Grant?> OfSidAsync(
        TenantId tenant, ClientId client, string sid, DateTimeOffset now, CancellationToken stop) =>
        db.FirstAsync(
            $"""
            select * from grants where tenant = {tenant.Value} and sid = {sid} and client_id = {client.Value}
              and is_own = {false} and actors is null and approved_by is null
              and revoked_at is null and expires_at > {now.ToUnixTimeSeconds()}
            order by id desc limit 1
            """,
            GrantRow.Read,
            stop);

    /// <summary>All grants of a tenant that are not over, newest first, from below <paramref name="before"/>.</summary>
    public Task<List<GrantUse>> AllAsync(
        TenantId tenant, string? before, int limit, DateTimeOffset now, CancellationToken stop) =>
        db.AllAsync(
            $"""
            select grants.*, (
              select bound_to from families f
              where f.tenant = grants.tenant and f.grant_id = grants.id) as bound_to, (
              select instance from families f
              where f.tenant = grants.tenant and f.grant_id = grants.id) as instance
            from grants where tenant = {tenant.Value} and id < {before ?? "~"}
              and revoked_at is null and expires_at > {now.ToUnixTimeSeconds()}
            order by id desc limit {(long)limit}
            """,
            GrantRow.ReadUse,
            stop);

    /// <summary>What people made of a client, seen from its newest grants.</summary>
    public async Task<ClientUse> OfClientAsync(
        TenantId tenant, ClientId client, DateTimeOffset now, CancellationToken stop) =>
        (await db.FirstAsync(
            $"""
            select max(created_at),
              count(case when revoked_at is null and expires_at > {now.ToUnixTimeSeconds()} then 1 end),
              count(*)
            from (
              select created_at, revoked_at, expires_at from grants
              where tenant = {tenant.Value} and client_id = {client.Value}
              order by id desc limit {(long)ClientUse.Reach}) newest
            """,
            row => new ClientUse(
                row.IsDBNull(0) ? null : DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(0)),
                row.GetInt64(1),
                row.GetInt64(2) is ClientUse.Reach),
            stop))!;

    /// <summary>Living grants of somebody or something, at most a page of them.</summary>
    public static ValueTask<List<Grant>> OfAsync(Unit unit, TenantId tenant, GrantsOf whose, DateTimeOffset now)
    {
        var those = Those(tenant, whose);
        var next = those.ArgumentCount;
        // Both halves are text of the source; what fills a hole stays a parameter.
        return unit.AllAsync(
            FormattableStringFactory.Create(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $$"""
                    select * from grants where {{those.Format}} and tenant = {{{next}}}
                      and revoked_at is null and expires_at > {{{next + 1}}} limit {{{next + 2}}}
                    """),
                [.. those.GetArguments(), tenant.Value, now.ToUnixTimeSeconds(), (long)GrantStore.Page]),
            GrantRow.Read);
    }

    private static FormattableString Those(TenantId tenant, GrantsOf whose) => whose switch
    {
        GrantsOf.Person { Id: var person } => $"subject = {person.Value} and is_own = {false}",
        GrantsOf.Client { Id: var client } => $"client_id = {client.Value}",
        GrantsOf.Copy { Id: var copy } => $"installation = {copy.Value}",
        GrantsOf.Issuer { Name: var issuer } => $"approved_by = {issuer}",
        GrantsOf.Server { Resource: var resource } => $"resource = {resource.Value}",
        GrantsOf.Agent { Id: var agent } => $"""
            client_id in (
              select client_id from agent_clients where tenant = {tenant.Value} and agent_id = {agent})
            """,
        GrantsOf.Organization { Id: var organization } => $"""
            exists (
              select 1 from organization_members m
              where m.tenant = grants.tenant and m.organization = {organization} and (
                (m.kind = {"user"} and m.id = grants.subject)
                or (m.kind = {"identity_provider"} and m.id = grants.approved_by)
                or (m.kind = {"agent"} and m.id = (
                  select c.agent_id from agent_clients c
                  where c.tenant = grants.tenant and c.client_id = grants.client_id))))
            """,
        _ => throw new UnreachableException(),
    };

    /// <summary>
    /// Grants of a resource that ended from a second on, in the order of their ends, in pages after the last one.
    /// </summary>
    public Task<List<GrantEnd>> EndedAsync(
        TenantId tenant, string resource, GrantEnd after, int limit, CancellationToken stop) => db.AllAsync(
        $"""
        select id, revoked_at from grants
        where tenant = {tenant.Value} and resource = {resource} and revoked_at is not null
          and (revoked_at > {after.At} or (revoked_at = {after.At} and id > {after.Id}))
        order by revoked_at, id limit {(long)limit}
        """,
        row => new GrantEnd(row.GetString(0), row.GetInt64(1)),
        stop);
}

/// <summary>A grant that ended, and in which second.</summary>
internal sealed record GrantEnd(string Id, long At);

/// <summary>A grant and when it was last used.</summary>
internal sealed record GrantUse(Grant Grant, DateTimeOffset? UsedAt)
{
    /// <summary>Its tokens are bound to a key, so that a stolen one is of no use.</summary>
    public bool IsBound { get; init; }

    /// <summary>One copy of its client alone, by its attested key, gets more of them.</summary>
    public bool IsOfCopy { get; init; }
}

/// <summary>
/// The last grant of a client and how many are alive; <paramref name="IsMore"/> when older ones were not looked at.
/// </summary>
internal sealed record ClientUse(DateTimeOffset? LastGrant, long Alive, bool IsMore)
{
    /// <summary>Grants of a client that are counted.</summary>
    public const int Reach = 1000;
}
