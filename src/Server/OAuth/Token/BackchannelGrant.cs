using Postern.Approvals;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>A service that named the person it wants to be let in by (CIBA Core §10.1).</summary>
internal sealed class BackchannelGrant(AskedGrant asked) : IGrantType
{
    public string Name => ClientMetadata.Backchannel;

    public async ValueTask<Result<Redemption>> RedeemAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop) =>
        request.AuthReqId is { } code
            ? await asked.RedeemAsync(AskWay.Backchannel, code, presenter, stop)
            : OAuthError.InvalidRequest("auth_req_id is missing.");
}
