using System.Text.Json;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Client metadata (RFC 7591 §2) as it comes from outside, in a registration or in a metadata document, read strictly:
/// one meaning for each member, bounded, unknown members ignored.
/// </summary>
internal sealed record ClientMetadata
{
    public const string
        None = "none", Basic = "client_secret_basic", Post = "client_secret_post", PrivateKeyJwt = "private_key_jwt";

    /// <summary>By an attestation of the copy that asks (draft-ietf-oauth-attestation-based-client-auth §8).</summary>
    public const string Attested = "attest_jwt_client_auth", AttestedDpop = "attest_jwt_client_auth_dpop";

    /// <summary>RFC 8705 §2.1, §2.2.</summary>
    public const string
        TlsClientAuth = "tls_client_auth", SelfSignedTlsClientAuth = "self_signed_tls_client_auth";

    public const string
        AuthorizationCode = "authorization_code",
        RefreshToken = "refresh_token",
        ClientCredentials = "client_credentials",
        Backchannel = "urn:openid:params:grant-type:ciba",
        Deferred = "urn:ietf:params:oauth:grant-type:deferred",
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";

    /// <summary>Bytes of a registration; a document is smaller still.</summary>
    public const int MaxBytes = 16 * 1024;

    private const int MaxDepth = 8;

    public const string Code = "code";

    /// <summary>Kinds of application (OpenID Connect Registration §2).</summary>
    public const string Native = "native", Web = "web";

    public const int MaxLengthOfUrl = 2000;

    // A redirect URI that is too long is told so by its own check.
    private const int RedirectUriLimit = 2 * ClientAuth.RedirectUris.MaxLength;

    /// <summary>What is always served, strongest first; <see cref="ClientAuth.AuthMethods"/> has the rest.</summary>
    public static readonly string[] AuthMethods = [PrivateKeyJwt, Basic, Post, None];

    /// <summary>What is served beside, of clients for which an operator trusts an attester.</summary>
    public static readonly string[] AttestedMethods = [Attested, AttestedDpop];

    /// <summary>Of workloads, by their SVIDs (draft-ietf-oauth-spiffe-client-auth).</summary>
    public const string SpiffeJwt = "spiffe_jwt", SpiffeX509 = "spiffe_x509";

    public static bool IsByCertificate(string method) => method is TlsClientAuth or SelfSignedTlsClientAuth;

    /// <summary>By which requests are signed, and by which answers.</summary>
    public static readonly string[] RequestAlgorithms = ["ES256", "PS256"];

    public const string AnswerAlgorithm = "ES256";

    /// <summary>Ways to be answered. A fragment is for answers that scripts read, and none of these is.</summary>
    public static readonly string[] AnswerModes = ["query", "form_post", "jwt", "query.jwt", "form_post.jwt"];

    public required string? Name { get; init; }

    public required IReadOnlyList<string> RedirectUris { get; init; }

    public required IReadOnlyList<string> GrantTypes { get; init; }

    public required IReadOnlyList<string> ResponseTypes { get; init; }

    public required string AuthMethod { get; init; }

    public required string ApplicationType { get; init; }

    public required Scopes? Scope { get; init; }

    /// <summary>Whether it proves itself by a secret that we make.</summary>
    public bool NeedsSecret => AuthMethod is Basic or Post;

    public required string? Jwks { get; init; }

    public required string? JwksUri { get; init; }

    public bool HasKeys => (Jwks ?? JwksUri) is not null;

    public required OpenIdClient OpenId { get; init; }

    /// <summary><c>dpop_bound_access_tokens</c> (RFC 9449 §5.2).</summary>
    public required bool DpopBoundAccessTokens { get; init; }

    /// <summary>What it registered of its certificates.</summary>
    public required CertificateMembers Certificate { get; init; }

    public required bool RequiresPush { get; init; }

    public required bool RequiresSignedRequest { get; init; }

    public required string? RequestSigningAlg { get; init; }

    /// <summary>Of answers it may ask to be signed (JARM §3).</summary>
    public required string? AnswerSigningAlg { get; init; }

    /// <summary>The ways in which it may be answered (FAPI 2.0 Message Signing §5.3.3); empty for any.</summary>
    public required IReadOnlyList<string> ResponseModes { get; init; }

    /// <summary>Of the assertions by which it proves itself (OpenID Connect Registration §2).</summary>
    public required string? AssertionAlg { get; init; }

    /// <summary>Reads a registration request (RFC 7591 §3.1).</summary>
    public static Result<ClientMetadata> Register(
        ReadOnlyMemory<byte> json, string issuer, AuthMethods methods) => Read(json, null, issuer, methods);

    /// <summary>Reads a metadata document: it must name itself, and may hold no shared secret.</summary>
    public static Result<ClientMetadata> Document(
        ReadOnlyMemory<byte> json, string url, string issuer, AuthMethods methods) => Read(json, url, issuer, methods);

    private static Result<ClientMetadata> Read(
        ReadOnlyMemory<byte> json, string? url, string issuer, AuthMethods methods) =>
        StrictJson.Read(json, MaxDepth) switch
        {
            { ValueKind: JsonValueKind.Object } root => Read(new MetadataMembers(root), url, issuer, methods),
            { } => Invalid("Client metadata is a JSON object."),
            null => Invalid("Client metadata is valid JSON, without repeated members."),
        };

    private static Result<ClientMetadata> Read(
        MetadataMembers members, string? url, string issuer, AuthMethods methods)
    {
        if (url is null && RegisteredMembers.StatementRefusal(members) is { } statement)
        {
            return statement;
        }

        var metadata = Of(members, isDocument: url is not null, methods);
        if (url is not null)
        {
            ClientMetadataChecks.RefuseUnfit(members, metadata, url);
        }
        else
        {
            RegisteredMembers.RefuseUnserved(members);
        }

        if (members.Refusal is { } malformed)
        {
            return Invalid(malformed);
        }

        if (ClientMetadataChecks.AddressRefusal(metadata, issuer, isDocument: url is not null) is { } address)
        {
            return new OAuthError("invalid_redirect_uri", address);
        }

        return ClientMetadataChecks.Refusal(metadata) is { } refusal ? Invalid(refusal) : metadata;
    }

    private static ClientMetadata Of(MetadataMembers members, bool isDocument, AuthMethods methods)
    {
        var uris = members.List("redirect_uris", RedirectUriLimit) ?? [];
        var (method, certificate) = (
            AuthMethodOf(members, isDocument, methods), CertificateMembers.Read(members, methods));
        return new()
        {
            Name = members.Shown("client_name"),
            RedirectUris = uris,
            GrantTypes = RegisteredMembers.GrantTypes(members, isDocument),
            ResponseTypes = RegisteredMembers.ResponseTypes(members, isDocument),
            AuthMethod = method,
            ApplicationType = ApplicationTypeOf(members, uris),
            Scope = RegisteredMembers.Scope(members, isDocument),
            Jwks = members.KeySet("jwks"),
            JwksUri = members.Url("jwks_uri"),
            OpenId = OpenIdClient.Read(members, uris),
            DpopBoundAccessTokens = members.Flag("dpop_bound_access_tokens"),
            // A document may name a certificate for servers that it prefers another method at than here.
            Certificate = isDocument && method is not TlsClientAuth
                ? certificate with { Member = null, Name = null }
                : certificate,
            RequiresPush = members.Flag("require_pushed_authorization_requests"),
            RequiresSignedRequest = members.Flag("require_signed_request_object"),
            RequestSigningAlg = members.Text("request_object_signing_alg"),
            AnswerSigningAlg = members.Text("authorization_signed_response_alg"),
            ResponseModes = RegisteredMembers.ResponseModes(members, isDocument),
            AssertionAlg = members.OneOf("token_endpoint_auth_signing_alg", ClientAssertion.Algorithms),
        };
    }

    // Some documents name all methods they can use beside the one they prefer; the strongest that is served here is
    // taken.
    private static string AuthMethodOf(MetadataMembers members, bool isDocument, AuthMethods methods)
    {
        var offered = methods.All
            .Where(method => !isDocument || method is not (Basic or Post))
            .Concat(isDocument ? AttestedMethods : [])
            .ToArray();
        var preferred = members.Text("token_endpoint_auth_method") ?? (isDocument ? None : Basic);
        var usable = members.List("token_endpoint_auth_methods_supported") is { Count: > 0 } several
            ? several
            : [preferred];
        if (Array.Find(offered, usable.Contains) is { } method)
        {
            return method;
        }

        members.Refuse($"token_endpoint_auth_method is one of: {string.Join(", ", offered)}.");
        return None;
    }

    // OIDC would make a missing type "web", which may not use http; clients on loopback leave it out all the same.
    private static string ApplicationTypeOf(MetadataMembers members, IReadOnlyList<string> uris)
    {
        var type = members.Text("application_type");
        if (type is not (null or Native or Web))
        {
            members.Refuse($"application_type is {Web} or {Native}.");
        }

        return type ?? (uris.All(uri => uri.StartsWith("https://", StringComparison.Ordinal)) ? Web : Native);
    }

    private static OAuthError Invalid(string description) => new("invalid_client_metadata", description);
}
