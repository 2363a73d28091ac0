using Postern.OAuth.ClientAuth;
using Postern.Servers;

namespace Postern.OAuth.Token;

/// <summary>What tokens must be bound to: by what the client registered, or what the server demands.</summary>
internal sealed class SenderConstraint(ServerBook servers)
{
    /// <summary>
    /// Why a request gets no token without a proof (RFC 9449 §5.2) or a certificate (RFC 8705 §3.4); null when it may.
    /// </summary>
    public OAuthError? Refusal(Grant grant, Presenter presenter) =>
        Refusal(presenter, servers.ByResource(grant.Tenant, grant.Resource));

    /// <summary>The same for what is good at no server here: what the client registered, and no more.</summary>
    public static OAuthError? Refusal(Presenter presenter) => Refusal(presenter, null);

    private static OAuthError? Refusal(Presenter presenter, McpServer? server)
    {
        var client = presenter.Client;
        return presenter.Holder switch
        {
            not { IsKey: true } when client.RequiresDpop =>
                NoProof("The tokens of this client are bound to a key: send a DPoP proof."),
            not { IsKey: true } when server is { RequiresDpop: true } =>
                NoProof("The tokens for this resource are bound to a key: send a DPoP proof."),
            null when client.Certificate.BindsTokens => OAuthError.InvalidRequest(
                "The tokens of this client are bound to its certificate: show it on the connection."),
            not { IsKey: false } when server is { RequiresCertificate: true } => OAuthError.InvalidRequest(
                "The tokens for this resource are bound to a certificate, and the client is not registered for such."),
            _ => null,
        };
    }

    private static OAuthError NoProof(string description) => new("invalid_dpop_proof", description);
}
