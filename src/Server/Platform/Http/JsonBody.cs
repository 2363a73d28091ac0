namespace Postern.Platform.Http;

/// <summary>Reads a JSON body that is no longer than it may be.</summary>
internal static class JsonBody
{
    /// <summary>The bytes; null when they are not said to be JSON, or too many.</summary>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContext http, int most)
    {
        if (!http.Request.HasJsonContentType() || http.Request.ContentLength > most)
        {
            return null;
        }

        var buffer = new byte[most + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(
            buffer, buffer.Length, throwOnEndOfStream: false, http.RequestAborted);
        return length > most ? null : buffer.AsMemory(0, length);
    }
}
