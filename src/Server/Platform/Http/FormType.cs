using Microsoft.Net.Http.Headers;

namespace Postern.Platform.Http;

/// <summary>
/// Forms are read as UTF-8. Another charset is another reading of the same bytes, and some break the reader.
/// </summary>
internal static class FormType
{
    extension(HttpRequest http)
    {
        /// <summary>The body says it is a form, in UTF-8 or without saying in what.</summary>
        public bool HasUtf8Form =>
            http.HasFormContentType
            && MediaTypeHeaderValue.TryParse(http.ContentType, out var type)
            && (!type.Charset.HasValue
                || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));
    }
}
