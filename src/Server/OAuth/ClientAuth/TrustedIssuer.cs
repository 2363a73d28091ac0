using Postern.Platform;
using Postern.Platform.Configuration;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// What the assertions of an issuer are taken for. One issuer is one kind, so none is taken for another.
/// </summary>
internal enum IssuerKind
{
    /// <summary>It says who a person is (ID-JAG).</summary>
    IdentityProvider,

    /// <summary>It passes on what was granted there (identity chaining).</summary>
    AuthorizationServer,

    /// <summary>It says which program runs where, for that program itself.</summary>
    Workload,
}

/// <summary>Somebody outside whose assertions are grants here, as far as an operator says.</summary>
internal sealed class TrustedIssuer
{
    private readonly TrustedIssuerSeed seed;

    public TrustedIssuer(TrustedIssuerSeed seed, Tenant tenant)
    {
        this.seed = seed;
        Kind = seed.Kind switch
        {
            "idp" => IssuerKind.IdentityProvider,
            "workload" => IssuerKind.Workload,
            _ => IssuerKind.AuthorizationServer,
        };
        Algorithms = seed.Algorithms is [] ? ClientAssertion.Algorithms : seed.Algorithms;
        Resources = [.. seed.Resources.Select(name => Resource.Of(tenant.Address($"/mcp/{name}")))];
        Scope = Scopes.TryParse(seed.Scope, out var scope)
            ? scope
            : throw new SetupException($"Trusted issuer `{seed.Issuer}`: `scope` is not a list of scopes.");
    }

    public string Name => seed.Issuer;

    public IssuerKind Kind { get; }

    public bool IsEnabled => seed.IsEnabled;

    public string? Jwks => seed.Jwks;

    public string? JwksUri => seed.JwksUri;

    public IReadOnlyList<string> Algorithms { get; }

    /// <summary>Where its word lets somebody in.</summary>
    public IReadOnlyList<Resource> Resources { get; }

    /// <summary>The most that it can bring about.</summary>
    public Scopes Scope { get; }

    public bool MakesUsers => seed.MakesUsers;

    /// <summary>An operator says that it names no address of which it does not know whose it is.</summary>
    public bool VerifiesAddresses => seed.VerifiesAddresses;

    public bool IsSingleUse => seed.IsSingleUse;

    public TimeSpan Lifetime => seed.Lifetime;

    public bool MaySpeakFor(Client client) => seed.Clients is [] || seed.Clients.Contains(client.Id.Value);

    /// <summary>Whether an operator said that this issuer alone knows whose an address is.</summary>
    public bool KnowsAddress(string email) =>
        email.LastIndexOf('@') is var at and > 0
        && seed.EmailDomains.Contains(email[(at + 1)..], StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Whether a token is for this server and for no other: the issuer, or the token endpoint where that is taken too.
    /// </summary>
    public bool IsAddressed(ForeignToken token, Tenant tenant) =>
        token.IsForAlone(tenant.Issuer) || (seed.TakesTokenEndpoint && token.IsForAlone(tenant.Address("/token")));

    /// <summary>Whether a token has every claim that an operator asks of it.</summary>
    public bool HasClaims(ForeignToken token) => seed.Claims.All(rule =>
        token.Text(rule.Key) is { } text
        && (rule.Value.EndsWith('*')
            ? text.StartsWith(rule.Value[..^1], StringComparison.Ordinal)
            : text == rule.Value));
}
