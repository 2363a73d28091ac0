using System.Text.Json;

namespace Postern.AspNetCore.Proofs;

/// <summary>The claims of a proof (RFC 9449 §4.2), well formed and not yet believed. Others are passed over.</summary>
internal sealed record ProofClaims(string Id, string Method, string Url, double IssuedAt)
{
    private const int MaxId = 256, MaxNonce = 512;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    public string? AccessTokenHash { get; private init; }

    public string? Nonce { get; private init; }

    /// <summary>Null when one is missing or is not what it must be.</summary>
    public static ProofClaims? Read(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            var claims = document.RootElement;
            return claims.ValueKind is JsonValueKind.Object
                && Text(claims, "jti") is { Length: > 0 and <= MaxId } id
                && Text(claims, "htm") is { Length: > 0 } method
                && Text(claims, "htu") is { Length: > 0 } url
                && claims.TryGetProperty("iat", out var iat) && iat.TryGetDouble(out var issuedAt)
                && IsAbsentOr(claims, "ath", out var hash)
                && IsAbsentOr(claims, "nonce", out var nonce) && nonce is not { Length: > MaxNonce }
                    ? new(id, method, url, issuedAt) { AccessTokenHash = hash, Nonce = nonce }
                    : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsAbsentOr(JsonElement claims, string name, out string? text)
    {
        text = Text(claims, name);
        return text is not null || !claims.TryGetProperty(name, out _);
    }

    private static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;
}
