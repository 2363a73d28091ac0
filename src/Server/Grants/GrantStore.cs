using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>
/// The only place that writes the table <c>grants</c>; <see cref="GrantLists"/> reads many of them.
/// </summary>
internal sealed class GrantStore(Db db)
{
    /// <summary>The most rows of one page.</summary>
    public const int Page = 200;

    public Task<Grant?> FindAsync(TenantId tenant, GrantId id, CancellationToken stop) => db.FirstAsync(
        $"select * from grants where tenant = {tenant.Value} and id = {id.Value}", GrantRow.Read, stop);

    public Task<Grant?> FindStandingAsync(TenantId tenant, string ownKey, CancellationToken stop) => db.FirstAsync(
        $"select * from grants where tenant = {tenant.Value} and own_key = {ownKey}", GrantRow.Read, stop);

    /// <summary>Makes room for another grant under the key of one that ran out.</summary>
    public static async ValueTask ForgetKeyAsync(Unit unit, TenantId tenant, string ownKey, DateTimeOffset now) =>
        await unit.RunAsync(
            $"""
            update grants set own_key = null
            where tenant = {tenant.Value} and own_key = {ownKey} and expires_at <= {now.ToUnixTimeSeconds()}
            """);

    /// <summary>
    /// Makes room for others under the keys of those that ended for one reason, which does not hold for ever.
    /// </summary>
    public static async ValueTask ForgetKeysAsync(Unit unit, TenantId tenant, ClientId client, string because) =>
        await unit.RunAsync(
            $"""
            update grants set own_key = null
            where tenant = {tenant.Value} and client_id = {client.Value} and revoked_because = {because}
            """);

    public static ValueTask<int> InsertAsync(Unit unit, Grant grant, string? ownKey = null) => unit.RunAsync(
        $"""
        insert into grants (tenant, id, subject, is_own, own_key, client_id, client_name, client_hash, installation,
          installation_name, resource, scopes, tools, auth_time, acr, session, sid, claims,
          created_at, expires_at, parent_id, root_id, actors, approved_by, details)
        values ({grant.Tenant.Value}, {grant.Id.Value}, {grant.Subject.Value}, {grant.IsOwn}, {ownKey},
          {grant.Client.Value}, {grant.ClientName}, {grant.ClientHash}, {grant.Installation?.Value},
          {grant.InstallationName}, {grant.Resource.Value},
          {grant.Scopes.ToString()}, {GrantRow.Text(grant.Tools)}, {grant.AuthTime?.ToUnixTimeSeconds()},
          {grant.Acr}, {grant.Session}, {grant.Sid}, {GrantRow.Text(grant.Claims)},
          {grant.CreatedAt.ToUnixTimeSeconds()}, {grant.ExpiresAt.ToUnixTimeSeconds()},
          {grant.Parent?.Value}, {grant.Root?.Value}, {GrantRow.Text(grant.Actors)}, {grant.ApprovedBy},
          {grant.Details?.ToString()})
        on conflict do nothing
        """);

    /// <summary>
    /// Ends a grant; false when it is over already. One statement, so two callers cannot both succeed.
    /// </summary>
    public static async ValueTask<bool> RevokeAsync(
        Unit unit, TenantId tenant, GrantId id, string because, DateTimeOffset now) =>
        await unit.RunAsync(
            $"""
            update grants set revoked_at = {now.ToUnixTimeSeconds()}, revoked_because = {because}
            where tenant = {tenant.Value} and id = {id.Value} and revoked_at is null
            """) is 1;

    /// <summary>Notes that a person has proved who they are since; never an earlier time than is known.</summary>
    public static ValueTask<int> RenewAsync(Unit unit, TenantId tenant, GrantId id, DateTimeOffset authTime) =>
        unit.RunAsync(
            $"""
            update grants set auth_time = {authTime.ToUnixTimeSeconds()}
            where tenant = {tenant.Value} and id = {id.Value}
              and coalesce(auth_time, 0) < {authTime.ToUnixTimeSeconds()}
            """);

    /// <summary>Hands the grants of a browser session on to the one that goes on in its place.</summary>
    public static ValueTask<int> MoveAsync(Unit unit, TenantId tenant, string from, string to) => unit.RunAsync(
        $"update grants set session = {to} where tenant = {tenant.Value} and session = {from}");

    /// <summary>Living grants of the same person, client and resource as this one, at most a page.</summary>
    public static ValueTask<List<Grant>> LikeAsync(Unit unit, Grant grant, DateTimeOffset now) => unit.AllAsync(
        $"""
        select * from grants where tenant = {grant.Tenant.Value} and subject = {grant.Subject.Value}
          and client_id = {grant.Client.Value} and resource = {grant.Resource.Value}
          and revoked_at is null and expires_at > {now.ToUnixTimeSeconds()}
        limit {(long)Page}
        """,
        GrantRow.Read);

    /// <summary>
    /// Ends the living grants that were passed on from ended ones of this chain, one step down; answers which. Called
    /// until there are none.
    /// </summary>
    public static ValueTask<List<Grant>> RevokeNextAsync(
        Unit unit, TenantId tenant, GrantId root, string because, DateTimeOffset now) =>
        unit.AllAsync(
            $"""
            update grants set revoked_at = {now.ToUnixTimeSeconds()}, revoked_because = {because}
            where tenant = {tenant.Value} and root_id = {root.Value} and revoked_at is null
              and exists (
                select 1 from grants passed
                where passed.tenant = grants.tenant and passed.id = grants.parent_id
                  and passed.revoked_at is not null)
            returning *
            """,
            GrantRow.Read);

    /// <summary>
    /// Holds a living grant until the unit ends, so that nobody ends it meanwhile; false when it is over. A row that is
    /// written is locked, in both databases.
    /// </summary>
    public static async ValueTask<bool> HoldAsync(Unit unit, TenantId tenant, GrantId id) =>
        await unit.RunAsync(
            $"""
            update grants set revoked_at = null
            where tenant = {tenant.Value} and id = {id.Value} and revoked_at is null
            """) is 1;

    /// <summary>How many living grants were passed on from where a chain begins.</summary>
    public static async ValueTask<long> CountPassedOnAsync(Unit unit, TenantId tenant, GrantId root) =>
        (await unit.AllAsync(
            $"""
            select count(*) from grants
            where tenant = {tenant.Value} and root_id = {root.Value} and revoked_at is null
            """,
            row => row.GetInt64(0)))[0];

    /// <summary>Notes when grants were last used; exact to the half minute, and nothing depends on it.</summary>
    public Task NoteUseAsync(IReadOnlyCollection<KeyValuePair<(TenantId Tenant, GrantId Id), long>> uses) =>
        db.WriteAsync(async unit =>
        {
            foreach (var ((tenant, id), at) in uses)
            {
                await unit.RunAsync(
                    $"update grants set used_at = {at} where tenant = {tenant.Value} and id = {id.Value}");
            }
        });
}
