using Postern.Approvals;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>
/// A client that comes back for an answer it was promised (draft-ietf-oauth-deferred-token-response).
/// </summary>
internal sealed class DeferredGrant(AskedGrant asked) : IGrantType
{
    public string Name => ClientMetadata.Deferred;

    public async ValueTask<Result<Redemption>> RedeemAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        if (request.CompletionMode is not null)
        {
            return OAuthError.InvalidRequest("completion_mode belongs to the request that was deferred.");
        }

        return request.DeferralCode is { } code
            ? await asked.RedeemAsync(AskWay.Deferred, code, presenter, stop)
            : OAuthError.InvalidRequest("deferral_code is missing.");
    }
}
