using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Platform.Database;

namespace Postern.OAuth.ClientAuth;

/// <summary>The only place that reads and writes the table <c>clients</c>.</summary>
internal sealed partial class ClientStore(Db db)
{
    /// <summary>How long a secret is the newest one at least.</summary>
    public static readonly TimeSpan Moment = TimeSpan.FromMinutes(1);

    public Task<Client?> FindAsync(TenantId tenant, ClientId id, CancellationToken stop) => db.FirstAsync(
        $"""
        select id, source, metadata, secret_hash, created_at, registration_hash, old_secret_hash, old_secret_until
        from clients
        where tenant = {tenant.Value} and id = {id.Value}
        """,
        Read,
        stop);

    /// <summary>Stored clients, the newest first, from below <paramref name="before"/>.</summary>
    public Task<List<Client>> AllAsync(
        TenantId tenant, (DateTimeOffset Since, ClientId Id)? before, int limit, CancellationToken stop) => db.AllAsync(
        $"""
        select id, source, metadata, secret_hash, created_at, registration_hash, old_secret_hash, old_secret_until
        from clients
        where tenant = {tenant.Value}
          and (created_at, id) < ({before?.Since.ToUnixTimeSeconds() ?? long.MaxValue}, {before?.Id.Value ?? ""})
        order by created_at desc, id desc limit {(long)limit}
        """,
        Read,
        stop);

    public static ValueTask<int> SaveAsync(Unit unit, TenantId tenant, Client client, DateTimeOffset now)
    {
        var (source, at) = (client.Source is ClientSource.Document ? "document" : "dynamic", now.ToUnixTimeSeconds());
        return unit.RunAsync(
            $"""
            insert into clients
              (tenant, id, source, metadata, secret_hash, registration_hash, created_at, used_at)
            values ({tenant.Value}, {client.Id.Value}, {source}, {Metadata(client)}, {client.SecretHash},
              {client.RegistrationHash}, {at}, {at})
            on conflict (tenant, id) do update set metadata = excluded.metadata, used_at = excluded.used_at
            """);
    }

    /// <summary>
    /// Puts another registration in the place of one that is there (RFC 7592 §2.2), unless its secret, or the token
    /// that manages it, is another than the one that was read: that would be lost.
    /// </summary>
    public static async ValueTask<bool> ReplaceAsync(
        Unit unit, TenantId tenant, Client client, Client before) => await unit.RunAsync(
        $"""
        update clients set metadata = {Metadata(client)}, secret_hash = {client.SecretHash},
          registration_hash = {client.RegistrationHash},
          old_secret_hash = case when secret_hash = {client.SecretHash ?? ""} then old_secret_hash end
        where tenant = {tenant.Value} and id = {client.Id.Value}
          and coalesce(secret_hash, '') = {before.SecretHash ?? ""}
          and registration_hash = {before.RegistrationHash}
        """) is 1;

    /// <summary>
    /// Puts a secret in the place of the one that is there, which goes on until a time; of many within a moment, one
    /// does. A second would end the first one's secret before it is told.
    /// </summary>
    public static async ValueTask<bool> RotateAsync(
        Unit unit, TenantId tenant, Client client, string fresh, DateTimeOffset until) => await unit.RunAsync(
        $"""
        update clients set secret_hash = {fresh}, old_secret_hash = {client.SecretHash},
          old_secret_until = {until.ToUnixTimeSeconds()}
        where tenant = {tenant.Value} and id = {client.Id.Value} and secret_hash = {client.SecretHash}
          and (old_secret_hash is null or old_secret_until <= {(until - Moment).ToUnixTimeSeconds()})
        """) is 1;

    public static ValueTask<int> RemoveAsync(Unit unit, TenantId tenant, ClientId id) =>
        unit.RunAsync($"delete from clients where tenant = {tenant.Value} and id = {id.Value}");

    /// <summary>Whether what is kept of a client is what it says of itself now; null when nothing is.</summary>
    public static async ValueTask<bool?> IsSameAsync(Unit unit, TenantId tenant, Client client) =>
        await unit.FirstAsync(
            $"select metadata from clients where tenant = {tenant.Value} and id = {client.Id.Value}",
            row => row.GetString(0)) is { } kept
            ? kept == Metadata(client)
            : null;

    /// <summary>Notes the use of a client, if it is there.</summary>
    public static ValueTask<int> UseAsync(Unit unit, TenantId tenant, ClientId id, DateTimeOffset now) => unit.RunAsync(
        $"""
        update clients set used_at = {now.ToUnixTimeSeconds()} where tenant = {tenant.Value} and id = {id.Value}
        """);

    public async Task<long> CountDynamicAsync(TenantId tenant, CancellationToken stop) =>
        (await db.FirstAsync(
            $"select count(*) from clients where tenant = {tenant.Value} and source = {"dynamic"}",
            row => Tuple.Create(row.GetInt64(0)),
            stop))!.Item1;

    /// <summary>
    /// Removes self-registered clients that nobody let in, those unused longest first; one with a live grant stays.
    /// </summary>
    public static ValueTask<List<string>> EvictAsync(
        Unit unit, TenantId tenant, DateTimeOffset usedBefore, int most, DateTimeOffset now) =>
        unit.AllAsync(
            $"""
            delete from clients where tenant = {tenant.Value} and id in (
              select c.id from clients c
              where c.tenant = {tenant.Value} and c.source = {"dynamic"}
                and c.used_at < {usedBefore.ToUnixTimeSeconds()}
                and not exists (
                  select 1 from grants g where g.tenant = c.tenant and g.client_id = c.id
                    and g.revoked_at is null and g.expires_at > {now.ToUnixTimeSeconds()})
              order by c.used_at limit {(long)most})
            returning id
            """,
            row => row.GetString(0));

    private static string Metadata(Client client) => JsonSerializer.Serialize(
        new(
            client.Name,
            client.ApplicationType,
            client.AuthMethods,
            client.Jwks,
            client.JwksUri,
            client.RedirectUris,
            client.GrantTypes,
            client.ScopeCap?.ToString(),
            ReferenceEquals(client.OpenId, OpenIdClient.None) ? null : client.OpenId,
            client.RequiresDpop,
            client.RequiresPush,
            client.RequiresSignedRequest,
            client.RequestSigningAlg,
            client.AnswerSigningAlg,
            client.Certificate == CertificateMembers.None ? null : client.Certificate,
            client.ResponseModes.Count > 0 ? client.ResponseModes : null,
            client.AssertionAlg),
        ClientStoreJson.Default.Stored);

    private static Client Read(DbDataReader row)
    {
        var stored = JsonSerializer.Deserialize(row.GetString(2), ClientStoreJson.Default.Stored)!;
        return new()
        {
            Id = new(row.GetString(0)),
            Source = row.GetString(1) is "document" ? ClientSource.Document : ClientSource.Dynamic,
            Name = stored.Name,
            ApplicationType = stored.ApplicationType,
            AuthMethods = stored.AuthMethods,
            SecretHash = row.IsDBNull(3) ? null : row.GetString(3),
            PassingSecrets = row.IsDBNull(6)
                ? []
                : [new(row.GetString(6), DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(7)))],
            RegistrationHash = row.IsDBNull(5) ? null : row.GetString(5),
            Jwks = stored.Jwks,
            JwksUri = stored.JwksUri,
            RedirectUris = stored.RedirectUris,
            GrantTypes = stored.GrantTypes,
            ScopeCap = stored.Scope is { } scope && Scopes.TryParse(scope, out var scopes) ? scopes : null,
            OpenId = stored.OpenId ?? OpenIdClient.None,
            RequiresDpop = stored.DpopBoundAccessTokens,
            RequiresPush = stored.RequiresPush,
            RequiresSignedRequest = stored.RequiresSignedRequest,
            RequestSigningAlg = stored.RequestSigningAlg,
            AnswerSigningAlg = stored.AnswerSigningAlg,
            Certificate = stored.Certificate ?? CertificateMembers.None,
            ResponseModes = stored.ResponseModes ?? [],
            AssertionAlg = stored.AssertionAlg,
            FirstSeen = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(4)),
        };
    }

    private sealed record Stored(
        string Name,
        string? ApplicationType,
        IReadOnlyList<string> AuthMethods,
        string? Jwks,
        string? JwksUri,
        IReadOnlyList<string> RedirectUris,
        IReadOnlyList<string> GrantTypes,
        string? Scope,
        // Left out when there is nothing: a client that was kept before this was known says the same as then.
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OpenIdClient? OpenId = null,
        // Left out while it is not so: a client that was kept before these were known says the same as then.
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool DpopBoundAccessTokens = false,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool RequiresPush = false,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool RequiresSignedRequest = false,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] string? RequestSigningAlg = null,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] string? AnswerSigningAlg = null,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] CertificateMembers? Certificate = null,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyList<string>? ResponseModes = null,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? AssertionAlg = null);

    [JsonSerializable(typeof(Stored))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    private sealed partial class ClientStoreJson : JsonSerializerContext;
}
