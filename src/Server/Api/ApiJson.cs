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
    TokenRules? Token = null,
    HostedBody? Hosted = null)
{
    public required bool RequireDpop { get; init; }

    public required RequireSeed? Require { get; init; }

    public required bool TransactionTokens { get; init; }

    /// <summary>What its tools do, by its operator's word; left out while nothing is said.</summary>
    public IReadOnlyList<DeclarationSeed>? Declares { get; init; }
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
    bool TransactionTokens = false,
    TokenRules? Token = null,
    IReadOnlyList<DeclarationSeed>? Declares = null);

/// <summary>
/// What a server that was added demands of its callers, and is sent with calls; what is left out ends.
/// </summary>
internal sealed record Protection(
    bool RequireDpop = false, RequireSeed? Require = null, bool TransactionTokens = false);

/// <summary>What the tools of a server that was added do; what is left out is no longer said.</summary>
internal sealed record DeclarationsBody(IReadOnlyList<DeclarationSeed> Declares);

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

/// <summary><c>off</c> says why it may do nothing now; left out while it may.</summary>
internal sealed record ClientBody(
    string Id, string Name, string Source, DateTimeOffset? Since, string? Agent, string? Off);

internal sealed record ClientList(IReadOnlyList<ClientBody> Clients, string? Next);

internal sealed record IssuerBody(string Issuer, string Kind, bool Off);

internal sealed record IssuerList(IReadOnlyList<IssuerBody> IdentityProviders);

internal sealed record SwitchBody(string Kind, string Id, DateTimeOffset Since, string By, string? Reason);

internal sealed record SwitchList(IReadOnlyList<SwitchBody> Switches);

internal sealed record SwitchToTurn(string Kind, string Id, bool Off, string? Reason = null, bool Revoke = false);

/// <summary>
/// <c>changed</c> is false when it stood so already; <c>ended</c> counts grants; <c>ms</c> is how long it took,
/// durably.
/// </summary>
internal sealed record SwitchTurned(string Kind, string Id, bool Off, bool Changed, int Ended, double Ms);

internal sealed record AgentToAdd(
    string Name,
    string Owner,
    string Purpose,
    string Ends,
    string? Organization = null,
    string? Jwks = null,
    string? Scope = null,
    IReadOnlyList<string>? Servers = null,
    IReadOnlyList<string>? Clients = null);

/// <summary><c>off</c> says why it may do nothing now; left out while it may.</summary>
internal sealed record AgentBody(
    string Id,
    string Name,
    string? Owner,
    string? Organization,
    string Purpose,
    DateTimeOffset Ends,
    string? Jwks,
    string? Scope,
    IReadOnlyList<string> Servers,
    IReadOnlyList<string> Clients,
    string Source,
    DateTimeOffset CreatedAt,
    string? Off);

internal sealed record AgentList(IReadOnlyList<AgentBody> Agents);

internal sealed record OrganizationToAdd(string Id, string? Name = null);

internal sealed record MemberToMove(string Kind, string Id, bool Leaves = false);

internal sealed record OrganizationBody(string Id, string Name, long Members, bool Off);

internal sealed record OrganizationList(IReadOnlyList<OrganizationBody> Organizations);

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
[JsonSerializable(typeof(DeclarationsBody))]
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
[JsonSerializable(typeof(ClientList))]
[JsonSerializable(typeof(IssuerList))]
[JsonSerializable(typeof(SwitchList))]
[JsonSerializable(typeof(SwitchToTurn))]
[JsonSerializable(typeof(SwitchTurned))]
[JsonSerializable(typeof(AgentToAdd))]
[JsonSerializable(typeof(AgentBody))]
[JsonSerializable(typeof(AgentList))]
[JsonSerializable(typeof(OrganizationToAdd))]
[JsonSerializable(typeof(OrganizationBody))]
[JsonSerializable(typeof(OrganizationList))]
[JsonSerializable(typeof(MemberToMove))]
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
