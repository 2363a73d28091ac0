using Microsoft.Extensions.Primitives;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Authorize;

/// <summary>
/// Reads a request as a browser brings it: which client asks, what it asks where that was pushed or signed, and where
/// the answer may go.
/// </summary>
internal sealed class Arrivals(ClientBook clients, PushedRequests pushed, RequestObjects objects)
{
    public async ValueTask<Arrival> ReadAsync(
        HttpContext http, IEnumerable<KeyValuePair<string, StringValues>> parameters)
    {
        if (AuthorizeRequest.Parse(parameters).Failed(out var error, out var sent))
        {
            return new Arrival.Shown(error);
        }

        if (sent.ClientId is not { } id)
        {
            return new Arrival.Shown(OAuthError.InvalidRequest("The request does not say which app is asking."));
        }

        var (tenant, network, stop) = (http.Tenant, SourceNetwork.Of(http), http.RequestAborted);
        if ((await clients.FindAsync(tenant.Id, id, network, stop)).Failed(out error, out var client))
        {
            return new Arrival.Shown(error);
        }

        if ((await UnfoldAsync(tenant, client, sent, stop)).Failed(out error, out var request))
        {
            // What is beside an object that cannot be believed says at most whom to tell.
            return sent.RequestObject is not null
                && !ReturnAddress.Prove(sent, client, tenant.Issuer).Failed(out _, out var outer)
                    ? new Arrival.Refused(outer, error)
                    : new Arrival.Shown(error);
        }

        return ReturnAddress.Prove(request, client, tenant.Issuer).Failed(out error, out var back)
            ? new Arrival.Shown(error)
            : new Arrival.Known(request, back);
    }

    // Another reference than ours is refused when it is known whom to tell.
    private async ValueTask<Result<AuthorizeRequest>> UnfoldAsync(
        Tenant tenant, Client client, AuthorizeRequest sent, CancellationToken stop) => sent switch
        {
            { RequestUri: { } uri } when uri.StartsWith(PushedRequests.Prefix, StringComparison.Ordinal) =>
                await pushed.OpenAsync(tenant, client, sent, stop),
            // RFC 9101 §5: one or the other.
            { RequestObject: { } text, RequestUri: null } => await objects.ReadAsync(tenant, client, text, stop),
            _ => sent,
        };
}
