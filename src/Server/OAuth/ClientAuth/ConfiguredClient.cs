using Postern.Platform;
using Postern.Platform.Configuration;

namespace Postern.OAuth.ClientAuth;

/// <summary>Reads the clients of the configuration; what contradicts itself stops the start.</summary>
internal static class ConfiguredClient
{
    public static Client Read(ClientSeed seed, Settings settings)
    {
        var client = new Client
        {
            Id = new(seed.ClientId),
            Source = ClientSource.Configured,
            Name = seed.ClientName ?? seed.ClientId,
            AuthMethods = Methods(seed, settings),
            SpiffeId = WorkloadOf(seed),
            SecretHash = seed.ClientSecret?.Hash(),
            PassingSecrets =
                [.. seed.ClientSecrets.Select(one => new PassingSecret(one.Secret.Hash(), one.Until))],
            Jwks = seed.Jwks,
            JwksUri = seed.JwksUri,
            RedirectUris = seed.RedirectUris,
            GrantTypes = GrantTypes(seed),
            ScopeCap = Cap(seed),
            OpenId = OpenId(seed),
            RequiresPush = seed.RequiresPush,
            RequiresSignedRequest = seed.RequiresSignedRequest,
            RequestSigningAlg = seed.RequestSigningAlg,
            ResponseModes = seed.ResponseModes,
            AssertionAlg = seed.AssertionAlg,
            Resources = [.. seed.Resources.Select(resource => Canonical(seed, resource, settings))],
            ActorProfile = seed.Actor,
            MayAct = seed.MayAct is { } actor ? new(actor) : null,
            ExchangesBoundTokens = seed.ExchangesBoundTokens,
            Approval = seed.Approval,
            DeferredEndpoint = seed.DeferredEndpoint,
            Backchannel = seed.GrantTypes.Contains(ClientMetadata.Backchannel)
                ? new(seed.DeliveryMode is "ping", seed.NotificationEndpoint, seed.BackchannelAlgorithm)
                : null,
            RequiresDpop = seed.DpopBoundAccessTokens,
            IsFapi2 = seed.Profile.IsFapi2,
            RefreshIdle = seed.Profile.RefreshIdle,
            RefreshAbsolute = seed.Profile.RefreshAbsolute,
            Certificate = CertificateMembers.Of(
                seed.Certificate.Names,
                seed.Certificate.BindsTokens,
                why => throw new SetupException($"{seed.Place}client `{seed.ClientId}`: {why}")),
            Introspects = [.. seed.Introspects.Select(resource => Canonical(seed, resource, settings).Value)],
            IntrospectionAlgorithm = seed.IntrospectionAlgorithm,
            MayRevokePeople = seed.MayRevokePeople,
        };
        client = client.IsFapi2 ? FapiProfile.Hold(client) : client;
        return ConfiguredClientChecks.Refusal(client, settings) is { } refusal
            ? throw new SetupException($"{seed.Place}client `{seed.ClientId}`: {refusal}")
            : client;
    }

    // RFC 9701 §3: what only asks about tokens, or only ends them, comes to none by what it proves itself with.
    private static IReadOnlyList<string> GrantTypes(ClientSeed seed) => seed switch
    {
        { GrantTypes.Count: > 0 } => seed.GrantTypes,
        { RedirectUris.Count: 0 } and ({ Introspects.Count: > 0 } or { MayRevokePeople: true }) => [],
        _ => [ClientMetadata.AuthorizationCode, ClientMetadata.RefreshToken],
    };

    // A secret without a named method may come in the header or in the body; libraries differ in what they try first.
    private static IReadOnlyList<string> Methods(ClientSeed seed, Settings settings) => seed switch
    {
        { AuthMethod: { } method } => [method],
        { ClientSecret: not null } or { ClientSecrets.Count: > 0 } => [ClientMetadata.Basic, ClientMetadata.Post],
        { Jwks: not null } or { JwksUri: not null } => [ClientMetadata.PrivateKeyJwt],
        { SpiffeId: not null } => [ClientMetadata.SpiffeJwt, .. AuthMethods.ForWorkloads(settings).Skip(1)],
        { ClientId: var id } when id.StartsWith(SpiffeId.Scheme, StringComparison.Ordinal) =>
            [ClientMetadata.SpiffeJwt, .. AuthMethods.ForWorkloads(settings).Skip(1)],
        _ => [ClientMetadata.None],
    };

    // A client that is called by a SPIFFE ID is that workload.
    private static SpiffePattern? WorkloadOf(ClientSeed seed)
    {
        var isNamedSo = seed.ClientId.StartsWith(SpiffeId.Scheme, StringComparison.Ordinal);
        var text = seed.SpiffeId ?? (isNamedSo ? seed.ClientId : null);
        return text is null
            ? null
            : SpiffePattern.Parse(text) is { } pattern && !(isNamedSo && (pattern.IsPrefix || text != seed.ClientId))
                ? pattern
                : throw new SetupException(
                    $"{seed.Place}client `{seed.ClientId}`: `{text}` is not spiffe://DOMAIN/PATH, or PATH/*, "
                    + "or not the client_id.");
    }

    private static OpenIdClient OpenId(ClientSeed seed) => new()
    {
        IdTokenAlgorithm = seed.OpenId.IdTokenAlgorithm ?? OpenIdClient.None.IdTokenAlgorithm,
        UserInfoAlgorithm = seed.OpenId.UserInfoAlgorithm,
        Sector = seed.OpenId.IsPairwise
            ? OpenIdClient.SectorOf(
                seed.OpenId.SectorIdentifierUri,
                seed.RedirectUris,
                why => throw new SetupException($"{seed.Place}client `{seed.ClientId}`: {why}"))
            : null,
        SectorIdentifierUri = seed.OpenId.SectorIdentifierUri,
        PostLogoutRedirectUris = seed.OpenId.PostLogoutRedirectUris,
        BackchannelLogoutUri = seed.OpenId.BackchannelLogoutUri,
        NeedsSid = seed.OpenId.NeedsSid,
        DefaultMaxAge = seed.OpenId.DefaultMaxAge,
        DefaultAcrValues = seed.OpenId.DefaultAcrValues,
    };

    private static Scopes? Cap(ClientSeed seed)
    {
        if (seed.Scope is null)
        {
            return null;
        }

        return Scopes.TryParse(seed.Scope, out var scopes)
            ? scopes
            : throw new SetupException($"{seed.Place}client `{seed.ClientId}`: `scope` is not a list of scopes.");
    }

    private static Resource Canonical(ClientSeed seed, string resource, Settings settings)
    {
        var text = ServerSeed.IsName(resource) ? settings.Address($"/mcp/{resource}") : resource;
        return Resource.TryParse(text, out var parsed)
            ? parsed
            : throw new SetupException(
                $"{seed.Place}client `{seed.ClientId}`: `{resource}` is neither a server's name nor a URL.");
    }
}
