using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Postern.Api;

/// <summary>Reads a small JSON body of exactly the members expected, each once.</summary>
internal static class StrictBody
{
    private const int MaxBytes = 32 * 1024;

    /// <summary>The body, or null when it is anything else.</summary>
    public static async Task<T?> ReadAsync<T>(HttpContext http, JsonTypeInfo<T> type)
        where T : class
    {
        if (!http.Request.HasJsonContentType() || http.Request.ContentLength > MaxBytes)
        {
            return null;
        }

        var buffer = new byte[MaxBytes + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(
            buffer, buffer.Length, throwOnEndOfStream: false, http.RequestAborted);
        return length > MaxBytes ? null : Parse(buffer.AsSpan(0, length), type);
    }

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
