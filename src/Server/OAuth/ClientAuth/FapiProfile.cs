namespace Postern.OAuth.ClientAuth;

/// <summary>
/// The FAPI 2.0 Security Profile, for a client that an operator holds to it. What it asks of everybody here (PKCE with
/// S256, codes of a minute, <c>iss</c> in answers, an audience that is the issuer alone) stands where it is done.
/// </summary>
internal static class FapiProfile
{
    /// <summary>§5.4.1: what may sign; RS256 may not.</summary>
    public static readonly string[] Algorithms = ["ES256", "PS256"];

    // §5.3.2.1: a client proves itself by a key.
    private static readonly string[] Methods =
        [ClientMetadata.PrivateKeyJwt, ClientMetadata.TlsClientAuth, ClientMetadata.SelfSignedTlsClientAuth];

    /// <summary>The client with all that the profile demands of it.</summary>
    public static Client Hold(Client client) => client with
    {
        RequiresPush = true,
        // §5.3.2.1: to a key, or to its certificate.
        RequiresDpop = !client.Certificate.BindsTokens,
        // §5.4.1: whatever is signed for it.
        OpenId = client.OpenId with
        {
            IdTokenAlgorithm = "ES256",
            UserInfoAlgorithm = client.OpenId.UserInfoAlgorithm is null ? null : "ES256",
        },
        IntrospectionAlgorithm = "ES256",
    };

    /// <summary>What of its registration the profile forbids; null for nothing.</summary>
    public static string? Refusal(Client client)
    {
        if (!client.AuthMethods.All(Methods.Contains))
        {
            return $"`profile: fapi2` needs a `token_endpoint_auth_method` of {string.Join(", ", Methods)}.";
        }

        // It would have nothing left to prove itself by.
        if (client.AssertionAlg is { } alg && !Algorithms.Contains(alg))
        {
            return "`profile: fapi2` needs a `token_endpoint_auth_signing_alg` of "
                + $"{string.Join(", ", Algorithms)}, or none.";
        }

        // FAPI-CIBA §5.2.2: what it asks people stands signed in its own words.
        if (client.Backchannel is { Algorithm: null })
        {
            return "`profile: fapi2` needs `backchannel_authentication_request_signing_alg` to ask people (CIBA).";
        }

        // §5.3.2.2: on the person's own computer, nothing else is there.
        return client.RedirectUris.All(uri =>
                uri.StartsWith("https://", StringComparison.Ordinal) || RedirectUris.IsLoopback(uri))
            ? null
            : "`profile: fapi2` needs https in `redirect_uris`.";
    }
}
