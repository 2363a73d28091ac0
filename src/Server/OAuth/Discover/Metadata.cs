using System.Text.Json.Serialization;

namespace Postern.OAuth.Discover;

/// <summary>The metadata document (RFC 8414 §2, and what was registered for it since).</summary>
internal sealed record Metadata
{
    public required string Issuer { get; init; }

    public required string AuthorizationEndpoint { get; init; }

    public required string TokenEndpoint { get; init; }

    public required string JwksUri { get; init; }

    public required string? RegistrationEndpoint { get; init; }

    public required string? DeviceAuthorizationEndpoint { get; init; }

    public required string BackchannelAuthenticationEndpoint { get; init; }

    public required IReadOnlyList<string> BackchannelTokenDeliveryModesSupported { get; init; }

    public required IReadOnlyList<string> BackchannelAuthenticationRequestSigningAlgValuesSupported { get; init; }

    public required bool BackchannelUserCodeParameterSupported { get; init; }

    public required bool DeferredTokenResponseSupported { get; init; }

    public required string RevocationEndpoint { get; init; }

    public required string IntrospectionEndpoint { get; init; }

    public required string? ChallengeEndpoint { get; init; }

    public required IReadOnlyList<string>? ClientAttestationSigningAlgValuesSupported { get; init; }

    public required IReadOnlyList<string>? ClientAttestationPopSigningAlgValuesSupported { get; init; }

    /// <summary>Of our own: where resource servers follow what ends.</summary>
    public required string RevocationFeedEndpoint { get; init; }

    public required IReadOnlyList<string> IntrospectionSigningAlgValuesSupported { get; init; }

    public required string GlobalTokenRevocationEndpoint { get; init; }

    public required IReadOnlyList<string> GlobalTokenRevocationEndpointAuthMethodsSupported { get; init; }

    public required string PushedAuthorizationRequestEndpoint { get; init; }

    public required bool RequirePushedAuthorizationRequests { get; init; }

    public required IReadOnlyList<string> ResponseTypesSupported { get; init; }

    public required IReadOnlyList<string> ResponseModesSupported { get; init; }

    public required IReadOnlyList<string> AuthorizationDetailsTypesSupported { get; init; }

    public required IReadOnlyList<string> AuthorizationSigningAlgValuesSupported { get; init; }

    public required bool RequestParameterSupported { get; init; }

    public required bool RequestUriParameterSupported { get; init; }

    public required IReadOnlyList<string> RequestObjectSigningAlgValuesSupported { get; init; }

    public required IReadOnlyList<string> GrantTypesSupported { get; init; }

    public required IReadOnlyList<string> CodeChallengeMethodsSupported { get; init; }

    public required IReadOnlyList<string> RefreshTokenExpirationTypesSupported { get; init; }

    public required IReadOnlyList<string> DpopSigningAlgValuesSupported { get; init; }

    /// <summary>RFC 8705 §3.3.</summary>
    public required bool? TlsClientCertificateBoundAccessTokens { get; init; }

    /// <summary>RFC 8705 §5.</summary>
    public required MtlsAliases? MtlsEndpointAliases { get; init; }

    public required bool AuthorizationResponseIssParameterSupported { get; init; }

    public required bool ClientIdMetadataDocumentSupported { get; init; }

    public required IReadOnlyList<string> TokenEndpointAuthMethodsSupported { get; init; }

    public required IReadOnlyList<string> TokenEndpointAuthSigningAlgValuesSupported { get; init; }

    public required IReadOnlyList<string> RevocationEndpointAuthMethodsSupported { get; init; }

    public required IReadOnlyList<string> RevocationEndpointAuthSigningAlgValuesSupported { get; init; }

    public required IReadOnlyList<string> IntrospectionEndpointAuthMethodsSupported { get; init; }

    public required IReadOnlyList<string> IntrospectionEndpointAuthSigningAlgValuesSupported { get; init; }

    public required IReadOnlyList<string> ScopesSupported { get; init; }

    public required IReadOnlyList<string>? ProtectedResources { get; init; }

    public required IReadOnlyList<string>? AuthorizationGrantProfilesSupported { get; init; }

    public required IReadOnlyList<string>? IdentityChainingRequestedTokenTypesSupported { get; init; }

    public required IReadOnlyList<string> PromptValuesSupported { get; init; }

    public required string UserinfoEndpoint { get; init; }

    public required string EndSessionEndpoint { get; init; }

    public required bool BackchannelLogoutSupported { get; init; }

    public required bool BackchannelLogoutSessionSupported { get; init; }

    public required IReadOnlyList<string> SubjectTypesSupported { get; init; }

    public required IReadOnlyList<string> IdTokenSigningAlgValuesSupported { get; init; }

    public required IReadOnlyList<string> UserinfoSigningAlgValuesSupported { get; init; }

    public required IReadOnlyList<string> AcrValuesSupported { get; init; }

    public required IReadOnlyList<string> ClaimsSupported { get; init; }

    public required IReadOnlyList<string> ClaimTypesSupported { get; init; }

    public required bool ClaimsParameterSupported { get; init; }
}

[JsonSerializable(typeof(Metadata))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class MetadataJson : JsonSerializerContext;
