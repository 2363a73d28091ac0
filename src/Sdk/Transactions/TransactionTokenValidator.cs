using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Transactions;

/// <summary>
/// Judges transaction tokens of one issuer for one trust domain, as a service behind a gateway is sent them. They say
/// for whom and what a call is made; who may call is for the network, or for another proof, to decide.
/// </summary>
/// <param name="issuer">Equal, as text, to the <c>iss</c> of every token that is taken.</param>
/// <param name="trustDomain">Their one audience.</param>
/// <param name="keys">Where the issuer's public keys come from.</param>
/// <param name="clock">Says when a token has ended.</param>
public sealed class TransactionTokenValidator(
    string issuer, string trustDomain, IKeySource keys, TimeProvider clock)
{
    /// <summary>The header that carries one.</summary>
    public const string HeaderName = "Txn-Token";

    private const string Type = "txntoken+jwt";

    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(5);

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Judges the token of a request, of which there is exactly one.</summary>
    /// <param name="request">The request as it came.</param>
    /// <param name="stop">Ends the wait for keys.</param>
    /// <returns>The <see cref="TransactionToken"/>, or a <see cref="TokenRefusal"/>.</returns>
    public ValueTask<TokenOutcome> ValidateAsync(HttpRequest request, CancellationToken stop = default) =>
        request.Headers[HeaderName] is [{ Length: > 0 and <= AccessTokenValidator.MaxTokenLength } token]
        && Ascii.IsValid(token)
            ? new(JudgeAsync(Encoding.ASCII.GetBytes(token), stop))
            : new(TokenRefusal.Transaction("header: not one token"));

    private async Task<TokenOutcome> JudgeAsync(byte[] text, CancellationToken stop)
    {
        if (!CompactToken.TryParse(text, out var token))
        {
            return TokenRefusal.Transaction("token: not three segments of strict base64url");
        }

        if (TokenHeader.Read(token.Header, out var header, Type) is { } malformed)
        {
            return TokenRefusal.Transaction(malformed.Reason);
        }

        if (await keys.FindAsync(header.KeyId, stop) is not { } set)
        {
            return TokenRefusal.Outage("keys: none to be had");
        }

        return set[header.KeyId] is { } key && key.Verifies(header.Algorithm, token.Signed, token.Signature)
            ? Read(token.Payload)
            : TokenRefusal.Transaction("signature: unknown kid, wrong alg for the key, or not made by the key");
    }

    private TokenOutcome Read(byte[] payload)
    {
        try
        {
            using var document = JsonDocument.Parse(payload, Strict);
            return Read(document.RootElement);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // The second for a text with half of a surrogate pair.
            return TokenRefusal.Transaction("claims: not one strict JSON object");
        }
    }

    private TokenOutcome Read(JsonElement claims)
    {
        if (claims.ValueKind is not JsonValueKind.Object)
        {
            return TokenRefusal.Transaction("claims: not one strict JSON object");
        }

        var now = clock.GetUtcNow();
        return (Text(claims, "txn"), Text(claims, "sub"), Text(claims, "scope"), Text(claims, "req_wl")) switch
        {
            _ when Text(claims, "iss") != issuer => TokenRefusal.Transaction("claim: iss is not the pinned issuer"),
            _ when Text(claims, "aud") != trustDomain => TokenRefusal.Transaction("claim: aud is another domain"),
            _ when Time(claims, "iat") is not { } since || since > now + Skew =>
                TokenRefusal.Transaction("claim: iat is missing or in the future"),
            _ when Time(claims, "exp") is not { } until || until + Skew <= now =>
                TokenRefusal.Transaction("claim: exp is missing or has passed"),
            ({ } id, { } subject, { } scope, { } workload) => new TransactionToken
            {
                Id = id,
                Subject = subject,
                Scopes = scope.Split(' '),
                Workload = workload,
                ExpiresAt = Time(claims, "exp")!.Value,
                Claims = claims.Clone(),
            },
            _ => TokenRefusal.Transaction("claim: txn, sub, scope or req_wl is missing"),
        };
    }

    private static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
        && value.GetString() is { Length: > 0 } text
            ? text
            : null;

    private static DateTimeOffset? Time(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number
        && value.TryGetInt64(out var seconds) && seconds is >= 0 and < 253_402_300_800 // the year 10000
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}
