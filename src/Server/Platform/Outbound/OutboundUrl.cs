using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Postern.Platform.Outbound;

/// <summary>
/// A URL that reads the same to every parser: http(s), a plain host, no userinfo, no fragment. A host in any other
/// spelling (octal, decimal, escaped, full-width, trailing dot, zone) is refused before it is looked up.
/// </summary>
internal sealed record OutboundUrl
{
    public const int MaxLength = 2000;

    private static readonly SearchValues<char> LabelCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_");

    private OutboundUrl(Uri uri) => Uri = uri;

    public Uri Uri { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out OutboundUrl? url)
    {
        url = null;
        if (text is null or { Length: > MaxLength }
            || text.Any(c => c is <= ' ' or >= '\u007f' or '\\' or '"' or '<' or '>' or '#')
            || !Uri.TryCreate(text, UriKind.Absolute, out var uri)
            || (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp)
            || !IsWrittenAsRead(text, uri)
            || !IsPlain(uri))
        {
            return false;
        }

        url = new(uri);
        return true;
    }

    /// <summary>The authority in the text is the parsed one: nothing was unescaped, mapped or cut off.</summary>
    private static bool IsWrittenAsRead(string text, Uri uri)
    {
        var start = uri.Scheme.Length + "://".Length;
        if (text.Length <= start || !text.StartsWith(uri.Scheme + "://", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var end = text.AsSpan(start).IndexOfAny('/', '?');
        var written = end < 0 ? text[start..] : text.Substring(start, end);
        return uri.UserInfo is ""
            && (written.Equals(uri.Host, StringComparison.OrdinalIgnoreCase)
                || written.Equals($"{uri.Host}:{uri.Port}", StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsPlain(Uri uri) => uri.HostNameType switch
    {
        UriHostNameType.IPv4 => IPAddress.TryParse(uri.Host, out var address) && address.ToString() == uri.Host,
        UriHostNameType.IPv6 => !uri.Host.Contains('%'),
        UriHostNameType.Dns => IsName(uri.Host),
        _ => false,
    };

    private static bool IsName(string host)
    {
        var labels = host.Split('.');
        return host.Length <= 253
            && labels.All(label => label.Length is > 0 and <= 63 && !label.AsSpan().ContainsAnyExcept(LabelCharacters))
            && !IsNumber(labels[^1]);
    }

    // A resolver takes a name that ends in a number for an IPv4 address in one of its odd notations.
    private static bool IsNumber(string label) =>
        label.All(char.IsAsciiDigit)
        || (label.StartsWith("0x", StringComparison.Ordinal) && label[2..].All(char.IsAsciiHexDigit));
}
