using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>The only place that reads and writes the table <c>grants</c>.</summary>
internal sealed partial class GrantStore(Db db)
{
    /// <summary>The most rows of one page.</summary>
    public const int Page = 200;

    public Task<Grant?> FindAsync(TenantId tenant, GrantId id, CancellationToken stop) => db.FirstAsync(
        $"select * from grants where tenant = {tenant.Value} and id = {id.Value}", Read, stop);

    public Task<Grant?> FindStandingAsync(TenantId tenant, string ownKey, CancellationToken stop) => db.FirstAsync(
        $"select * from grants where tenant = {tenant.Value} and own_key = {ownKey}", Read, stop);

    /// <summary>A person's grants that are not over, newest first.</summary>
    public Task<List<GrantUse>> OfSubjectAsync(
        TenantId tenant, SubjectId subject, DateTimeOffset now, CancellationToken stop) =>
        db.AllAsync(
            $"""
            select grants.*, (
              select bound_to || instance from families f
              where f.tenant = grants.tenant and f.grant_id = grants.id) as bound_to
            from grants where tenant = {tenant.Value} and subject = {subject.Value}
              and revoked_at is null and expires_at > {now.ToUnixTimeSeconds()}
            order by id desc limit {(long)Page}
            """,
            ReadUse,
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
            order by id desc limit {(long)Page}
            """,
            Read,
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
            Read,
            stop);

    /// <summary>All grants of a tenant that are not over, newest first, from below <paramref name="before"/>.</summary>
    public Task<List<GrantUse>> AllAsync(
        TenantId tenant, string? before, int limit, DateTimeOffset now, CancellationToken stop) =>
        db.AllAsync(
            $"""
            select grants.*, (
              select bound_to || instance from families f
              where f.tenant = grants.tenant and f.grant_id = grants.id) as bound_to
            from grants where tenant = {tenant.Value} and id < {before ?? "~"}
              and revoked_at is null and expires_at > {now.ToUnixTimeSeconds()}
            order by id desc limit {(long)limit}
            """,
            ReadUse,
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
          {grant.Scopes.ToString()}, {ToText(grant.Tools)}, {grant.AuthTime?.ToUnixTimeSeconds()},
          {grant.Acr}, {grant.Session}, {grant.Sid}, {ToText(grant.Claims)},
          {grant.CreatedAt.ToUnixTimeSeconds()}, {grant.ExpiresAt.ToUnixTimeSeconds()},
          {grant.Parent?.Value}, {grant.Root?.Value}, {ToText(grant.Actors)}, {grant.ApprovedBy},
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

    /// <summary>Whether a grant has not been ended, as seen from inside a unit.</summary>
    public static async ValueTask<bool> IsLiveAsync(Unit unit, TenantId tenant, GrantId id) => await unit.FirstAsync(
        $"select id from grants where tenant = {tenant.Value} and id = {id.Value} and revoked_at is null",
        row => row.GetString(0)) is not null;

    /// <summary>Living grants of the same person, client and resource as this one, at most a page.</summary>
    public static ValueTask<List<Grant>> LikeAsync(Unit unit, Grant grant, DateTimeOffset now) => unit.AllAsync(
        $"""
        select * from grants where tenant = {grant.Tenant.Value} and subject = {grant.Subject.Value}
          and client_id = {grant.Client.Value} and resource = {grant.Resource.Value}
          and revoked_at is null and expires_at > {now.ToUnixTimeSeconds()}
        limit {(long)Page}
        """,
        Read);

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
            Read);

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

    /// <summary>Living grants of somebody or something, at most a page of them.</summary>
    public static ValueTask<List<Grant>> OfAsync(Unit unit, TenantId tenant, GrantsOf whose, DateTimeOffset now)
    {
        var at = now.ToUnixTimeSeconds();
        FormattableString sql = whose switch
        {
            GrantsOf.Person { Id: var person } => $"""
                select * from grants where tenant = {tenant.Value} and subject = {person.Value} and is_own = {false}
                  and revoked_at is null and expires_at > {at} limit {(long)Page}
                """,
            GrantsOf.Client { Id: var client } => $"""
                select * from grants where tenant = {tenant.Value} and client_id = {client.Value}
                  and revoked_at is null and expires_at > {at} limit {(long)Page}
                """,
            GrantsOf.Copy { Id: var copy } => $"""
                select * from grants where tenant = {tenant.Value} and installation = {copy.Value}
                  and revoked_at is null and expires_at > {at} limit {(long)Page}
                """,
            GrantsOf.Agent { Id: var agent } => $"""
                select * from grants where tenant = {tenant.Value} and client_id in (
                    select client_id from agent_clients where tenant = {tenant.Value} and agent_id = {agent})
                  and revoked_at is null and expires_at > {at} limit {(long)Page}
                """,
            GrantsOf.Issuer { Name: var issuer } => $"""
                select * from grants where tenant = {tenant.Value} and approved_by = {issuer}
                  and revoked_at is null and expires_at > {at} limit {(long)Page}
                """,
            GrantsOf.Organization { Id: var organization } => $"""
                select g.* from grants g where g.tenant = {tenant.Value}
                  and g.revoked_at is null and g.expires_at > {at}
                  and exists (
                    select 1 from organization_members m
                    where m.tenant = g.tenant and m.organization = {organization} and (
                      (m.kind = {"user"} and m.id = g.subject)
                      or (m.kind = {"identity_provider"} and m.id = g.approved_by)
                      or (m.kind = {"agent"} and m.id = (
                        select c.agent_id from agent_clients c
                        where c.tenant = g.tenant and c.client_id = g.client_id))))
                limit {(long)Page}
                """,
            GrantsOf.Server { Resource: var resource } => $"""
                select * from grants where tenant = {tenant.Value} and resource = {resource.Value}
                  and revoked_at is null and expires_at > {at} limit {(long)Page}
                """,
            _ => throw new UnreachableException(),
        };
        return unit.AllAsync(sql, Read);
    }

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

    private static GrantUse ReadUse(DbDataReader row) => new(Read(row), At(row, "used_at"))
    {
        IsBound = Text(row, "bound_to") is { Length: > 0 },
    };

    private static Grant Read(DbDataReader row) => new()
    {
        Id = new(Text(row, "id")!),
        Tenant = new(Text(row, "tenant")!),
        Subject = new(Text(row, "subject")!),
        IsOwn = row.GetBoolean(row.GetOrdinal("is_own")),
        Client = new(Text(row, "client_id")!),
        ClientName = Text(row, "client_name")!,
        ClientHash = Text(row, "client_hash"),
        Installation = Text(row, "installation") is { } installation ? new(installation) : null,
        InstallationName = Text(row, "installation_name"),
        Resource = Resource.TryParse(Text(row, "resource"), out var resource)
            ? resource : throw new InvalidDataException("A stored resource is not one."),
        Scopes = Scopes.TryParse(Text(row, "scopes"), out var scopes)
            ? scopes : throw new InvalidDataException("Stored scopes are none."),
        Tools = Text(row, "tools") is { } tools
            ? JsonSerializer.Deserialize(tools, GrantJson.Default.StringArray)
            : null,
        Details = Text(row, "details") is { } details
            ? Details.Parse(details) ?? throw new InvalidDataException("Stored details are none.")
            : null,
        AuthTime = At(row, "auth_time"),
        Acr = Text(row, "acr"),
        Session = Text(row, "session"),
        Sid = Text(row, "sid"),
        Claims = Text(row, "claims") is { } claims
            ? JsonSerializer.Deserialize(claims, GrantJson.Default.ClaimsWanted)
            : null,
        CreatedAt = At(row, "created_at")!.Value,
        ExpiresAt = At(row, "expires_at")!.Value,
        RevokedAt = At(row, "revoked_at"),
        ApprovedBy = Text(row, "approved_by"),
        Parent = Text(row, "parent_id") is { } parent ? new(parent) : null,
        Root = Text(row, "root_id") is { } root ? new(root) : null,
        Actors = Text(row, "actors") is { } actors
            ? JsonSerializer.Deserialize(actors, GrantJson.Default.ActingPartyArray)!
            : [],
    };

    private static string? Text(DbDataReader row, string column) =>
        row.GetOrdinal(column) is var at && row.IsDBNull(at) ? null : row.GetString(at);

    private static DateTimeOffset? At(DbDataReader row, string column) =>
        row.GetOrdinal(column) is var at && row.IsDBNull(at)
            ? null
            : DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(at));

    private static string? ToText(IReadOnlyList<string>? tools) =>
        tools is null ? null : JsonSerializer.Serialize([.. tools], GrantJson.Default.StringArray);

    private static string? ToText(ClaimsWanted? claims) =>
        claims is null ? null : JsonSerializer.Serialize(claims, GrantJson.Default.ClaimsWanted);

    private static string? ToText(IReadOnlyList<ActingParty> actors) =>
        actors.Count is 0 ? null : JsonSerializer.Serialize([.. actors], GrantJson.Default.ActingPartyArray);

    [JsonSerializable(typeof(string[]))]
    [JsonSerializable(typeof(ActingParty[]))]
    [JsonSerializable(typeof(ClaimsWanted))]
    private sealed partial class GrantJson : JsonSerializerContext;
}

/// <summary>A grant that ended, and in which second.</summary>
internal sealed record GrantEnd(string Id, long At);

/// <summary>A grant and when it was last used.</summary>
internal sealed record GrantUse(Grant Grant, DateTimeOffset? UsedAt)
{
    /// <summary>Its tokens are bound to a key, so that a stolen one is of no use.</summary>
    public bool IsBound { get; init; }
}

/// <summary>
/// The last grant of a client and how many are alive; <paramref name="IsMore"/> when older ones were not looked at.
/// </summary>
internal sealed record ClientUse(DateTimeOffset? LastGrant, long Alive, bool IsMore)
{
    /// <summary>Grants of a client that are counted.</summary>
    public const int Reach = 1000;
}
