using Postern.AspNetCore.AccessTokens;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>
/// Who acts, of those who exchange a token. Only what is proven counts: an actor token, or the client's own
/// authentication where an operator says that the client is the actor. Nothing in a parameter makes an actor.
/// </summary>
internal sealed class Actors(OwnTokens tokens, AgentBook agents)
{
    public async ValueTask<Result<ActingParty>> FindAsync(
        TokenRequest request, Presenter presenter, AccessToken subject, CancellationToken stop)
    {
        if (request.ActorToken is null && request.ActorTokenType is not null)
        {
            return OAuthError.InvalidRequest("actor_token_type comes with actor_token.");
        }

        if (request.ActorToken is null && Of(presenter) is { Profile: null })
        {
            return OAuthError.InvalidRequest("actor_token is needed: who acts for the subject must be known.");
        }

        if (request.ActorToken is { } text && await RefusalAsync(text, request, presenter, stop) is { } refusal)
        {
            return refusal;
        }

        // RFC 8693 §4.4: whoever is named may act, and nobody else.
        return subject.MayAct is { } named && !IsNamed(named, presenter)
            ? OAuthError.InvalidRequest("The subject_token names another actor.")
            : Of(presenter);
    }

    /// <summary>The presenter as an actor: an agent acts by its own name, by whichever client it comes.</summary>
    public ActingParty Of(Presenter presenter)
    {
        var (issuer, client) = (presenter.Tenant.Issuer, presenter.Client);
        return agents.Of(presenter.Tenant.Id, client.Id) is { } agent
            ? new(issuer, agent.Id, AgentClient.Profile)
            : new(issuer, client.Id.Value, client.ActorProfile);
    }

    /// <summary>Whether a token means the one who presents it: the client, or the agent whose it is.</summary>
    public bool IsNamed(Actor named, Presenter presenter)
    {
        var (tenant, client) = (presenter.Tenant, presenter.Client.Id);
        return Is(named, tenant.Issuer, client.Value)
            || (agents.Of(tenant.Id, client) is { } agent && Is(named, tenant.Issuer, agent.Id));
    }

    // Without an issuer a token means its own.
    private static bool Is(Actor named, string issuer, string subject) =>
        (named.Issuer ?? issuer) == issuer && named.Subject == subject;

    // Its own, for itself: the token of a client that acts as itself, shown by that client. With somebody else's the
    // caller would stand behind another's name.
    private async ValueTask<OAuthError?> RefusalAsync(
        string text, TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        if (request.ActorTokenType is not ExchangeGrant.AccessTokenType)
        {
            return OAuthError.InvalidRequest("An actor_token is an access token of this server.");
        }

        return await tokens.ReadAsync(presenter.Tenant, text, stop) is { Actor: null } token
            && token.ClientId == presenter.Client.Id.Value
            && presenter.MayExchange(token)
            && await tokens.GrantAsync(presenter.Tenant.Id, token, stop) is { IsOwn: true, Parent: null }
                ? null
                : OAuthError.InvalidRequest("The actor_token is not one of this client, for itself.");
    }
}
