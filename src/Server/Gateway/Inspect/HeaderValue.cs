using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Postern.Gateway.Inspect;

/// <summary>
/// The form in which a value of the body stands in a header: plain, or <c>=?base64?…?=</c> of its UTF-8.
/// </summary>
internal static class HeaderValue
{
    private const string Opening = "=?base64?", Closing = "?=";

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private static readonly SearchValues<char> Plain =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c), '\t']);

    private static readonly SearchValues<char> Base64 =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");

    public static bool TryDecode(string header, [NotNullWhen(true)] out string? value)
    {
        var trimmed = header.AsSpan().Trim(" \t");
        value = null;
        if (trimmed.ContainsAnyExcept(Plain))
        {
            return false;
        }

        if (!LooksEncoded(trimmed))
        {
            value = trimmed.Length == header.Length ? header : trimmed.ToString();
            return true;
        }

        return TryBase64(trimmed[Opening.Length..^Closing.Length], out value);
    }

    public static string Encode(string value)
    {
        var isPlain = value.Length > 0
            && !value.AsSpan().ContainsAnyExcept(Plain)
            && value.AsSpan().Trim(" \t").Length == value.Length
            && !LooksEncoded(value);
        return isPlain ? value : $"{Opening}{Convert.ToBase64String(Encoding.UTF8.GetBytes(value))}{Closing}";
    }

    private static bool LooksEncoded(ReadOnlySpan<char> value) =>
        value.Length >= Opening.Length + Closing.Length
        && value.StartsWith(Opening, StringComparison.Ordinal) && value.EndsWith(Closing, StringComparison.Ordinal);

    private static bool TryBase64(ReadOnlySpan<char> encoded, [NotNullWhen(true)] out string? value)
    {
        value = null;
        var bytes = new byte[(encoded.Length / 4 * 3) + 3];

        // The converter would pass over blanks, and one value would have many forms.
        if (encoded.ContainsAnyExcept(Base64) || !Convert.TryFromBase64Chars(encoded, bytes, out var length))
        {
            return false;
        }

        try
        {
            value = StrictUtf8.GetString(bytes, 0, length);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
