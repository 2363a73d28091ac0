using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;
using Postern.AspNetCore.AccessTokens;

namespace Postern.AspNetCore.Proofs;

/// <summary>
/// Judges DPoP proofs (RFC 9449 §4.3). Safe for use by many threads; make one and keep it, since it remembers which
/// proofs it has seen.
/// </summary>
/// <param name="clock">Says what is now.</param>
/// <param name="nonces">Makes and knows the nonces.</param>
/// <param name="rememberedProofs">How many used proofs are remembered at a time: 16 to 16777216. One that would not be
/// remembered is not taken.</param>
/// <exception cref="ArgumentOutOfRangeException"><paramref name="rememberedProofs"/> is out of range.</exception>
public sealed class ProofValidator(
    TimeProvider clock, ProofNonces nonces, int rememberedProofs = ProofValidator.DefaultRememberedProofs)
{
    /// <summary>The longest proof that is looked at, in characters.</summary>
    public const int MaxProofLength = 8192;

    /// <summary>How many used proofs are remembered unless said otherwise; they take 32 MiB at most.</summary>
    public const int DefaultRememberedProofs = 524_288;

    internal const int MinRememberedProofs = 16, MaxRememberedProofs = 1 << 24;

    internal static readonly TimeSpan
        DefaultWindow = TimeSpan.FromSeconds(60),
        MinWindow = TimeSpan.FromSeconds(10),
        MaxWindow = TimeSpan.FromMinutes(5);

    /// <summary>The algorithms of proofs that are taken, for metadata and challenges.</summary>
    public static IReadOnlyList<string> Algorithms { get; } = ["ES256", "PS256", "RS256"];

    private readonly ProofKeys keys = new();
    private readonly long startedAt = clock.GetUtcNow().ToUnixTimeSeconds();
    private readonly SeenProofs seen = new(rememberedProofs is >= MinRememberedProofs and <= MaxRememberedProofs
        ? rememberedProofs
        : throw new ArgumentOutOfRangeException(nameof(rememberedProofs)));

    /// <summary>How far <c>iat</c> may be from now, to both sides: 10 seconds to 5 minutes, 60 seconds by
    /// default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of range.</exception>
    public TimeSpan Window
    {
        get;
        init => field = value >= MinWindow && value <= MaxWindow
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value));
    } = DefaultWindow;

    /// <summary>Takes only proofs with a nonce, which nobody can have made ahead of time (§8).</summary>
    public bool RequiresNonce { get; init; }

    /// <summary>
    /// Asked about each good proof that this process sees for the first time: whether no other process, and none before
    /// this one, has seen it. Without it only this process remembers. It then asks for a nonce while proofs that a
    /// process before it may have seen would still be taken.
    /// </summary>
    public Func<ProofUse, CancellationToken, ValueTask<bool>>? IsFirstUse { get; init; }

    /// <summary>Judges the proof of a request, and takes it: it is good once. Bad proofs are refusals, never
    /// exceptions.</summary>
    /// <param name="header">The values of the <c>DPoP</c> header.</param>
    /// <param name="target">What it has to be for.</param>
    /// <param name="stop">Ends the wait for <see cref="IsFirstUse"/>.</param>
    /// <returns>The <see cref="Proof"/>, or a <see cref="TokenRefusal"/>.</returns>
    public ValueTask<TokenOutcome> ValidateAsync(
        StringValues header, ProofTarget target, CancellationToken stop = default)
    {
        if (header is not [{ Length: > 0 and <= MaxProofLength } text] || !Ascii.IsValid(text)
            || !CompactToken.TryParse(Encoding.ASCII.GetBytes(text), out var token))
        {
            return Refused("not exactly one compact JWT");
        }

        var (known, malformed) = (keys.Find(token.Header), "");
        if ((known ?? ProofKey.Read(token.Header, out malformed)) is not { } key)
        {
            return Refused(malformed);
        }

        if (target.Thumbprint is { } bound && bound != key.Thumbprint)
        {
            // RFC 9449 §7.1: here it is the token that does not fit.
            return new(TokenRefusal.Token("cnf: the proof is by another key") with { IsDpop = true });
        }

        if (ProofClaims.Read(token.Payload) is not { } claims)
        {
            return Refused("claims: one is missing or malformed");
        }

        if (Mismatch(claims, target) is { } mismatch)
        {
            return Refused(mismatch);
        }

        if (!key.Key.Verifies(key.Algorithm, token.Signed, token.Signature))
        {
            return Refused("signature: not made by the key");
        }

        if (known is null)
        {
            // Only now: what is not signed cannot displace a key.
            keys.Keep(key);
        }

        if (NonceRefusal(claims, target, out var endsSoon) is { } refusal)
        {
            return new(refusal);
        }

        var next = endsSoon ? nonces.Current(target.Url) : null;
        return TakeAsync(claims, target, new(key.Thumbprint, key.Algorithm, next), stop);
    }

    private long Now => clock.GetUtcNow().ToUnixTimeSeconds();

    private string? Mismatch(ProofClaims claims, ProofTarget target)
    {
        if (claims.Method != target.Method)
        {
            return "claim: htm is another method";
        }

        if (!ProofUrl.IsSame(claims.Url, target.Url))
        {
            return "claim: htu is another address";
        }

        if (!target.AccessToken.IsEmpty && claims.AccessTokenHash != HashOf(target.AccessToken.Span))
        {
            return "claim: ath is missing, or of another token";
        }

        return Math.Abs(Now - claims.IssuedAt) <= Window.TotalSeconds ? null : "claim: iat is too long ago or ahead";
    }

    private TokenRefusal? NonceRefusal(ProofClaims claims, ProofTarget target, out bool endsSoon)
    {
        endsSoon = false;
        if (claims.Nonce is { } nonce)
        {
            return nonces.IsGood(nonce, target.Url, out endsSoon) ? null : Ask("nonce: too old, or not ours");
        }

        // A process that has just begun does not know what the one before it took. Nobody had this process's nonces
        // then.
        var mayBeSeen = IsFirstUse is null
            && claims.IssuedAt <= startedAt + Window.TotalSeconds;
        return RequiresNonce || target.RequiresNonce || mayBeSeen ? Ask("nonce: none") : null;

        TokenRefusal Ask(string reason) => TokenRefusal.NeedsNonce(nonces.Current(target.Url), reason);
    }

    private ValueTask<TokenOutcome> TakeAsync(
        ProofClaims claims, ProofTarget target, Proof proof, CancellationToken stop)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{proof.Thumbprint}\n{target.Url}\n{claims.Id}"));
        var until = (long)Math.Ceiling(claims.IssuedAt + Window.TotalSeconds);
        return seen.Take(digest, until, Now) switch
        {
            false => Refused("jti: used before"),
            null => new(TokenRefusal.Outage("proofs: as many as can be remembered") with { IsDpop = true }),
            _ when IsFirstUse is null => new(proof),
            _ => AskAsync(
                proof, new(Base64Url.EncodeToString(digest), DateTimeOffset.FromUnixTimeSeconds(until)), stop),
        };
    }

    private async ValueTask<TokenOutcome> AskAsync(Proof proof, ProofUse use, CancellationToken stop) =>
        await IsFirstUse!(use, stop) ? proof : TokenRefusal.Proof("jti: used before, elsewhere");

    // §4.2: of the token as it is sent, which is ASCII.
    private static string HashOf(ReadOnlySpan<char> token)
    {
        var text = ArrayPool<byte>.Shared.Rent(token.Length);
        var length = Encoding.ASCII.GetBytes(token, text);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text.AsSpan(0, length), digest);
        ArrayPool<byte>.Shared.Return(text);
        return Base64Url.EncodeToString(digest);
    }

    private static ValueTask<TokenOutcome> Refused(string reason) => new(TokenRefusal.Proof(reason));
}
