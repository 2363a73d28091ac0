using Microsoft.AspNetCore.Http;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Challenges;
using Postern.AspNetCore.Proofs;

namespace Postern.AspNetCore;

/// <summary>
/// Judges the token of a request together with the proof that it needs: a token that is bound to a key is taken with
/// the scheme DPoP and a proof of that key, one that is bound to a certificate on a connection that shows it (RFC 8705
/// §3), and neither in any other way.
/// </summary>
public sealed class RequestValidator(AccessTokenValidator tokens, ProofValidator proofs)
{
    /// <summary>The header of a proof, and the one of a nonce (RFC 9449 §4.1, §8.1).</summary>
    public const string ProofHeader = "DPoP", NonceHeader = "DPoP-Nonce";

    /// <summary>Takes only tokens that are bound to the certificate of the connection (RFC 8705 §3).</summary>
    public bool RequiresCertificate { get; init; }

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

        if (isDpop && !RequiresCertificate)
        {
            return ProveAsync(request, token, resource, url, stop);
        }

        if (requiresDpop || isDpop)
        {
            return new(TokenRefusal.Token("cnf: tokens are bound in another way here") with { IsDpop = isDpop });
        }

        var judging = tokens.InspectAsync(token.Span, resource, stop);
        return judging.IsCompletedSuccessfully ? new(Shown(request, judging.Result)) : WaitAsync(request, judging);
    }

    private async ValueTask<TokenOutcome?> WaitAsync(HttpRequest request, ValueTask<TokenOutcome> judging) =>
        Shown(request, await judging);

    // The certificate of the connection as the server has it: behind a proxy, what forwards certificates puts it there.
    private TokenOutcome Shown(HttpRequest request, TokenOutcome judged) => judged switch
    {
        AccessToken { KeyThumbprint: not null } => TokenRefusal.Token("cnf: a bound token without its proof"),
        AccessToken { CertificateThumbprint: { } thumbprint } =>
            request.HttpContext.Connection.ClientCertificate is { } shown && Thumbprints.Of(shown) == thumbprint
                ? judged
                : TokenRefusal.Token("cnf: not the certificate of this connection, or none is shown"),
        AccessToken when RequiresCertificate =>
            TokenRefusal.Token("cnf: only tokens that are bound to a certificate are taken here"),
        _ => judged,
    };

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
