using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// A JWT that somebody else signed (RFC 7519), or an ID token of ours that a client brings back: read strictly, so that
/// it has one meaning, and not yet believed. What kind it is (<see cref="Typ"/>), whose it is and for whom are for the
/// reader to check before its signature.
/// </summary>
internal sealed class ForeignToken
{
    /// <summary>Characters of the longest that is read.</summary>
    public const int MaxLength = 8000;

    /// <summary>How far somebody's clock may be ahead of ours (FAPI 2.0 §5.3.2.1 asks for ten seconds).</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(10);

    // These name or carry a key, or demand what is not served: to another reader the same text would say something
    // else. A key comes from what is configured or registered for the signer, and from nowhere else.
    private static readonly string[] Unserved = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip"];

    private const int MaxDepth = 16, MaxTried = 10;

    private static readonly JsonWebTokenHandler Handler =
        new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxLength };

    private readonly JsonWebToken token;

    private ForeignToken(JsonWebToken token, JsonElement header, JsonElement claims) =>
        (this.token, Header, Claims) = (token, header, claims);

    /// <summary>All members of its header, as they stand.</summary>
    public JsonElement Header { get; }

    /// <summary>
    /// The kind it says it is (RFC 8725 §3.11), without the prefix that may be left out; null for none.
    /// </summary>
    public string? Typ => token.Typ is { Length: > 0 } typ
        ? (typ.StartsWith("application/", StringComparison.OrdinalIgnoreCase) ? typ[12..] : typ).ToLowerInvariant()
        : null;

    public string? Kid => token.Kid is { Length: > 0 } kid ? kid : null;

    /// <summary>All claims, as they stand.</summary>
    public JsonElement Claims { get; }

    /// <summary>Reads one; null for anything that is not exactly one compact JWT with an object in it.</summary>
    public static ForeignToken? Read(string text)
    {
        if (text.Length > MaxLength || text.Split('.') is not { Length: 3 } parts || !parts.All(IsExact)
            || ObjectIn(parts[0]) is not { } header || ObjectIn(parts[1]) is not { } claims
            || Array.Exists(Unserved, name => header.TryGetProperty(name, out _)))
        {
            return null;
        }

        try
        {
            return new(Handler.ReadJsonWebToken(text), header, claims);
        }
        catch (Exception failure) when (failure is ArgumentException or SecurityTokenException)
        {
            return null;
        }
    }

    /// <summary>A claim that is a text; null when it is left out or something else.</summary>
    public string? Text(string claim) =>
        Claims.TryGetProperty(claim, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>A claim that is a time (RFC 7519 §2); null when it is left out or none.</summary>
    public DateTimeOffset? At(string claim) =>
        Claims.TryGetProperty(claim, out var value) && value.ValueKind is JsonValueKind.Number
        && value.TryGetDouble(out var seconds) && seconds is > 0 and < 253402300799
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds)
            : null;

    /// <summary>
    /// Whether it is for this audience and for no other. A list, even of one, is another statement (rfc7523bis): it
    /// would let one token serve two servers.
    /// </summary>
    public bool IsOnlyFor(string audience) => Text("aud") == audience;

    /// <summary>
    /// The same, and a list of this one alone counts as well: identity providers and Kubernetes write it so.
    /// </summary>
    public bool IsForAlone(string audience) =>
        IsOnlyFor(audience)
        || (Claims.TryGetProperty("aud", out var value) && value.ValueKind is JsonValueKind.Array
            && value.GetArrayLength() is 1 && IsFor(audience));

    /// <summary>Whether this audience is among those it is for.</summary>
    public bool IsFor(string audience) =>
        Claims.TryGetProperty("aud", out var value) && value.ValueKind switch
        {
            JsonValueKind.String => value.ValueEquals(audience),
            JsonValueKind.Array => value.EnumerateArray()
                .Any(one => one.ValueKind is JsonValueKind.String && one.ValueEquals(audience)),
            _ => false,
        };

    /// <summary>
    /// What is wrong with its times: it must expire, after now and not after <paramref name="life"/>, and must not be
    /// from the future. Null when they are right.
    /// </summary>
    public string? TimeRefusal(DateTimeOffset now, TimeSpan life) => (At("exp"), At("nbf"), At("iat")) switch
    {
        (null, _, _) => "exp is missing",
        ({ } expires, _, _) when expires <= now => "expired",
        ({ } expires, _, _) when expires > now + life + Skew => "exp too far ahead",
        (_, { } starts, _) when starts > now + Skew => "nbf in the future",
        (_, _, { } issued) when issued > now + Skew => "iat in the future",
        _ => null,
    };

    /// <summary>Whether one of these keys made its signature, by one of these algorithms.</summary>
    public async ValueTask<bool> IsSignedByAsync(
        IReadOnlyList<SecurityKey> keys, IReadOnlyList<string> algorithms)
    {
        // One at a time: of several with one name the library would look at the first alone (FAPI 2.0 §5.4.3).
        foreach (var key in keys.Where(IsMeant).Take(MaxTried))
        {
            if (await IsSignedByAsync(key, algorithms))
            {
                return true;
            }
        }

        return false;
    }

    private static JsonElement? ObjectIn(string part) =>
        StrictJson.Read(Base64Url.DecodeFromChars(part), MaxDepth) is { ValueKind: JsonValueKind.Object } read
            ? read
            : null;

    private async ValueTask<bool> IsSignedByAsync(SecurityKey key, IReadOnlyList<string> algorithms) =>
        (await Handler.ValidateTokenAsync(token, new()
        {
            ValidAlgorithms = algorithms,
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = Kid is null,
            RequireSignedTokens = true,
            // Judged by the reader, with what the library would take for granted told apart.
            ValidateIssuer = false,
            ValidateAudience = false,
            ValidateLifetime = false,
        })).IsValid;

    private bool IsMeant(SecurityKey key) =>
        (Kid is null || key.KeyId == Kid) && IsForItsAlgorithm(key) && IsLong(key);

    // RFC 7518 §3.3, FAPI 2.0 §5.4.1: 2048 bits of RSA, noughts before them not counted. The library would take 1024.
    private static bool IsLong(SecurityKey key) => key switch
    {
        JsonWebKey { Kty: "RSA" } jwk => Base64Url.IsValid(jwk.N)
            && new BigInteger(Base64Url.DecodeFromChars(jwk.N), isUnsigned: true, isBigEndian: true).GetBitLength()
                >= 2048,
        RsaSecurityKey or X509SecurityKey { PublicKey: RSA } => key.KeySize >= 2048,
        _ => true,
    };

    // RFC 8725 §3.1: a key that names its algorithm signs by no other.
    private bool IsForItsAlgorithm(SecurityKey key) =>
        key is not JsonWebKey { Alg: { Length: > 0 } only } || only == token.Alg;

    // RFC 7515 §2: no padding, no blanks, no loose bits at the end; one token has one spelling.
    private static bool IsExact(string part) =>
        Base64Url.IsValid(part) && Base64Url.EncodeToString(Base64Url.DecodeFromChars(part)) == part;
}
