using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Postern.Platform.Keys;

namespace Postern.OAuth.ClientAuth;

/// <summary>Who vouches for a client.</summary>
internal enum ClientSource
{
    /// <summary>An operator named it in the configuration.</summary>
    Configured,

    /// <summary>Its identifier is the URL of its metadata; whoever controls that URL vouches.</summary>
    Document,

    /// <summary>It registered itself; nobody vouches.</summary>
    Dynamic,

    /// <summary>Its platform vouches for it, at each request.</summary>
    Workload,
}

/// <summary>A secret of a client, as SHA-256, that is good until a time.</summary>
internal sealed record PassingSecret(string Hash, DateTimeOffset Until);

/// <summary>A client whose metadata was checked, whatever its source.</summary>
internal sealed record Client
{
    public required ClientId Id { get; init; }

    public required ClientSource Source { get; init; }

    /// <summary>What it calls itself. A claim, unless an operator named it.</summary>
    public required string Name { get; init; }

    /// <summary>The ways in which it may prove itself; <c>none</c> stands alone.</summary>
    public required IReadOnlyList<string> AuthMethods { get; init; }

    /// <summary><c>native</c> or <c>web</c>, as it registered itself; null where nobody asked.</summary>
    public string? ApplicationType { get; init; }

    /// <summary>SHA-256 of its secret.</summary>
    public string? SecretHash { get; init; }

    /// <summary>Secrets that are good beside it until a time, while one takes another's place.</summary>
    public IReadOnlyList<PassingSecret> PassingSecrets { get; init; } = [];

    public bool HasSecret => SecretHash is not null || PassingSecrets.Count > 0;

    /// <summary>SHA-256 of the token by which it manages its registration (RFC 7592); null where it cannot.</summary>
    public string? RegistrationHash { get; init; }

    /// <summary>Its public keys, a JSON Web Key Set.</summary>
    public string? Jwks { get; init; }

    public string? JwksUri { get; init; }

    public required IReadOnlyList<string> RedirectUris { get; init; }

    public required IReadOnlyList<string> GrantTypes { get; init; }

    /// <summary>The most it may ask for; null for whatever a server offers.</summary>
    public Scopes? ScopeCap { get; init; }

    /// <summary>What it may ask for by itself (client credentials).</summary>
    public IReadOnlyList<Resource> Resources { get; init; } = [];

    /// <summary>
    /// What it is when it acts for somebody (<c>ai_agent</c>, <c>service</c>): an operator's word that its own
    /// authentication says who acts. Null for one that must show an actor token.
    /// </summary>
    public string? ActorProfile { get; init; }

    /// <summary>It may exchange tokens that are bound to another's key or certificate, and were sent to it.</summary>
    public bool ExchangesBoundTokens { get; init; }

    /// <summary>The one client that may become the actor of its tokens (RFC 8693 §4.4).</summary>
    public ClientId? MayAct { get; init; }

    /// <summary>The address of the person it acts for by itself, who must agree first.</summary>
    public string? Approval { get; init; }

    /// <summary>Where it is told that a deferred answer is there.</summary>
    public string? DeferredEndpoint { get; init; }

    /// <summary>How it asks people behind the browser's back; null when it does not.</summary>
    public BackchannelMembers? Backchannel { get; init; }

    /// <summary>The resources whose tokens it may ask about (RFC 7662), being their server.</summary>
    public IReadOnlyList<string> Introspects { get; init; } = [];

    /// <summary>By what signed answers about tokens are signed for it (RFC 9701 §6).</summary>
    public string IntrospectionAlgorithm { get; init; } = SigningKey.Rs256;

    /// <summary>It may end all that a person let in (global token revocation).</summary>
    public bool MayRevokePeople { get; init; }

    /// <summary>What it registered as a relying party.</summary>
    public OpenIdClient OpenId { get; init; } = OpenIdClient.None;

    /// <summary>Its tokens are always bound to a key (RFC 9449 §5.2).</summary>
    public bool RequiresDpop { get; init; }

    /// <summary>It is held to the FAPI 2.0 Security Profile.</summary>
    public bool IsFapi2 { get; init; }

    /// <summary>How long its refresh tokens may rest; null for its tenant's word.</summary>
    public TimeSpan? RefreshIdle { get; init; }

    /// <summary>The longest it can be let in for; null for its tenant's word.</summary>
    public TimeSpan? RefreshAbsolute { get; init; }

    /// <summary>Which certificates are its own, and whether its tokens are bound to them.</summary>
    public CertificateMembers Certificate { get; init; } = CertificateMembers.None;

    /// <summary>The workloads that it is; null for none.</summary>
    public SpiffePattern? SpiffeId { get; init; }

    /// <summary>Its requests are pushed, or are none (RFC 9126 §6).</summary>
    public bool RequiresPush { get; init; }

    /// <summary>Its requests are signed, or are none (RFC 9101 §10.5).</summary>
    public bool RequiresSignedRequest { get; init; }

    /// <summary>The one algorithm it signs requests by; null for any that is served.</summary>
    public string? RequestSigningAlg { get; init; }

    /// <summary>How it wants authorization responses signed (JARM §4); null where it did not say.</summary>
    public string? AnswerSigningAlg { get; init; }

    /// <summary>The ways in which it may be answered; empty for any.</summary>
    public IReadOnlyList<string> ResponseModes { get; init; } = [];

    /// <summary>The one algorithm by which it signs its assertions; null for any that is served.</summary>
    public string? AssertionAlg { get; init; }

    /// <summary>When it was first let in or registered here; null for one never seen before.</summary>
    public DateTimeOffset? FirstSeen { get; init; }

    /// <summary>The client that checked metadata describes, without what only the server gives it.</summary>
    public static Client Of(ClientId id, ClientSource source, ClientMetadata metadata) => new()
    {
        Id = id,
        Source = source,
        Name = metadata.Name ?? "Unnamed app",
        ApplicationType = metadata.ApplicationType,
        AuthMethods = [metadata.AuthMethod],
        Jwks = metadata.Jwks,
        JwksUri = metadata.JwksUri,
        RedirectUris = metadata.RedirectUris,
        GrantTypes = metadata.GrantTypes,
        ScopeCap = metadata.Scope,
        OpenId = metadata.OpenId,
        RequiresDpop = metadata.DpopBoundAccessTokens,
        Certificate = metadata.Certificate,
        RequiresPush = metadata.RequiresPush,
        RequiresSignedRequest = metadata.RequiresSignedRequest,
        RequestSigningAlg = metadata.RequestSigningAlg,
        AnswerSigningAlg = metadata.AnswerSigningAlg,
        ResponseModes = metadata.ResponseModes,
        AssertionAlg = metadata.AssertionAlg,
    };

    /// <summary>
    /// What it may be let in for: of what it asks, or of all that is offered when it asks for nothing by name, as much
    /// as is served and within its cap. An agent that names more is given what there is: the person decides, and the
    /// answer says what it became (RFC 6749 §3.3).
    /// </summary>
    public Scopes Narrow(Scopes asked, Scopes offered)
    {
        var besides = Scopes.Of(Scopes.OfflineAccess);
        var within = asked.IsEmpty ? offered : asked.Intersect(offered.With(besides));
        var capped = ScopeCap is { } cap ? within.Intersect(cap.With(besides)) : within;
        return capped.Without(Scopes.OfflineAccess).IsEmpty ? Scopes.None : capped;
    }

    /// <summary>
    /// What it may be told of the person: nothing unless it asks for <c>openid</c> and may (OpenID Connect Core
    /// §3.1.2.1).
    /// </summary>
    /// <param name="asked">What it asks for.</param>
    /// <param name="isAlone">It asks for nothing at a resource, so whether it may refresh is said here.</param>
    public Scopes NarrowIdentity(Scopes asked, bool isAlone = false)
    {
        var besides = isAlone ? Scopes.Of(Scopes.OfflineAccess) : Scopes.None;
        var within = ScopeCap is { } cap ? asked.Intersect(cap.With(besides)) : asked;
        return within.Has(Scopes.OpenId) ? within.Intersect(Scopes.Identity.With(besides)) : Scopes.None;
    }

    /// <summary>Its tenant, with how long things last for this client: never longer than for others.</summary>
    public Tenant At(Tenant tenant) => this is { RefreshIdle: null, RefreshAbsolute: null } ? tenant : tenant with
    {
        RefreshIdle = RefreshIdle < tenant.RefreshIdle ? RefreshIdle.Value : tenant.RefreshIdle,
        RefreshAbsolute = RefreshAbsolute < tenant.RefreshAbsolute ? RefreshAbsolute.Value : tenant.RefreshAbsolute,
    };

    /// <summary>Whether this is one of its secrets now.</summary>
    public bool Knows(Secret secret, DateTimeOffset now) =>
        (SecretHash is { } hash && secret.Matches(hash))
        || PassingSecrets.Any(passing => now < passing.Until && secret.Matches(passing.Hash));

    public bool IsPublic => AuthMethods is ["none"];

    public bool IsVouchedFor => Source is ClientSource.Configured;

    /// <summary>
    /// What a person's agreement rests on: where answers go, how the client proves itself and where its keys are. When
    /// it changes, refreshing stops until the person is asked again. Null for a client that an operator vouches for.
    /// </summary>
    public string? Hash => IsVouchedFor ? null : Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', [
            .. RedirectUris.Order(StringComparer.Ordinal),
            .. AuthMethods,
            JwksUri ?? "",
            // Left out while there is none: what people agreed to before this was known says the same as then.
            .. Certificate.Name is { } name ? (string[])[name] : [],
        ]))));
}
