using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Postern.Cli.Try;

/// <summary>
/// An access token. A client need not look inside; this one does, to show it. The token itself is never shown.
/// </summary>
internal sealed class HeldToken
{
    private HeldToken(string header, int expiresIn, string scope, JsonObject decoded) =>
        (Header, ExpiresIn, Scope, Decoded) = (header, expiresIn, scope, decoded);

    /// <summary>The value of the header that presents it.</summary>
    public string Header { get; }

    public int ExpiresIn { get; }

    public string Scope { get; }

    /// <summary><c>header</c> and <c>claims</c>.</summary>
    public JsonObject Decoded { get; }

    public static HeldToken Read(JsonNode answer) =>
        (string?)answer["access_token"] is { } token && token.Split('.') is [var header, var claims, _]
            ? new($"Bearer {token}", (int?)answer["expires_in"] ?? 0, (string?)answer["scope"] ?? "", new()
            {
                ["header"] = Part(header),
                ["claims"] = Part(claims),
            })
            : throw new RefusalException("The answer holds no token that can be read.");

    private static JsonNode? Part(string text) => Base64Url.IsValid(text)
        ? JsonNode.Parse(Base64Url.DecodeFromChars(text))
        : throw new JsonException("The token is not base64url.");
}
