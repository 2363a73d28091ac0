using Microsoft.AspNetCore.Http;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Challenges;
using Postern.AspNetCore.Proofs;

namespace Postern.AspNetCore;

/// <summary>
/// Judges the token of a request together with the proof that it needs: a token that is bound to a key is taken with
/// the scheme DPoP and a proof of that key, and in no other way.
/// </summary>
public sealed class RequestValidator(AccessTokenValidator tokens, ProofValidator proofs)
{
    /// <summary>The header of a proof, and the one of a nonce (RFC 9449 §4.1, §8.1).</summary>
    public const string ProofHeader = "DPoP", NonceHeader = "DPoP-Nonce";

    /// <summary>Judges a request, and offers the next nonce in the answer when the present one ends soon.</summary>
    /// <param name="request">The request as it came.</param>
    /// <param name="resource">The one audience of the token.</param>
    /// <param name="url">Where clients send the request, without query; never built from what it says itself.</param>
    /// <param name="requiresDpop">Bearer tokens are not taken.</param>
    /// <param name="stop">Ends the waiting.</param>
    /// <returns>The <see cref="AccessToken"/> or a <see cref="TokenRefusal"/>; null when there is no token.</returns>
    public ValueTask<TokenOutcome?> ValidateAsync(
        HttpRequest request, string resource, string url, bool requiresDpop = false, CancellationToken stop = default)
    {
        if (PresentedToken.Read(request, out var token, out var isDpop) is { } malformed)
        {
            return new(malformed);
        }

        if (token.IsEmpty)
        {
            return default;
        }

        if (isDpop)
        {
            return ProveAsync(request, token, resource, url, stop);
        }

        if (requiresDpop)
        {
            return new(TokenRefusal.Token("cnf: only bound tokens are taken here"));
        }

        var judging = tokens.ValidateAsync(token.Span, resource, stop);
        return judging.IsCompletedSuccessfully ? new(judging.Result) : WaitAsync(judging);
    }

    private static async ValueTask<TokenOutcome?> WaitAsync(ValueTask<TokenOutcome> judging) => await judging;

    // The token first: it costs less, and only who has a good one makes us remember a proof.
    private async ValueTask<TokenOutcome?> ProveAsync(
        HttpRequest request, ReadOnlyMemory<char> token, string resource, string url, CancellationToken stop)
    {
        var judged = await tokens.InspectAsync(token.Span, resource, stop);
        if (judged is TokenRefusal refusal)
        {
            return refusal with { IsDpop = true };
        }

        var known = (AccessToken)judged;
        if (known.KeyThumbprint is not { } thumbprint)
        {
            return TokenRefusal.Token("cnf: the token is not bound to a key") with { IsDpop = true };
        }

        var target = new ProofTarget(request.Method, url) { AccessToken = token, Thumbprint = thumbprint };
        var proven = await proofs.ValidateAsync(request.Headers[ProofHeader], target, stop);
        if (proven is not Proof proof)
        {
            return proven;
        }

        if (proof.NextNonce is { } nonce)
        {
            request.HttpContext.Response.Headers[NonceHeader] = nonce;
        }

        return known;
    }
}
