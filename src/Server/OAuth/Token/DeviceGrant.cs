using Postern.Approvals;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>A device whose person types its code elsewhere (RFC 8628 §3.4).</summary>
internal sealed class DeviceGrant(AskedGrant asked) : IGrantType
{
    public string Name => ClientMetadata.DeviceCode;

    public async ValueTask<Result<Redemption>> RedeemAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop) =>
        request.DeviceCode is { } code
            ? await asked.RedeemAsync(AskWay.Device, code, presenter, stop)
            : OAuthError.InvalidRequest("device_code is missing.");
}
