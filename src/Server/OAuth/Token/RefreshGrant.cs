using Postern.Audit;
using Postern.Grants;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>The refresh token (RFC 6749 §6), rotated at each use (RFC 9700 §4.14.2).</summary>
internal sealed class RefreshGrant(RefreshTokens texts, GrantBook grants, TimeProvider clock) : IGrantType
{
    public string Name => ClientMetadata.RefreshToken;

    public async ValueTask<Result<Redemption>> RedeemAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        if (request.RefreshToken is null)
        {
            return OAuthError.InvalidRequest("refresh_token is missing.");
        }

        // Generation 0 is the code, which is presented sealed and never as a refresh token.
        if (texts.Parse(presenter.Tenant.Id, request.RefreshToken) is not { Generation: > 0 } presented)
        {
            return OAuthError.InvalidGrant("not a refresh token of ours");
        }

        if (await grants.FindAsync(presenter.Tenant.Id, presented.Grant, stop) is not { } grant
            || grant.Client != presenter.Client.Id || !grant.IsLive(clock.GetUtcNow()))
        {
            return OAuthError.InvalidGrant("the grant is over, or another client's");
        }

        // Somebody changed where this client's answers go, or how it proves itself, since the person agreed.
        return grant.ClientHash is { } agreed && agreed != presenter.Client.Hash
            ? OAuthError.InvalidGrant("the client's metadata changed since the person agreed")
            : new Redemption(grant, presented.Generation) { EntryKind = AuditKinds.TokenRefreshed };
    }
}
