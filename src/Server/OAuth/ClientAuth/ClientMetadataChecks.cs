namespace Postern.OAuth.ClientAuth;

/// <summary>What of a client's metadata contradicts itself, or is not for clients that nobody vouches for.</summary>
internal static class ClientMetadataChecks
{
    /// <summary>
    /// Metadata Document draft §4.1: the document names its own URL, and no secret can be shared through a public file.
    /// </summary>
    public static void RefuseUnfit(MetadataMembers members, ClientMetadata metadata, string url)
    {
        if (members.Text("client_id", ClientMetadata.MaxLengthOfUrl) != url)
        {
            members.Refuse("The document's client_id is not the URL it was fetched from.");
        }

        if (members.Has("client_secret") || members.Has("client_secret_expires_at"))
        {
            members.Refuse("A public document cannot hold a client_secret.");
        }

        if (metadata.OpenId.SectorIdentifierUri is not null)
        {
            members.Refuse("sector_identifier_uri is for clients that register; a document's host is its sector.");
        }

        if (metadata.Name is not { Length: > 0 })
        {
            members.Refuse("The document has no client_name.");
        }
    }

    /// <summary>Why its addresses are not taken; null when they are.</summary>
    public static string? AddressRefusal(ClientMetadata metadata, string issuer, bool isDocument)
    {
        if (metadata.RedirectUris.Count is 0 && Uses(metadata, ClientMetadata.AuthorizationCode))
        {
            return $"redirect_uris holds 1 to {RedirectUris.MaxCount} addresses.";
        }

        // Private schemes prove nothing of a document's host, so they are for registrations alone.
        var allowsPrivate = metadata.ApplicationType is ClientMetadata.Native && !isDocument;
        return metadata.RedirectUris.Concat(metadata.OpenId.PostLogoutRedirectUris)
            .Select(uri => RedirectUris.Refusal(uri, issuer, allowsPrivate))
            .FirstOrDefault(refusal => refusal is not null);
    }

    /// <summary>Why the rest is not taken; null when it is.</summary>
    public static string? Refusal(ClientMetadata metadata) => metadata switch
    {
        _ when !Uses(metadata, ClientMetadata.AuthorizationCode) && !Uses(metadata, ClientMetadata.DeviceCode) =>
            $"A client that registers itself uses grant_types authorization_code or {ClientMetadata.DeviceCode}.",
        _ when Uses(metadata, ClientMetadata.AuthorizationCode)
            && !metadata.ResponseTypes.Contains(ClientMetadata.Code) =>
            "A client that registers itself uses response_types code with authorization_code.",
        { Jwks: not null, JwksUri: not null } => "Either jwks or jwks_uri, not both.",
        { AuthMethod: ClientMetadata.PrivateKeyJwt, HasKeys: false } => "private_key_jwt needs jwks or jwks_uri.",
        { Certificate: var own } when own.Refusal(
            metadata.AuthMethod, metadata.DpopBoundAccessTokens, metadata.HasKeys) is { } certificate => certificate,
        { RequiresSignedRequest: true, HasKeys: false } => "require_signed_request_object needs jwks or jwks_uri.",
        { RequestSigningAlg: { } alg } when !ClientMetadata.RequestAlgorithms.Contains(alg) =>
            $"request_object_signing_alg is one of: {string.Join(", ", ClientMetadata.RequestAlgorithms)}.",
        { AnswerSigningAlg: not (null or ClientMetadata.AnswerAlgorithm) } =>
            $"authorization_signed_response_alg is {ClientMetadata.AnswerAlgorithm}.",
        _ => null,
    };

    private static bool Uses(ClientMetadata metadata, string grantType) => metadata.GrantTypes.Contains(grantType);
}
