using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Postern.Domain;

/// <summary>
/// JSON from outside, read so that it has one meaning: no name stands twice, and every name and text is one. Half of a
/// surrogate pair would be thrown at whoever looks at it, compares it or writes it on.
/// </summary>
public static class StrictJson
{
    private static readonly UTF8Encoding Exactly = new(false, throwOnInvalidBytes: true);

    /// <summary>Null for what is no JSON, or is not read so.</summary>
    public static JsonElement? Read(string text, int maxDepth)
    {
        try
        {
            return Read(Exactly.GetBytes(text), maxDepth);
        }
        catch (EncoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>The same of bytes.</summary>
    public static JsonElement? Read(ReadOnlyMemory<byte> json, int maxDepth)
    {
        try
        {
            using var document = JsonDocument.Parse(
                json, new() { AllowDuplicateProperties = false, MaxDepth = maxDepth });
            return IsText(json.Span, maxDepth) ? document.RootElement.Clone() : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // The second for a name that is no text, where names are compared.
            return null;
        }
    }

    // What is not escaped is text where the whole is; what is escaped throws here, and nowhere after.
    private static bool IsText(ReadOnlySpan<byte> json, int maxDepth)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });
        while (reader.Read())
        {
            _ = reader.ValueIsEscaped ? reader.GetString() : null;
        }

        return Utf8.IsValid(json);
    }
}
