using Postern.AspNetCore.Proofs;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Keys;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.OAuth.Discover;

/// <summary>
/// What this authorization server can do: RFC 8414 and, for clients that look there, the OpenID place with the same
/// content.
/// </summary>
internal sealed class MetadataEndpoint(
    Settings settings, TrustedIssuers issuers, AuthMethods methods, Attesters attesters, ServerBook servers,
    SecondAddress second)
{
    private static readonly string[] OwnClaims =
        ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr", "sid"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        Array.ForEach(
            ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"],
            path => routes.MapGet(path, (HttpContext http, MetadataEndpoint metadata) => metadata.Write(http))
                .Open()
                .AnyOrigin()
                .AtBoth());
        routes.MapGet("/jwks", (HttpContext http, SigningKeys keys) => Keys(http, keys)).Open().AnyOrigin();
    }

    private IResult Write(HttpContext http)
    {
        http.Response.Headers.CacheControl = "public, max-age=300";
        Origins.LetAny(http);
        return Results.Json(Document(http.Tenant), MetadataJson.Default.Metadata);
    }

    // Public halves only: a signing key has no writer for anything else.
    private static IResult Keys(HttpContext http, SigningKeys keys)
    {
        http.Response.Headers.CacheControl = "public, max-age=300";
        Origins.LetAny(http);
        return Results.Text(keys.Json(http.Tenant.Id), "application/jwk-set+json");
    }

    private Metadata Document(Tenant tenant) => new()
    {
        Issuer = tenant.Issuer,
        AuthorizationEndpoint = tenant.Address("/authorize"),
        TokenEndpoint = tenant.Address("/token"),
        JwksUri = tenant.Address("/jwks"),
        RegistrationEndpoint = settings.DynamicRegistration ? tenant.Address("/register") : null,
        DeviceAuthorizationEndpoint = settings.DeviceFlow ? tenant.Address("/device_authorization") : null,
        BackchannelAuthenticationEndpoint = tenant.Address("/bc-authorize"),
        BackchannelTokenDeliveryModesSupported = ["poll", "ping"],
        BackchannelAuthenticationRequestSigningAlgValuesSupported = BackchannelMembers.Algorithms,
        BackchannelUserCodeParameterSupported = false,
        DeferredTokenResponseSupported = true,
        RevocationEndpoint = tenant.Address("/revoke"),
        IntrospectionEndpoint = tenant.Address("/introspect"),
        RevocationFeedEndpoint = tenant.Address("/revocations"),
        IntrospectionSigningAlgValuesSupported = OpenIdClient.Algorithms,
        GlobalTokenRevocationEndpoint = tenant.Address("/revoke/person"),
        GlobalTokenRevocationEndpointAuthMethodsSupported = ClientCredentials.HeaderMethods,
        UserinfoEndpoint = tenant.UserInfo,
        EndSessionEndpoint = tenant.Address("/logout"),
        BackchannelLogoutSupported = true,
        BackchannelLogoutSessionSupported = true,
        ChallengeEndpoint = attesters.Any(tenant.Id) ? tenant.Address("/challenge") : null,
        ClientAttestationSigningAlgValuesSupported = attesters.Any(tenant.Id) ? Attesters.Algorithms : null,
        ClientAttestationPopSigningAlgValuesSupported = attesters.Any(tenant.Id) ? Attesters.Algorithms : null,
        PushedAuthorizationRequestEndpoint = tenant.Address("/par"),
        RequirePushedAuthorizationRequests = settings.RequiresPush,
        ResponseTypesSupported = ["code"],
        // Those that are kept somewhere here; nobody is granted any other.
        AuthorizationDetailsTypesSupported =
        [
            .. servers.All(tenant.Id).SelectMany(server => server.Declares.Types).Append(Detail.McpTool)
                .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ],
        ResponseModesSupported = ClientMetadata.AnswerModes,
        AuthorizationSigningAlgValuesSupported = [ClientMetadata.AnswerAlgorithm],
        RequestParameterSupported = true,
        RequestUriParameterSupported = false,
        RequestObjectSigningAlgValuesSupported = ClientMetadata.RequestAlgorithms,
        GrantTypesSupported =
        [
            ClientMetadata.AuthorizationCode,
            ClientMetadata.RefreshToken,
            ClientMetadata.ClientCredentials,
            ClientMetadata.TokenExchange,
            .. issuers.Has(tenant.Id) ? (string[])[ClientMetadata.JwtBearer] : [],
            ClientMetadata.Backchannel,
            ClientMetadata.Deferred,
            .. settings.DeviceFlow ? (string[])[ClientMetadata.DeviceCode] : [],
        ],
        CodeChallengeMethodsSupported = ["S256"],
        RefreshTokenExpirationTypesSupported = ["authorization", "token_timeout"],
        DpopSigningAlgValuesSupported = ProofValidator.Algorithms,
        TlsClientCertificateBoundAccessTokens = settings.TakesCertificates ? true : null,
        MtlsEndpointAliases = second.Of(tenant) is { } address ? MtlsAliases.At(address, settings.DeviceFlow) : null,
        AuthorizationResponseIssParameterSupported = true,
        ClientIdMetadataDocumentSupported = settings.MetadataDocuments,
        TokenEndpointAuthMethodsSupported = methods.At(tenant.Id),
        TokenEndpointAuthSigningAlgValuesSupported = ClientAssertion.Algorithms,
        RevocationEndpointAuthMethodsSupported = methods.At(tenant.Id),
        RevocationEndpointAuthSigningAlgValuesSupported = ClientAssertion.Algorithms,
        IntrospectionEndpointAuthMethodsSupported =
            [.. methods.At(tenant.Id).Where(method => method is not ClientMetadata.None)],
        IntrospectionEndpointAuthSigningAlgValuesSupported = ClientAssertion.Algorithms,
        ScopesSupported = Scopes.Served.Tokens,
        // RFC 8414 §3.2: a list of nothing is left out.
        ProtectedResources = servers.All(tenant.Id).Select(server => server.Resource.Value).ToArray() is [_, ..] some
            ? some
            : null,
        AuthorizationGrantProfilesSupported = issuers.Has(tenant.Id, IssuerKind.IdentityProvider)
            ? ["urn:ietf:params:oauth:grant-profile:id-jag"]
            : null,
        IdentityChainingRequestedTokenTypesSupported = issuers.Audiences(tenant.Id).Count > 0
            ? ["urn:ietf:params:oauth:token-type:id-jag"]
            : null,
        PromptValuesSupported = ["none", "login", "consent", "select_account"],
        SubjectTypesSupported = [Subjects.Public, Subjects.Pairwise],
        IdTokenSigningAlgValuesSupported = OpenIdClient.Algorithms,
        UserinfoSigningAlgValuesSupported = OpenIdClient.Algorithms,
        AcrValuesSupported = Acr.All,
        ClaimsSupported = [.. OwnClaims, .. ClaimsWanted.Scope.Keys],
        ClaimTypesSupported = ["normal"],
        ClaimsParameterSupported = true,
    };
}
