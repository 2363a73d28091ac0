using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Requests;

/// <summary>
/// A client and an address that is proven to be its own. Until one exists errors are shown to the person; only to one
/// may anything be redirected (RFC 9700 §4.11).
/// </summary>
internal sealed record ReturnAddress
{
    private ReturnAddress(Client client, string uri, AuthorizeRequest request) =>
        (Client, Uri, Way) = (client, uri, new(client.Id, uri, request.State, request.ResponseMode));

    public Client Client { get; }

    public string Uri { get; }

    public ReturnWay Way { get; }

    public static Result<ReturnAddress> Prove(AuthorizeRequest request, Client client, string issuer)
    {
        if (request.RedirectUri is { } asked)
        {
            // The port of a loopback address is the client's to choose, and ours is not for it.
            return client.RedirectUris.Any(registered => RedirectUris.Match(registered, asked))
                && !RedirectUris.IsOurs(asked, issuer)
                ? new ReturnAddress(client, asked, request)
                : OAuthError.InvalidRequest("The address to return to is not registered for this app.");
        }

        // RFC 6749 §3.1.2.3: with one registered there is nothing to choose.
        return client.RedirectUris is [var only]
            ? new ReturnAddress(client, only, request)
            : OAuthError.InvalidRequest("The request does not say where to return to.");
    }
}
