using System.Text.Json;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.AccessTokens;

/// <summary>
/// What the header may decide: which of the issuer's keys, and which of our algorithms (RFC 9068 §2.1).
/// </summary>
internal readonly record struct TokenHeader(SignatureAlgorithm Algorithm, string KeyId)
{
    public const int MaxKeyIdLength = 256;

    // A header must never bring its own key or say where to fetch one; crit names rules that this code
    // does not know; b64 and zip would have others read another text.
    private static readonly string[] Forbidden = ["jku", "x5u", "x5c", "jwk", "crit", "b64", "zip"];

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 4 };

    /// <param name="json">The header.</param>
    /// <param name="header">What it decides.</param>
    /// <param name="type">The <c>typ</c> it must have (RFC 9068 §4).</param>
    public static TokenRefusal? Read(byte[] json, out TokenHeader header, string type = "at+jwt")
    {
        header = default;
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return Read(document.RootElement, type, out header);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return TokenRefusal.Token("header: not one strict JSON object");
        }
    }

    private static TokenRefusal? Read(JsonElement json, string type, out TokenHeader header)
    {
        header = default;
        if (json.ValueKind is not JsonValueKind.Object)
        {
            return TokenRefusal.Token("header: not an object");
        }

        if (Array.Exists(Forbidden, name => json.TryGetProperty(name, out _)))
        {
            return TokenRefusal.Token("header: jku, x5u, x5c, jwk, crit, b64 or zip");
        }

        if (!IsType(Text(json, "typ"), type))
        {
            return TokenRefusal.Token($"header: typ is not {type}");
        }

        if (SignatureAlgorithms.Parse(Text(json, "alg")) is not { } algorithm)
        {
            return TokenRefusal.Token("header: alg is not ES256, RS256 or PS256");
        }

        if (Text(json, "kid") is not { Length: > 0 and <= MaxKeyIdLength } keyId)
        {
            return TokenRefusal.Token("header: kid is missing or too long");
        }

        header = new(algorithm, keyId);
        return null;
    }

    // RFC 9068 §4. Without it an ID token, a logout token or a client's assertion would pass for an access token.
    private static bool IsType(string? type, string expected) =>
        string.Equals(type, expected, StringComparison.OrdinalIgnoreCase)
        || string.Equals(type, $"application/{expected}", StringComparison.OrdinalIgnoreCase);

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
