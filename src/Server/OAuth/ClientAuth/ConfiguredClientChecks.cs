using Postern.Platform.Configuration;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// What in the registration of a client of the configuration contradicts itself, or can never work at this server.
/// </summary>
internal static class ConfiguredClientChecks
{
    private static readonly Func<Client, Settings, string?>[] Checks =
    [
        TrustDomainIsKnown,
        WorkloadIsNamed,
        MethodsAreServed,
        AttesterNamesIt,
        CertificatesCanBeShown,
        CertificateFitsItsMethod,
        SecretIsThere,
        SecretsAreInOnePlace,
        KeysAreThere,
        SignedRequestsCanBeRead,
        RequestAlgorithmIsServed,
        GrantTypesAreServed,
        UnprovenClientHasNoPower,
        BoundTokensAreExchanged,
        CodesHaveSomewhereToGo,
        ApprovalCanBeAwaited,
        DeferredNewsGoesByHttps,
        ProfileIsKept,
        BackchannelIsWhole,
        AddressesAreUsable,
    ];

    /// <summary>The first thing that is wrong, in words for an operator; null for nothing.</summary>
    public static string? Refusal(Client client, Settings settings) =>
        Checks.Select(check => check(client, settings)).FirstOrDefault(why => why is not null);

    private static string? TrustDomainIsKnown(Client client, Settings settings) =>
        client.SpiffeId is { } pattern && settings.Spiffe.All(seed => seed.TrustDomain != pattern.Id.TrustDomain)
            ? $"`spiffe` does not name the trust domain {pattern.Id.TrustDomain}."
            : null;

    private static string? WorkloadIsNamed(Client client, Settings settings) =>
        client is { SpiffeId: null, AuthMethods: [ClientMetadata.SpiffeJwt or ClientMetadata.SpiffeX509, ..] }
            ? "`spiffe_id` is missing."
            : null;

    private static string? MethodsAreServed(Client client, Settings settings)
    {
        var served = AuthMethods.Of(settings);
        string[] all = [.. served, .. AuthMethods.ForWorkloads(settings), .. ClientMetadata.AttestedMethods];
        return client.AuthMethods.All(all.Contains)
            ? null
            : $"`token_endpoint_auth_method` is one of {string.Join(", ", served)}; those by "
                + "certificate need `tls.client_certificates` or `mtls.proxies`, and `mtls.authorities`.";
    }

    private static string? AttesterNamesIt(Client client, Settings settings) =>
        client.AuthMethods.Any(ClientMetadata.AttestedMethods.Contains)
        && !settings.TrustedAttesters.Any(one => one.Clients.Contains(client.Id.Value))
            ? "none of `trusted_attesters` names it."
            : null;

    private static string? CertificatesCanBeShown(Client client, Settings settings) =>
        client.Certificate.BindsTokens && !settings.TakesCertificates
            ? "nobody can show a certificate without `tls.client_certificates` or `mtls.proxies`."
            : null;

    private static string? CertificateFitsItsMethod(Client client, Settings settings) =>
        client.AuthMethods is [var method, ..]
            ? client.Certificate.Refusal(method, client.RequiresDpop, HasKeys(client))
            : null;

    private static string? SecretIsThere(Client client, Settings settings) =>
        client is { HasSecret: false, AuthMethods: var methods }
        && methods.Any(method => method is ClientMetadata.Basic or ClientMetadata.Post)
            ? "`client_secret` is missing."
            : null;

    private static string? SecretsAreInOnePlace(Client client, Settings settings) =>
        client is { SecretHash: not null, PassingSecrets.Count: > 0 }
            ? "either `client_secret`, or all of them in `client_secrets`."
            : null;

    private static string? KeysAreThere(Client client, Settings settings) =>
        client.AuthMethods is [ClientMetadata.PrivateKeyJwt] && !HasKeys(client)
            ? "`jwks` or `jwks_uri` is missing."
            : null;

    private static string? SignedRequestsCanBeRead(Client client, Settings settings) =>
        client.RequiresSignedRequest && !HasKeys(client)
            ? "`require_signed_request_object` needs `jwks` or `jwks_uri`."
            : null;

    private static string? RequestAlgorithmIsServed(Client client, Settings settings) =>
        client.RequestSigningAlg is { } alg && !ClientMetadata.RequestAlgorithms.Contains(alg)
            ? $"`request_object_signing_alg` is one of {string.Join(", ", ClientMetadata.RequestAlgorithms)}."
            : null;

    private static string? GrantTypesAreServed(Client client, Settings settings) =>
        client.GrantTypes.FirstOrDefault(type => !IsGrantType(type)) is { } unknown
            ? $"`{unknown}` is no grant type."
            : null;

    private static string? UnprovenClientHasNoPower(Client client, Settings settings) => client switch
    {
        { IsPublic: false } => null,
        _ when Uses(client, ClientMetadata.ClientCredentials) =>
            "a client that cannot prove itself cannot use client_credentials.",
        _ when Uses(client, ClientMetadata.TokenExchange) =>
            "a client that cannot prove itself cannot exchange tokens.",
        { MayRevokePeople: true } =>
            "a client that cannot prove itself cannot end anything (`global_revocation`).",
        _ when Uses(client, ClientMetadata.JwtBearer) =>
            "a client that cannot prove itself cannot present assertions.",
        _ => null,
    };

    private static string? BoundTokensAreExchanged(Client client, Settings settings) =>
        client.ExchangesBoundTokens && !Uses(client, ClientMetadata.TokenExchange)
            ? $"`exchanges_bound_tokens` is for {ClientMetadata.TokenExchange}."
            : null;

    private static string? CodesHaveSomewhereToGo(Client client, Settings settings) =>
        client.RedirectUris.Count is 0 && Uses(client, ClientMetadata.AuthorizationCode)
            ? "`redirect_uris` is missing."
            : null;

    private static string? ApprovalCanBeAwaited(Client client, Settings settings) =>
        client.Approval is not null
        && !(Uses(client, ClientMetadata.ClientCredentials) && Uses(client, ClientMetadata.Deferred))
            ? $"`approval` is for client_credentials with {ClientMetadata.Deferred}."
            : null;

    private static string? DeferredNewsGoesByHttps(Client client, Settings settings) =>
        client.DeferredEndpoint is { } address && !BackchannelMembers.IsHttps(address)
            ? "`deferred_client_notification_endpoint` is an https URL."
            : null;

    private static string? ProfileIsKept(Client client, Settings settings) =>
        client.IsFapi2 ? FapiProfile.Refusal(client) : null;

    private static string? BackchannelIsWhole(Client client, Settings settings) =>
        client.Backchannel?.Refusal(client);

    private static string? AddressesAreUsable(Client client, Settings settings) =>
        client.RedirectUris.Concat(client.OpenId.PostLogoutRedirectUris)
            .Select(uri => RedirectUris.Refusal(uri, settings.Issuer, allowsPrivateSchemes: true))
            .FirstOrDefault(why => why is not null);

    private static bool HasKeys(Client client) => (client.Jwks ?? client.JwksUri) is not null;

    private static bool Uses(Client client, string grantType) => client.GrantTypes.Contains(grantType);

    private static bool IsGrantType(string type) => type is
        ClientMetadata.AuthorizationCode
        or ClientMetadata.RefreshToken
        or ClientMetadata.ClientCredentials
        or ClientMetadata.Backchannel
        or ClientMetadata.Deferred
        or ClientMetadata.DeviceCode
        or ClientMetadata.JwtBearer
        or ClientMetadata.TokenExchange;
}
