using Postern.AspNetCore;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Proofs;
using Postern.Grants;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// RFC 9449 §5: proves which key the presenter holds, if it brings a proof. What is made for it is bound to that key.
/// </summary>
internal sealed class PresenterProofs(HolderProofs proofs)
{
    /// <summary>
    /// The presenter as it came, or with the key that it has proven to hold; one whose authentication was that proof
    /// has done so.
    /// </summary>
    public async ValueTask<Result<Presenter>> ProveAsync(
        HttpRequest http, Presenter presenter, CancellationToken stop, bool requiresNonce = false)
    {
        var header = http.Headers[RequestValidator.ProofHeader];
        if (header.Count is 0 || presenter is { Instance: not null, Holder.Member: Holder.ProofMember })
        {
            return presenter;
        }

        var target = new ProofTarget(http.Method, presenter.Tenant.Address(http.Path))
        {
            RequiresNonce = requiresNonce,
        };
        var answer = http.HttpContext.Response.Headers;
        switch (await proofs.Validator.ValidateAsync(header, target, stop))
        {
            case Proof { Algorithm: var algorithm }
                when presenter.Client.IsFapi2 && !FapiProfile.Algorithms.Contains(algorithm.ToString()):
                return new OAuthError("invalid_dpop_proof", "The proof is signed by ES256 or PS256.");
            case Proof proof:
                Offer(answer, proof.NextNonce);
                return presenter with { Holder = Holder.OfKey(proof.Thumbprint) };
            case TokenRefusal refusal:
                Offer(answer, refusal.Nonce);
                // §5: at the authorization server it is the request that is wrong.
                var status = refusal.Status is StatusCodes.Status401Unauthorized
                    ? StatusCodes.Status400BadRequest
                    : refusal.Status;
                return new OAuthError(refusal.Code, refusal.Description, status) { Reason = refusal.Reason };
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static void Offer(IHeaderDictionary answer, string? nonce)
    {
        if (nonce is not null)
        {
            answer[RequestValidator.NonceHeader] = nonce;
        }
    }
}
