using Postern.OAuth.ClientAuth;
using Postern.Servers;

namespace Postern.OAuth.Token;

/// <summary>Where tokens must be bound to a key: by what the client registered, or what the server demands.</summary>
internal sealed class SenderConstraint(ServerBook servers)
{
    /// <summary>RFC 9449 §5.2: why a request without a proof gets no token; null when it may.</summary>
    public OAuthError? Refusal(Grant grant, Presenter presenter)
    {
        if (presenter.Holder is not null)
        {
            return null;
        }

        if (presenter.Client.RequiresDpop)
        {
            return Missing("The tokens of this client are bound to a key: send a DPoP proof.");
        }

        return servers.ByResource(grant.Tenant, grant.Resource) is { RequiresDpop: true }
            ? Missing("The tokens for this resource are bound to a key: send a DPoP proof.")
            : null;
    }

    private static OAuthError Missing(string description) => new("invalid_dpop_proof", description);
}
