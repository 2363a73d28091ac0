using System.Text;
using Postern.AspNetCore.Keys;
using Postern.AspNetCore.Revocations;

namespace Postern.AspNetCore.AccessTokens;

/// <summary>
/// Judges JWT access tokens (RFC 9068 §4) of one pinned issuer. Safe for use by many threads; make one per issuer and
/// keep it, since it remembers which tokens it has verified.
/// </summary>
/// <param name="issuer">Equal, as text, to the <c>iss</c> of every token that is taken.</param>
/// <param name="keys">Where the issuer's public keys come from.</param>
/// <param name="clock">Says when a token has ended.</param>
/// <param name="cachedTokens">How many verified tokens are remembered: 4 to 1048576, rounded up to a power of
/// two.</param>
/// <exception cref="ArgumentOutOfRangeException"><paramref name="cachedTokens"/> is out of range.</exception>
public sealed class AccessTokenValidator(
    string issuer, IKeySource keys, TimeProvider clock, int cachedTokens = AccessTokenValidator.DefaultCachedTokens)
{
    /// <summary>The longest token that is looked at, in characters.</summary>
    public const int MaxTokenLength = 8192;

    /// <summary>How many verified tokens are remembered unless said otherwise.</summary>
    public const int DefaultCachedTokens = 8192;

    internal const int MinCachedTokens = 4, MaxCachedTokens = 1 << 20;

    internal static readonly TimeSpan
        DefaultClockSkew = TimeSpan.FromSeconds(30),
        MaxClockSkew = TimeSpan.FromSeconds(60);

    private readonly TokenCache cache = new(cachedTokens is >= MinCachedTokens and <= MaxCachedTokens
        ? cachedTokens
        : throw new ArgumentOutOfRangeException(nameof(cachedTokens)));

    /// <summary>How far the clocks of issuer and resource may differ: 0 to 60 seconds, 30 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of range.</exception>
    public TimeSpan ClockSkew
    {
        get;
        init => field = value >= TimeSpan.Zero && value <= MaxClockSkew
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value));
    } = DefaultClockSkew;

    /// <summary>
    /// For how long a token is taken after its <c>exp</c>: as much as the clocks may differ, unless less is said here.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of range.</exception>
    public TimeSpan? ExpirySkew
    {
        get;
        init => field = value is null || (value >= TimeSpan.Zero && value <= MaxClockSkew)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value));
    }

    /// <summary>
    /// The types of <c>authorization_details</c> (RFC 9396 §2) that this resource enforces. A token with any other is
    /// refused, because what would limit it is not understood. Empty by default.
    /// </summary>
    public IReadOnlySet<string> AuthorizationDetailTypes { get; init; } = new HashSet<string>();

    /// <summary>
    /// Asked each time a token has passed every other check: null while its grant stands, else why it does not, for the
    /// log. When it throws, the token is not taken and the exception goes to the caller.
    /// </summary>
    public Func<AccessToken, CancellationToken, ValueTask<string?>>? Liveness { get; init; }

    /// <summary>
    /// Asked for the claims (RFC 9068 §2.2, one JSON object) of a token that is no JWT but a reference to them; null
    /// when it refers to nothing. They are believed as if the issuer had signed them, and judged like others. When it
    /// throws, the token is not taken: an <see cref="HttpRequestException"/> is an outage, any other goes to the
    /// caller. Null, the default: only JWTs are taken.
    /// </summary>
    public Func<string, CancellationToken, ValueTask<byte[]?>>? References { get; init; }

    /// <summary>Knows what ended at the issuer; null where that is not followed.</summary>
    internal RevocationWatch? Revocations { get; init; }

    /// <summary>
    /// Judges a bearer token; one that is bound to a key or a certificate is refused, since nobody has proven to hold
    /// it (<see cref="RequestValidator"/> asks for the proof). Bad tokens are refusals, never exceptions. It completes
    /// at once, without allocation, for a token verified before.
    /// </summary>
    /// <param name="token">The token as it came; a string converts by itself.</param>
    /// <param name="resource">The resource being called, equal as text to the one audience of the token (RFC
    /// 8707).</param>
    /// <param name="stop">Ends the wait for keys and for <see cref="Liveness"/>.</param>
    /// <returns>The <see cref="AccessToken"/>, or a <see cref="TokenRefusal"/>.</returns>
    public ValueTask<TokenOutcome> ValidateAsync(
        ReadOnlySpan<char> token, string resource, CancellationToken stop = default)
    {
        var judging = InspectAsync(token, resource, stop);
        return judging.IsCompletedSuccessfully ? new(Bearer(judging.Result)) : BearerAsync(judging);
    }

    /// <summary>
    /// Judges a token whoever brings it: for telling about it (RFC 7662), and never alone for letting anybody in.
    /// </summary>
    /// <inheritdoc cref="ValidateAsync"/>
    public ValueTask<TokenOutcome> InspectAsync(
        ReadOnlySpan<char> token, string resource, CancellationToken stop = default)
    {
        if (token.Length > MaxTokenLength || !Ascii.IsValid(token))
        {
            return new(TokenRefusal.Token("token: too long or not ASCII"));
        }

        if (References is not null && !token.Contains('.'))
        {
            return DereferenceAsync(token.ToString(), resource, stop);
        }

        var hash = TokenCache.HashOf(token);
        if (keys.Current is { } current && cache.Find(token, hash, current) is { } known)
        {
            return Refusal(known, resource) is { } refusal ? new(refusal) : StandAsync(known, token, stop);
        }

        var text = new byte[token.Length];
        Encoding.ASCII.GetBytes(token, text);
        return VerifyAsync(text, hash, resource, stop);
    }

    private static async ValueTask<TokenOutcome> BearerAsync(ValueTask<TokenOutcome> judging) => Bearer(await judging);

    private static TokenOutcome Bearer(TokenOutcome outcome) => outcome is AccessToken { IsBound: true }
        ? TokenRefusal.Token("cnf: a bound token without its proof")
        : outcome;

    private async ValueTask<TokenOutcome> VerifyAsync(byte[] text, int hash, string resource, CancellationToken stop)
    {
        if (!CompactToken.TryParse(text, out var token))
        {
            return TokenRefusal.Token("token: not three segments of strict base64url");
        }

        if (TokenHeader.Read(token.Header, out var header) is { } malformed)
        {
            return malformed;
        }

        if (await keys.FindAsync(header.KeyId, stop) is not { } set)
        {
            return TokenRefusal.Outage("keys: none to be had");
        }

        if (set[header.KeyId] is not { } key || !key.Verifies(header.Algorithm, token.Signed, token.Signature))
        {
            return TokenRefusal.Token("signature: unknown kid, wrong alg for the key, or not made by the key");
        }

        var outcome = TokenClaims.Read(token.Payload);
        if (outcome is not AccessToken verified)
        {
            return outcome;
        }

        if ((Misunderstanding(verified) ?? Refusal(verified, resource)) is { } refusal)
        {
            return refusal;
        }

        // Only now: nothing that strangers send can displace a remembered token.
        cache.Add(text, hash, set, verified);
        return await StandAsync(verified, Encoding.ASCII.GetString(text), stop);
    }

    // Asked about at each use, or remembered until something is heard of it: what it refers to is another's to say.
    private async ValueTask<TokenOutcome> DereferenceAsync(string token, string resource, CancellationToken stop)
    {
        try
        {
            if (await References!(token, stop) is not { } claims)
            {
                return TokenRefusal.Token("token: refers to nothing");
            }

            var outcome = TokenClaims.Read(claims);
            return outcome is not AccessToken known ? outcome
                : (Misunderstanding(known) ?? Refusal(known, resource)) is { } refusal ? refusal
                : Revocations?.WhyNot(known) is { } ended ? TokenRefusal.Token(ended)
                : await AskLivenessAsync(known, stop);
        }
        catch (HttpRequestException outage)
        {
            return TokenRefusal.Outage($"token: what it refers to is not to be had, {outage.Message}");
        }
    }

    // What can never change for a token, so that it is checked once.
    private TokenRefusal? Misunderstanding(AccessToken token)
    {
        if (token.Issuer != issuer)
        {
            return TokenRefusal.Token("claim: iss is not the pinned issuer");
        }

        return token.AuthorizationDetails.All(detail =>
            AuthorizationDetailTypes.Contains(detail.GetProperty("type").GetString()!))
            ? null
            : TokenRefusal.Token("claim: authorization_details of a type that is not enforced here");
    }

    // What depends on the request and the hour, so that it is checked at each use.
    private TokenRefusal? Refusal(AccessToken token, string resource)
    {
        var now = clock.GetUtcNow();
        if (token.Audience != resource)
        {
            return TokenRefusal.Token("claim: aud is not this resource");
        }

        if (now >= token.ExpiresAt + (ExpirySkew ?? ClockSkew))
        {
            return TokenRefusal.Token("claim: exp has passed");
        }

        return now + ClockSkew < token.NotBefore || now + ClockSkew < token.IssuedAt
            ? TokenRefusal.Token("claim: nbf or iat lies in the future")
            : null;
    }

    // What ended is told before it is asked about; while nothing is told, each token is asked about.
    private ValueTask<TokenOutcome> StandAsync(AccessToken token, ReadOnlySpan<char> text, CancellationToken stop)
    {
        if (Revocations is not { } watch)
        {
            return AskLivenessAsync(token, stop);
        }

        if (watch.WhyNot(token) is { } ended)
        {
            return new(TokenRefusal.Token(ended));
        }

        return watch.IsCurrent ? AskLivenessAsync(token, stop) : AskIssuerAsync(token, watch, text.ToString(), stop);
    }

    private async ValueTask<TokenOutcome> AskIssuerAsync(
        AccessToken token, RevocationWatch watch, string text, CancellationToken stop) =>
        await watch.AskAsync(text, stop) is { } refusal ? refusal : await AskLivenessAsync(token, stop);

    private ValueTask<TokenOutcome> AskLivenessAsync(AccessToken token, CancellationToken stop)
    {
        if (Liveness is null)
        {
            return new(token);
        }

        var answer = Liveness(token, stop);
        return answer.IsCompletedSuccessfully
            ? new(Answer(token, answer.Result))
            : WaitAsync(token, answer);
    }

    private static async ValueTask<TokenOutcome> WaitAsync(AccessToken token, ValueTask<string?> answer) =>
        Answer(token, await answer);

    private static TokenOutcome Answer(AccessToken token, string? ended) =>
        ended is null ? token : TokenRefusal.Token($"grant: {ended}");
}
