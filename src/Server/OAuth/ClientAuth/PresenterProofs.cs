using Postern.AspNetCore;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;
using Postern.AspNetCore.Proofs;
using Postern.Grants;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Proves which key the presenter holds, if it brings a proof (RFC 9449 §5), or which certificate, if its tokens are
/// bound to that (RFC 8705 §3). What is made for it is bound to the same.
/// </summary>
internal sealed class PresenterProofs(HolderProofs proofs)
{
    /// <summary>
    /// The presenter as it came, or with what it has proven to hold; one whose authentication was that proof has done
    /// so.
    /// </summary>
    public async ValueTask<Result<Presenter>> ProveAsync(
        HttpRequest http, Presenter presenter, CancellationToken stop, bool requiresNonce = false)
    {
        var header = http.Headers[RequestValidator.ProofHeader];
        if (presenter.Client.Certificate.BindsTokens)
        {
            return header.Count is 0
                ? WithCertificate(http.HttpContext, presenter)
                : OAuthError.InvalidRequest("The tokens of this client are bound to its certificate and to no key.");
        }

        if (header.Count is 0 || presenter.Holder is { IsKey: true })
        {
            return presenter;
        }

        var target = new ProofTarget(http.Method, http.HttpContext.Asked(http.Path))
        {
            RequiresNonce = requiresNonce,
        };
        return Proven(
            presenter,
            await proofs.Validator.ValidateAsync(header, target, stop),
            http.HttpContext.Response.Headers);
    }

    private static Result<Presenter> Proven(Presenter presenter, TokenOutcome outcome, IHeaderDictionary answer)
    {
        switch (outcome)
        {
            // FAPI 2.0 §5.4.1: a key of RSA could sign by RS256 where the token is used.
            case Proof { Algorithm: not SignatureAlgorithm.ES256 } when presenter.Client.IsFapi2:
                return new OAuthError("invalid_dpop_proof", "The proof of this client is signed by ES256.");
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

    private static Presenter WithCertificate(HttpContext http, Presenter presenter) =>
        http.CallerCertificate is { } shown
            ? presenter with { Holder = Holder.OfCertificate(Thumbprints.Of(shown.Leaf)) }
            : presenter;

    private static void Offer(IHeaderDictionary answer, string? nonce)
    {
        if (nonce is not null)
        {
            answer[RequestValidator.NonceHeader] = nonce;
        }
    }
}
