using System.Text.Json;
using System.Text.Json.Serialization;

namespace Postern.Cli;

// What the server answers, as far as people are told of it. Members that a newer server adds are passed over.

internal sealed record StatusAnswer(string Version, string Issuer, string Console, long LastEntry);

internal sealed record ServerAnswer(
    string Name, string Title, string Kind, string Resource, string Origin, int? Tools, HostedAnswer? Hosted = null);

internal sealed record HostedAnswer(string Sandbox, string State, int Running);

internal sealed record LogAnswer(IReadOnlyList<string> Lines);

internal sealed record RestartedServer(string Name, bool Restarted);

internal sealed record ServersAnswer(IReadOnlyList<ServerAnswer> Servers);

internal sealed record NewServer(
    string Name,
    string Url,
    string? Title,
    bool RequireDpop,
    SignInDemand? Require,
    bool TransactionTokens,
    NewServerToken? Token = null);

internal sealed record NewServerToken(string? Lifetime, string? Format, bool? StatusList);

internal sealed record Protection(bool RequireDpop, SignInDemand? Require, bool TransactionTokens);

internal sealed record SignInDemand(IReadOnlyList<string> Acr, string? MaxAge);

internal sealed record GrantAnswer(
    string Id,
    string Subject,
    string? Email,
    string ClientName,
    string? Installation,
    string Resource,
    string Scope,
    IReadOnlyList<string>? Tools,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? UsedAt,
    IReadOnlyList<string>? Actors = null);

internal sealed record GrantsAnswer(IReadOnlyList<GrantAnswer> Grants, string? Next);

internal sealed record NewKey(bool Now);

internal sealed record KeyAnswer(string Id, DateTimeOffset SignsFrom);

internal sealed record RevokedAnswer(string Id, bool Revoked, double Ms);

internal sealed record WhoseGrants(string? User, string? Client, string? Installation);

internal sealed record RevokedAllAnswer(int Grants, int Sessions, double Ms);

internal sealed record EntriesAnswer(IReadOnlyList<JsonElement> Entries, long Last);

internal sealed record ProblemAnswer(string? Detail, string? ErrorDescription);

internal sealed record LoginDone(string Server, string Version, string Credentials);

internal sealed record RemovedServer(string Name, bool Removed);

internal sealed record NewTenant(
    string Name,
    string? Host,
    string? AccessLifetime,
    string? RefreshIdle,
    string? RefreshAbsolute,
    int? Servers,
    int? Clients);

internal sealed record TenantAnswer(
    string Name,
    string Issuer,
    string AccessLifetime,
    string RefreshIdle,
    string RefreshAbsolute,
    string? Setup = null);

internal sealed record TenantsAnswer(IReadOnlyList<TenantAnswer> Tenants);

internal sealed record RemovedTenant(string Name, bool Removed);

internal sealed record SwitchToTurn(string Kind, string Id, bool Off, string? Reason, bool Revoke);

internal sealed record SwitchAnswer(string Kind, string Id, bool Off, bool Changed, int Ended, double Ms);

internal sealed record ClientAnswer(string Id, string Name, string Source, string? Agent = null, string? Off = null);

internal sealed record ClientsAnswer(IReadOnlyList<ClientAnswer> Clients, string? Next = null);

internal sealed record IssuerAnswer(string Issuer, string Kind, bool Off);

internal sealed record IssuersAnswer(IReadOnlyList<IssuerAnswer> IdentityProviders);

internal sealed record NewAgent(
    string Name,
    string Owner,
    string Purpose,
    string Ends,
    string? Organization,
    string? Jwks,
    string? Scope,
    IReadOnlyList<string> Servers,
    IReadOnlyList<string> Clients);

internal sealed record AgentAnswer(
    string Id,
    string Name,
    string Purpose,
    DateTimeOffset Ends,
    IReadOnlyList<string> Servers,
    IReadOnlyList<string> Clients,
    string? Owner = null,
    string? Organization = null,
    string? Off = null);

internal sealed record AgentsAnswer(IReadOnlyList<AgentAnswer> Agents);

internal sealed record RemovedAgent(string Id, bool Removed);

internal sealed record NewOrganization(string Id, string? Name);

internal sealed record OrganizationAnswer(string Id, string Name, long Members, bool Off);

internal sealed record OrganizationsAnswer(IReadOnlyList<OrganizationAnswer> Organizations);

internal sealed record MovedMember(string Kind, string Id, bool Leaves);

internal sealed record Failure(string Error);

[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(ServerAnswer))]
[JsonSerializable(typeof(ServersAnswer))]
[JsonSerializable(typeof(LogAnswer))]
[JsonSerializable(typeof(RestartedServer))]
[JsonSerializable(typeof(NewServer))]
[JsonSerializable(typeof(Protection))]
[JsonSerializable(typeof(GrantsAnswer))]
[JsonSerializable(typeof(RevokedAnswer))]
[JsonSerializable(typeof(WhoseGrants))]
[JsonSerializable(typeof(RevokedAllAnswer))]
[JsonSerializable(typeof(NewKey))]
[JsonSerializable(typeof(KeyAnswer))]
[JsonSerializable(typeof(EntriesAnswer))]
[JsonSerializable(typeof(ProblemAnswer))]
[JsonSerializable(typeof(LoginDone))]
[JsonSerializable(typeof(RemovedServer))]
[JsonSerializable(typeof(NewTenant))]
[JsonSerializable(typeof(TenantAnswer))]
[JsonSerializable(typeof(TenantsAnswer))]
[JsonSerializable(typeof(RemovedTenant))]
[JsonSerializable(typeof(SwitchToTurn))]
[JsonSerializable(typeof(SwitchAnswer))]
[JsonSerializable(typeof(ClientsAnswer))]
[JsonSerializable(typeof(IssuersAnswer))]
[JsonSerializable(typeof(NewAgent))]
[JsonSerializable(typeof(AgentAnswer))]
[JsonSerializable(typeof(AgentsAnswer))]
[JsonSerializable(typeof(RemovedAgent))]
[JsonSerializable(typeof(NewOrganization))]
[JsonSerializable(typeof(OrganizationAnswer))]
[JsonSerializable(typeof(OrganizationsAnswer))]
[JsonSerializable(typeof(MovedMember))]
[JsonSerializable(typeof(Failure))]
[JsonSerializable(typeof(CredentialText))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = false)]
internal sealed partial class CliJson : JsonSerializerContext;
