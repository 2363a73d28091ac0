using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Postern.Platform.Http;

namespace Postern.Api;

/// <summary>Reads a small JSON body of exactly the members expected, each once.</summary>
internal static class StrictBody
{
    private const int MaxBytes = 32 * 1024;

    /// <summary>The body, or null when it is anything else.</summary>
    public static async Task<T?> ReadAsync<T>(HttpContext http, JsonTypeInfo<T> type)
        where T : class =>
        await JsonBody.ReadAsync(http, MaxBytes) is { } body ? Parse(body.Span, type) : null;

    private static T? Parse<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
