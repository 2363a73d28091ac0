using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Platform.Configuration;

namespace Postern.Api;

internal sealed record StatusBody(
    string Version, string Issuer, string Console, string Database, int Servers, long LastEntry);

internal sealed record ServerBody(
    string Name,
    string Title,
    string Kind,
    string Resource,
    string? Url,
    string Origin,
    int? Tools,
    HostedBody? Hosted = null)
{
    public required bool RequireDpop { get; init; }

    public required RequireSeed? Require { get; init; }

    public required bool TransactionTokens { get; init; }
}

/// <summary>A local command: how it is shut in, and what has become of its processes.</summary>
internal sealed record HostedBody(
    string Sandbox, string State, int Running, int Starts, int Crashes, IReadOnlyList<string> LastErrors);

internal sealed record LogBody(IReadOnlyList<string> Lines);

internal sealed record ServerList(IReadOnlyList<ServerBody> Servers);

/// <summary>A server to add: everything but <c>name</c> and <c>url</c> may be left out.</summary>
internal sealed record NewServer(
    string Name,
    string Url,
    string? Title = null,
    IReadOnlyDictionary<string, string>? Tools = null,
    bool RequireDpop = false,
    RequireSeed? Require = null,
    bool TransactionTokens = false);

/// <summary>What a server that was added demands of its callers, and is sent with calls; what is left out ends.</summary>
internal sealed record Protection(
    bool RequireDpop = false, RequireSeed? Require = null, bool TransactionTokens = false);

internal sealed record GrantBody(
    string Id,
    string Subject,
    string? Email,
    string Client,
    string ClientName,
    string? Installation,
    string? InstallationId,
    string Resource,
    string Scope,
    IReadOnlyList<string>? Tools,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? UsedAt,
    string? Parent,
    IReadOnlyList<string>? Actors);

internal sealed record GrantList(IReadOnlyList<GrantBody> Grants, string? Next);

/// <summary>
/// <c>revoked</c> is false when the grant was over already; <c>ms</c> is how long ending it took, durably.
/// </summary>
internal sealed record RevokedGrant(string Id, bool Revoked, double Ms);

/// <summary>Whose grants are to end: one of these.</summary>
internal sealed record WhoseGrants(string? User = null, string? Client = null, string? Installation = null);

internal sealed record RevokedGrants(int Grants, int Sessions, double Ms);

internal sealed record NewKey(bool Now);

internal sealed record KeyBody(string Id, DateTimeOffset SignsFrom);

/// <summary>A tenant to make; everything but its name may be left out.</summary>
internal sealed record TenantToAdd(
    string Name,
    string? Host = null,
    string? AccessLifetime = null,
    string? RefreshIdle = null,
    string? RefreshAbsolute = null,
    int Servers = 100,
    int Clients = 1000);

/// <summary><c>setup</c> is the link for the first administrator, where one was just made.</summary>
internal sealed record TenantBody(
    string Name,
    string Issuer,
    string Console,
    string AccessLifetime,
    string RefreshIdle,
    string RefreshAbsolute,
    int Servers,
    int Clients,
    string? Setup = null);

internal sealed record TenantList(IReadOnlyList<TenantBody> Tenants);

/// <summary>
/// An entry: its place, its leaf hash and the record byte for byte, so that a reader can verify one by the other.
/// </summary>
internal sealed record EntryBody(
    long Seq, string Leaf, string? Subject, string? Email, [property: JsonConverter(typeof(RawJson))] string Record);

internal sealed record EntryList(IReadOnlyList<EntryBody> Entries, long Last);

[JsonSerializable(typeof(StatusBody))]
[JsonSerializable(typeof(ServerList))]
[JsonSerializable(typeof(NewServer))]
[JsonSerializable(typeof(Protection))]
[JsonSerializable(typeof(LogBody))]
[JsonSerializable(typeof(GrantList))]
[JsonSerializable(typeof(RevokedGrant))]
[JsonSerializable(typeof(WhoseGrants))]
[JsonSerializable(typeof(RevokedGrants))]
[JsonSerializable(typeof(EntryList))]
[JsonSerializable(typeof(NewKey))]
[JsonSerializable(typeof(KeyBody))]
[JsonSerializable(typeof(TenantToAdd))]
[JsonSerializable(typeof(TenantBody))]
[JsonSerializable(typeof(TenantList))]
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 8)]
internal sealed partial class ApiJson : JsonSerializerContext;

/// <summary>Writes JSON that is JSON already, without a second spelling.</summary>
internal sealed class RawJson : JsonConverter<string>
{
    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Entries are written only.");

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value, skipInputValidation: true);
}
