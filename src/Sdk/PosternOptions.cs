using Microsoft.Extensions.Options;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;
using Postern.AspNetCore.Metadata;
using Postern.AspNetCore.Proofs;
using Postern.AspNetCore.Revocations;

namespace Postern.AspNetCore;

/// <summary>What an application decides about its protection. Checked when the application starts.</summary>
public sealed class PosternOptions
{
    /// <summary>
    /// The issuer whose tokens are taken: an https URL, exactly as its metadata spells it (RFC 8414 §2).
    /// </summary>
    public string Issuer { get; set; } = "";

    /// <summary>
    /// The URL of this application as clients know it, and the only audience that is taken (RFC 8707 §2). Compared as
    /// text.
    /// </summary>
    public string Resource { get; set; } = "";

    /// <summary>The scopes a client should ask for when nothing told it better (RFC 9728 §2).</summary>
    public IList<string> Scopes { get; } = [];

    /// <summary>The name of this application that clients show to people.</summary>
    public string? ResourceName { get; set; }

    /// <summary>A page for developers of clients.</summary>
    public string? ResourceDocumentation { get; set; }

    /// <summary>How far clocks may differ: 0 to 60 seconds, 30 by default.</summary>
    public TimeSpan ClockSkew { get; set; } = AccessTokenValidator.DefaultClockSkew;

    /// <summary>How many verified tokens are remembered: 4 to 1048576, 8192 by default.</summary>
    public int CachedTokens { get; set; } = AccessTokenValidator.DefaultCachedTokens;

    /// <summary>
    /// The types of <c>authorization_details</c> that the application enforces. Tokens with others are refused.
    /// </summary>
    public ISet<string> AuthorizationDetailTypes { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Asked for each valid token: null while its grant stands, else why it does not, for the log.</summary>
    public Func<AccessToken, CancellationToken, ValueTask<string?>>? Liveness { get; set; }

    /// <summary>
    /// Takes only tokens that are bound to a key, with a proof of it (RFC 9449). Both kinds are taken by default, and a
    /// bound one never without its proof.
    /// </summary>
    public bool RequireDpop { get; set; }

    /// <summary>
    /// Takes only tokens that are bound to the certificate of the connection (RFC 8705). Where a proxy ends TLS,
    /// certificate forwarding of ASP.NET Core must say which one the caller showed.
    /// </summary>
    public bool RequireCertificate { get; set; }

    /// <summary>Takes only proofs with a nonce of this application, which nobody can have made ahead of time.</summary>
    public bool RequireDpopNonces { get; set; }

    /// <summary>How far the time of a proof may be from now: 10 seconds to 5 minutes, 60 seconds by default.</summary>
    public TimeSpan ProofWindow { get; set; } = ProofValidator.DefaultWindow;

    /// <summary>How many used proofs are remembered at a time: 16 to 16777216, 524288 by default, in 32 MiB.</summary>
    public int RememberedProofs { get; set; } = ProofValidator.DefaultRememberedProofs;

    /// <summary>
    /// Asked about each proof that this process sees for the first time, where several processes serve one resource:
    /// whether it is new to all of them. Null, the default: this process alone remembers.
    /// </summary>
    public Func<ProofUse, CancellationToken, ValueTask<bool>>? IsFirstUseOfProof { get; set; }

    /// <summary>
    /// What stands before the path of a request where clients send it, for the address in proofs, when that is not the
    /// origin of <see cref="Resource"/>: <c>https://api.example.com/behind/a/proxy</c>.
    /// </summary>
    public string? PublicUrl { get; set; }

    /// <summary>
    /// The trust domain that this application is inside of, behind a gateway: a <see
    /// cref="Transactions.TransactionTokenValidator"/> can then be had from the services. Null: it is in none.
    /// </summary>
    public string? TrustDomain { get; set; }

    /// <summary>Where keys come from. Null, the default: from the issuer's metadata.</summary>
    public IKeySource? Keys { get; set; }

    /// <summary>
    /// What this application is called at the issuer as a client, for questions in its own name. With it and <see
    /// cref="ClientSecret"/>, tokens that are references are taken, too (<see cref="TakeReferences"/>).
    /// </summary>
    public string? ClientId { get; set; }

    /// <summary>The secret that goes with <see cref="ClientId"/>.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>
    /// Takes tokens that are references where there is a <see cref="ClientId"/>, and asks the issuer about them (RFC
    /// 7662): at each use, or with <see cref="FollowRevocations"/> once. True by default; as many answers are
    /// remembered as there are <see cref="CachedTokens"/>.
    /// </summary>
    public bool TakeReferences { get; set; } = true;

    /// <summary>
    /// How long a reference that does not stand is refused without another question: 0 to 60 seconds, 5 by default.
    /// </summary>
    public TimeSpan RefusedReferencesFor { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Follows what ends at the issuer, a Postern, and who is switched off there, so that a token is refused within a
    /// second of its end, and while somebody in its grant is off. Needs <see cref="ClientId"/>, which the issuer knows
    /// as a server of <see cref="Resource"/>.
    /// </summary>
    public bool FollowRevocations { get; set; }

    /// <summary>
    /// How long it may be unknown what ended before <see cref="WhenRevocationsAreLate"/> counts: 6 seconds to 5
    /// minutes, 15 seconds by default.
    /// </summary>
    public TimeSpan RevocationPatience { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>What becomes of valid tokens then, and at the start.</summary>
    public LateRevocations WhenRevocationsAreLate { get; set; }

    /// <summary>
    /// Without this, an endpoint that says nothing about authorization takes valid tokens only, and AllowAnonymous
    /// opens it. With it, a forgotten RequireScope is an open door.
    /// </summary>
    public bool LeaveUndeclaredEndpointsOpen { get; set; }

    /// <summary>
    /// Takes http URLs for issuer and resource: whoever is on the network can then read and forge every token.
    /// </summary>
    public bool AllowInsecureHttpForTests { get; set; }

    internal string PublicBase =>
        PublicUrl?.TrimEnd('/') ?? new Uri(Resource, UriKind.Absolute).GetLeftPart(UriPartial.Authority);

    internal ResourceMetadata Metadata => new(Resource, [Issuer])
    {
        ScopesSupported = Scopes.Count is 0 ? null : [.. Scopes],
        AuthorizationDetailsTypesSupported =
            AuthorizationDetailTypes.Count is 0 ? null : [.. AuthorizationDetailTypes.Order(StringComparer.Ordinal)],
        DpopBoundAccessTokensRequired = RequireDpop ? true : null,
        TlsClientCertificateBoundAccessTokens = RequireCertificate ? true : null,
        ResourceName = ResourceName,
        ResourceDocumentation = ResourceDocumentation,
    };
}

/// <summary>Says at the start what is wrong and what was expected.</summary>
internal sealed class PosternOptionsCheck : IValidateOptions<PosternOptions>
{
    public ValidateOptionsResult Validate(string? name, PosternOptions options)
    {
        var faults = Faults(options).ToList();
        return faults is [] ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Faults(PosternOptions options)
    {
        if (!IsUrl(options.Issuer, options) || options.Issuer.Contains('?'))
        {
            yield return $"Issuer is \"{options.Issuer}\"; expected an https URL without query and fragment.";
        }

        if (!IsUrl(options.Resource, options))
        {
            yield return $"Resource is \"{options.Resource}\"; expected the https URL of this application.";
        }

        if (options.Scopes.FirstOrDefault(scope => !TokenClaims.IsScope(scope)) is { } scope)
        {
            yield return $"Scopes has \"{scope}\"; expected {TokenClaims.ScopeGrammar}.";
        }

        if (options.ClockSkew < TimeSpan.Zero || options.ClockSkew > AccessTokenValidator.MaxClockSkew)
        {
            yield return $"ClockSkew is {options.ClockSkew}; expected 0 to 60 seconds.";
        }

        if (options.CachedTokens is < AccessTokenValidator.MinCachedTokens or > AccessTokenValidator.MaxCachedTokens)
        {
            yield return $"CachedTokens is {options.CachedTokens}; expected 4 to 1048576.";
        }

        if (options is { RequireDpop: true, RequireCertificate: true })
        {
            yield return "RequireDpop and RequireCertificate: a token is bound to one of the two.";
        }

        foreach (var fault in ProofFaults(options).Concat(RevocationFaults(options)))
        {
            yield return fault;
        }
    }

    private static IEnumerable<string> RevocationFaults(PosternOptions options)
    {
        if ((options.ClientId is null) != (options.ClientSecret is null)
            || (options.FollowRevocations && options.ClientId is null))
        {
            yield return "ClientId and ClientSecret are set both, or neither; FollowRevocations needs them.";
        }

        if (options.RevocationPatience < TimeSpan.FromSeconds(6)
            || options.RevocationPatience > TimeSpan.FromMinutes(5))
        {
            yield return $"RevocationPatience is {options.RevocationPatience}; expected 6 seconds to 5 minutes.";
        }

        if (options.RefusedReferencesFor < TimeSpan.Zero || options.RefusedReferencesFor > TimeSpan.FromSeconds(60))
        {
            yield return $"RefusedReferencesFor is {options.RefusedReferencesFor}; expected 0 to 60 seconds.";
        }
    }

    private static IEnumerable<string> ProofFaults(PosternOptions options)
    {
        if (options.ProofWindow < ProofValidator.MinWindow || options.ProofWindow > ProofValidator.MaxWindow)
        {
            yield return $"ProofWindow is {options.ProofWindow}; expected 10 seconds to 5 minutes.";
        }

        if (options.RememberedProofs is < ProofValidator.MinRememberedProofs or > ProofValidator.MaxRememberedProofs)
        {
            yield return $"RememberedProofs is {options.RememberedProofs}; expected 16 to 16777216.";
        }

        if (options.PublicUrl is { } url && (!IsUrl(url, options) || url.Contains('?')))
        {
            yield return $"PublicUrl is \"{url}\"; expected an https URL without query and fragment.";
        }
    }

    private static bool IsUrl(string text, PosternOptions options) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || (options.AllowInsecureHttpForTests && uri.Scheme == Uri.UriSchemeHttp))
        && uri.UserInfo is ""
        && !text.Contains('#')
        && !text.Any(c => c is <= ' ' or > '~' or '"' or '\\');
}
