using System.Diagnostics;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// RFC 6749 §2.3: proves who is calling, by the method the client is registered with and no other, before an endpoint
/// acts on anything else of the request. A client with a secret is never believed without it.
/// </summary>
internal sealed class ClientAuthenticator(
    ClientBook clients,
    ClientAssertion assertions,
    ClientCertificates certificates,
    Svids svids,
    Attestations attestations,
    Refusals refusals,
    TimeProvider clock)
{
    // 32 bytes of zeros: no secret is known to have this hash.
    private static readonly string NobodysHash = new('A', 43);

    public ValueTask<Result<Presenter>> AuthenticateAsync(HttpRequest http, Form form, CancellationToken stop) =>
        AuthenticateAsync(http, ClientCredentials.Read(http, form), stop);

    /// <summary>The same where there is no form: by a header, which no public client has.</summary>
    public ValueTask<Result<Presenter>> AuthenticateAsync(HttpRequest http, CancellationToken stop) =>
        AuthenticateAsync(http, ClientCredentials.OfHeader(http), stop);

    /// <summary>
    /// The client as it is now, while what it proved itself by in a header is still good: for an answer that lasts.
    /// Null when it is not. An assertion is good once; for it speaks that the keys are what they were.
    /// </summary>
    public async ValueTask<Client?> StillAsync(HttpRequest http, Presenter presenter, CancellationToken stop)
    {
        var found = await clients.FindKnownAsync(
            presenter.Tenant.Id, presenter.Client.Id.Value, presenter.Network, stop);
        if (found.Failed(out _, out var client) || ClientCredentials.OfHeader(http).Failed(out _, out var offered))
        {
            return null;
        }

        var isGood = offered is ClientCredentials.WithSecret { Secret: var secret, Method: var method }
            ? client.AuthMethods.Contains(method) && client.Knows(secret, clock.GetUtcNow())
            : client.AuthMethods.Contains(ClientMetadata.PrivateKeyJwt)
                && client.Jwks == presenter.Client.Jwks && client.JwksUri == presenter.Client.JwksUri;
        return isGood ? client : null;
    }

    private async ValueTask<Result<Presenter>> AuthenticateAsync(
        HttpRequest http, Result<ClientCredentials> offered, CancellationToken stop)
    {
        if (offered.Failed(out var error, out var credentials))
        {
            return error;
        }

        if (Named(credentials) is not { } id)
        {
            return Refused(credentials, "the assertion is of another client, or of none");
        }

        var tenant = http.HttpContext.Tenant;
        var network = SourceNetwork.Of(http.HttpContext);
        if ((await clients.FindKnownAsync(tenant.Id, id, network, stop)).Failed(out error, out var client))
        {
            // As much work for nobody's secret as for somebody's.
            _ = (credentials as ClientCredentials.WithSecret)?.Secret.Matches(NobodysHash);
            return error.Code is "invalid_client" ? Refused(credentials, error.Reason ?? "unknown client") : error;
        }

        var watched = refusals.Watch(http.HttpContext, tenant, client, network);
        if (await RefusalAsync(http.HttpContext, client, credentials, stop) is { } refusal)
        {
            return Refused(credentials, refusal);
        }

        var presenter = new Presenter(tenant, client, network);
        var attested = credentials is ClientCredentials.WithAttestation { Attestation: { } attestation }
            && IsAttested(client)
                ? await attestations.ProveAsync(http, presenter, attestation, stop)
                : await attestations.BesideAsync(http, presenter, stop);
        watched.IsProven = !attested.Failed(out _, out _);
        return attested;
    }

    // Who it says it is, before anything is proven; null where it says nothing, or two things.
    private static string? Named(ClientCredentials credentials)
    {
        var id = credentials switch
        {
            ClientCredentials.WithAssertion { Assertion: var text } => ClientAssertion.Claimed(text),
            ClientCredentials.WithAttestation { Attestation: var read } => read?.Client,
            // An SVID names a workload, which may be one of many that are the client that is named.
            ClientCredentials.WithSvid { Svid: var svid } => credentials.ClientId ?? Svids.Claimed(svid),
            _ => credentials.ClientId,
        };
        return credentials is ClientCredentials.WithAssertion or ClientCredentials.WithAttestation
            && credentials.ClientId is { } named && named != id
                ? null
                : id;
    }

    private static bool IsAttested(Client client) => client.AuthMethods.Any(ClientMetadata.AttestedMethods.Contains);

    private static OAuthError Refused(ClientCredentials credentials, string reason) =>
        credentials is ClientCredentials.WithAttestation ? Attesters.Invalid(reason) : OAuthError.InvalidClient(reason);

    private async ValueTask<string?> RefusalAsync(
        HttpContext http, Client client, ClientCredentials credentials, CancellationToken stop) =>
        credentials switch
        {
            // The rest of it is judged by what it says.
            ClientCredentials.WithAttestation when IsAttested(client) => null,
            ClientCredentials.Named or ClientCredentials.WithAttestation when client.IsPublic => null,
            ClientCredentials.Named or ClientCredentials.WithAttestation
                when client.AuthMethods.Contains(ClientMetadata.SpiffeX509) =>
                await svids.RefusalAsync(http, client, credentials.ClientId, stop),
            // RFC 8705 §2: the certificate is the proof, and client_id says whose.
            ClientCredentials.Named or ClientCredentials.WithAttestation =>
                client.AuthMethods.Any(ClientMetadata.IsByCertificate)
                ? await certificates.RefusalAsync(http, client, stop)
                : "no proof from a confidential client",
            ClientCredentials.WithSecret { Secret: var secret, Method: var method } =>
                client.AuthMethods.Contains(method) && client.Knows(secret, clock.GetUtcNow())
                    ? null
                    : "wrong secret or method",
            ClientCredentials.WithAssertion { Assertion: var assertion } =>
                client.AuthMethods.Contains(ClientMetadata.PrivateKeyJwt)
                    ? await assertions.RefusalAsync(http.Tenant, client, assertion, stop)
                    : "wrong method",
            ClientCredentials.WithSvid { Svid: var svid, ClientId: var named } =>
                client.AuthMethods.Contains(ClientMetadata.SpiffeJwt)
                    ? await svids.RefusalAsync(http.Tenant, client, named, svid, stop)
                    : "wrong method",
            _ => throw new UnreachableException(),
        };
}
