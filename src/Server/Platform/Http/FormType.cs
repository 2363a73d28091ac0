using Microsoft.Net.Http.Headers;

namespace Postern.Platform.Http;

/// <summary>
/// Forms are URL-encoded UTF-8, as every client and page of ours sends them. Another charset is another reading of the
/// same bytes, and some break the reader; so do parts without an end.
/// </summary>
internal static class FormType
{
    private const string Name = "application/x-www-form-urlencoded";

    extension(HttpRequest http)
    {
        /// <summary>The body says it is a form, in UTF-8 or without saying in what.</summary>
        public bool HasUtf8Form =>
            http.ContentType is Name || (MediaTypeHeaderValue.TryParse(http.ContentType, out var type)
            && type.MediaType.Equals(Name, StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue
                || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)));
    }
}
