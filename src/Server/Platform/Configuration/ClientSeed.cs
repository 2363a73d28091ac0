namespace Postern.Platform.Configuration;

/// <summary>A client named in the configuration; the names are those of RFC 7591 §2.</summary>
internal sealed record ClientSeed
{
    /// <summary>Where it stands, for what is found wrong with it later.</summary>
    public required string Place { get; init; }

    public required string ClientId { get; init; }

    public required string? ClientName { get; init; }

    public required Secret? ClientSecret { get; init; }

    /// <summary>Several, while one takes another's place.</summary>
    public required IReadOnlyList<SecretSeed> ClientSecrets { get; init; }

    public required string? AuthMethod { get; init; }

    public required string? Jwks { get; init; }

    public required string? JwksUri { get; init; }

    public required IReadOnlyList<string> RedirectUris { get; init; }

    public required IReadOnlyList<string> GrantTypes { get; init; }

    public required string? Scope { get; init; }

    /// <summary>What it is as a relying party.</summary>
    public required OpenIdSeed OpenId { get; init; }

    /// <summary>How strictly it is held.</summary>
    public required ProfileSeed Profile { get; init; }

    public required bool DpopBoundAccessTokens { get; init; }

    /// <summary>The workloads that it is (SPIFFE).</summary>
    public required string? SpiffeId { get; init; }

    /// <summary>What it is by its certificates.</summary>
    public required CertificateSeed Certificate { get; init; }

    /// <summary>Names of servers, or URLs.</summary>
    public required IReadOnlyList<string> Resources { get; init; }

    public required string? Actor { get; init; }

    public required string? MayAct { get; init; }

    public required bool ExchangesBoundTokens { get; init; }

    public required string? Approval { get; init; }

    public required string? DeferredEndpoint { get; init; }

    public required string? DeliveryMode { get; init; }

    public required string? NotificationEndpoint { get; init; }

    public required string? BackchannelAlgorithm { get; init; }

    /// <summary>Names of servers, or URLs, whose tokens it may ask about.</summary>
    public required IReadOnlyList<string> Introspects { get; init; }

    public required string IntrospectionAlgorithm { get; init; }

    public required bool MayRevokePeople { get; init; }

    public required bool RequiresPush { get; init; }

    public required bool RequiresSignedRequest { get; init; }

    public required string? RequestSigningAlg { get; init; }

    public required IReadOnlyList<string> ResponseModes { get; init; }

    public required string? AssertionAlg { get; init; }

    public static ClientSeed Read(SettingsNode node) => new()
    {
        Place = node.Place,
        ClientId = node.Required(
            "client_id", "The client's identifier.", "letters, digits and - . _ ~ or a metadata document's URL"),
        ClientName = node.Text("client_name", "What people see."),
        ClientSecret = node.Value<Secret>(
            "client_secret",
            "Its secret, at least 32 characters of randomness.",
            null,
            "at least 32 characters",
            text => text.Length >= 32 ? new(text) : null,
            isSecret: true),
        ClientSecrets = node.Groups("client_secrets", null, SecretSeed.Read),
        AuthMethod = node.Text(
            "token_endpoint_auth_method",
            "How it proves itself.",
            null,
            "none, client_secret_basic, client_secret_post, private_key_jwt, tls_client_auth, "
                + "self_signed_tls_client_auth, spiffe_jwt, spiffe_x509, attest_jwt_client_auth or "
                + "attest_jwt_client_auth_dpop"),
        Jwks = node.Text("jwks", "Its public keys, a JSON Web Key Set.", null, "JSON"),
        JwksUri = node.Text("jwks_uri", "Where its public keys are.", null, "an https URL"),
        RedirectUris = node.List(
            "redirect_uris", "Where answers may go, exactly; on loopback any port.", "a URI", text => text),
        GrantTypes = node.List(
            "grant_types",
            "How it may come to tokens; left out, by codes, and not at all where it has no redirect_uris and is there "
                + "for introspects or global_revocation.",
            "authorization_code, refresh_token, client_credentials, or the URN of ciba, deferred, device_code, "
                + "jwt-bearer or token-exchange",
            text => text),
        Scope = node.Text("scope", "The most it may ask for.", null, "scopes with spaces between"),
        OpenId = OpenIdSeed.Read(node),
        Profile = ProfileSeed.Read(node),
        DpopBoundAccessTokens = node.Flag(
            "dpop_bound_access_tokens", "Its tokens are always bound to a key (RFC 9449).", false),
        SpiffeId = node.Text(
            "spiffe_id",
            "The workload that it is, or all below a path; the client_id itself may be one, too.",
            null,
            "spiffe://DOMAIN/PATH or spiffe://DOMAIN/PATH/*"),
        Certificate = CertificateSeed.Read(node),
        Resources = node.List(
            "resources",
            "What it may ask for by itself, and where it may exchange tokens.",
            "a server's name or a URL",
            text => text),
        Actor = node.Value(
            "actor",
            "What it is when it acts for somebody; its own authentication then says who acts (RFC 8693).",
            null,
            "ai_agent, service or client_instance",
            text => text is "ai_agent" or "service" or "client_instance" ? text : null),
        MayAct = node.Text(
            "may_act", "The one client that may act by this one's tokens (RFC 8693 §4.4).", null, "a client_id"),
        ExchangesBoundTokens = node.Flag(
            "exchanges_bound_tokens",
            "It may exchange tokens that are bound to another's key or certificate, for its own (RFC 8693, RFC 9449).",
            false),
        Approval = node.Value<string>(
            "approval",
            "The person it acts for with client_credentials, who must agree first; needs the grant type deferred.",
            null,
            "an e-mail address",
            text => text.Contains('@') ? text : null),
        DeferredEndpoint = node.Text(
            "deferred_client_notification_endpoint", "Where it is told of a deferred answer.", null, "an https URL"),
        DeliveryMode = node.Value(
            "backchannel_token_delivery_mode",
            "How it learns of a person's answer (CIBA).",
            "poll",
            "poll or ping",
            text => text is "poll" or "ping" ? text : null),
        NotificationEndpoint = node.Text(
            "backchannel_client_notification_endpoint", "Where it is told of an answer (CIBA).", null, "an https URL"),
        BackchannelAlgorithm = node.Value<string>(
            "backchannel_authentication_request_signing_alg",
            "By what it signs its requests; unsigned ones are refused then (CIBA). The profile fapi2 needs it.",
            null,
            "ES256 or PS256",
            text => text is "ES256" or "PS256" ? text : null),
        Introspects = node.List(
            "introspects",
            "The resources it serves, about whose tokens it may ask (RFC 7662).",
            "a server's name or a URL",
            text => text),
        IntrospectionAlgorithm = node.Value(
            "introspection_signed_response_alg",
            "By what signed answers about tokens are signed for it (RFC 9701).",
            "RS256",
            "RS256 or ES256",
            text => text is "RS256" or "ES256" ? text : null),
        MayRevokePeople = node.Flag(
            "global_revocation", "It may end all that a person let in, and their sessions, at once.", false),
        RequiresPush = node.Flag(
            "require_pushed_authorization_requests", "It pushes its requests, or they are refused (RFC 9126).", false),
        RequiresSignedRequest = node.Flag(
            "require_signed_request_object", "It signs its requests, or they are refused (RFC 9101).", false),
        RequestSigningAlg = node.Text(
            "request_object_signing_alg", "The one algorithm it signs requests by.", null, "ES256 or PS256"),
        ResponseModes = node.List(
            "response_modes",
            "The ways in which it may be answered; left out, any (FAPI 2.0 Message Signing).",
            "query, form_post, jwt, query.jwt or form_post.jwt",
            text => text is "query" or "form_post" or "jwt" or "query.jwt" or "form_post.jwt" ? text : null),
        AssertionAlg = node.Value<string>(
            "token_endpoint_auth_signing_alg",
            "The one algorithm by which it signs its assertions; left out, any that is served.",
            null,
            "ES256, PS256 or RS256",
            text => text is "ES256" or "PS256" or "RS256" ? text : null),
    };
}
