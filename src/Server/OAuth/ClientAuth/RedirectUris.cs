using System.Globalization;
using System.Web;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Where answers may go. A redirect URI is text: it is compared byte for byte, with one exception, the port of a
/// loopback address (RFC 8252 §7.3, and <c>localhost</c> because real clients register it).
/// </summary>
internal static class RedirectUris
{
    /// <summary>The most URIs one client may have, and the most characters of one.</summary>
    public const int MaxCount = 20, MaxLength = 2000;

    private const string Unfit = "\\*\"<>`{}|^";

    private static readonly string[] LoopbackHosts = ["127.0.0.1", "[::1]", "localhost"];

    /// <summary>
    /// Private-use schemes without a dot that well-known desktop clients use (RFC 8252 §7.1 asks for one).
    /// </summary>
    private static readonly string[] KnownSchemes = ["cursor", "vscode", "vscode-insiders", "windsurf"];

    // A redirect URI that already carries these lets its owner be told somebody else's answer (RFC 6749, 9207, JARM,
    // OIDC).
    private static readonly string[] ResponseNames =
    [
        "code", "state", "iss", "error", "error_description", "error_uri", "response", "id_token", "access_token",
        "token_type",
    ];

    /// <summary>Why a URI cannot be registered; null when it can.</summary>
    public static string? Refusal(string uri, string issuer, bool allowsPrivateSchemes)
    {
        if (uri.Length > MaxLength
            || uri.Any(c => c is <= ' ' or >= '\u007f' || Unfit.Contains(c)))
        {
            return "A redirect URI holds only the characters of a URI, without wildcards.";
        }

        if (uri.Contains('#') || !Uri.TryCreate(uri, UriKind.Absolute, out var parsed) || parsed.UserInfo is not "")
        {
            return "A redirect URI is absolute, without fragment or user.";
        }

        if (IsOurs(uri, issuer))
        {
            return $"A redirect URI leads to the client; {issuer} is this server.";
        }

        return SchemeRefusal(uri, parsed, allowsPrivateSchemes) ?? PathRefusal(uri) ?? QueryRefusal(parsed);
    }

    /// <summary>Whether it leads to this server: a page of ours must never be handed a code (T009).</summary>
    public static bool IsOurs(string uri, string issuer) =>
        Uri.TryCreate(uri, UriKind.Absolute, out var parsed)
        && parsed.Scheme is "http" or "https"
        && new Uri(issuer) is var own
        && (parsed.Scheme, parsed.IdnHost, parsed.Port) == (own.Scheme, own.IdnHost, own.Port);

    /// <summary>Whether a requested URI is the registered one.</summary>
    public static bool Match(string registered, string requested) =>
        string.Equals(registered, requested, StringComparison.Ordinal)
        || (Loopback(registered) is { } left && Loopback(requested) is { } right && left == right);

    /// <summary>Any program on the computer could be waiting there.</summary>
    public static bool IsLoopback(string uri) => Loopback(uri) is not null;

    // Read by hand, so that no parser can see another host here than a browser will: a host of the list, digits, the
    // rest.
    private static (string Host, string Tail)? Loopback(string uri)
    {
        const string scheme = "http://";
        if (!uri.StartsWith(scheme, StringComparison.Ordinal))
        {
            return null;
        }

        var host = Array.Find(
            LoopbackHosts, host => uri.AsSpan(scheme.Length).StartsWith(host, StringComparison.Ordinal));
        if (host is null)
        {
            return null;
        }

        var rest = uri.AsSpan(scheme.Length + host.Length);
        if (rest is [':', ..])
        {
            var end = rest[1..].IndexOfAnyExceptInRange('0', '9');
            var digits = end < 0 ? rest.Length - 1 : end;
            if (digits is 0 or > 5
                || !ushort.TryParse(rest.Slice(1, digits), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                return null;
            }

            rest = rest[(1 + digits)..];
        }

        return rest.IsEmpty || rest[0] is '/' or '?' ? (host, rest.ToString()) : null;
    }

    private static string? SchemeRefusal(string uri, Uri parsed, bool allowsPrivateSchemes) => parsed.Scheme switch
    {
        "https" => uri.StartsWith("https://", StringComparison.Ordinal) && parsed.Host is not ""
            ? null
            : "The host is missing.",
        "http" => IsLoopback(uri) ? null : "http is for loopback addresses only; use https.",
        var scheme when allowsPrivateSchemes && (scheme.Contains('.') || KnownSchemes.Contains(scheme)) => null,
        _ => "A redirect URI is https, loopback http, or for a native app a scheme such as com.example.app.",
    };

    private static string? PathRefusal(string uri)
    {
        var path = uri.Split('?', 2)[0];
        return path.Split('/').Any(
            segment => segment.Replace("%2e", ".", StringComparison.OrdinalIgnoreCase) is "." or "..")
            ? "A redirect URI has no dot segments."
            : null;
    }

    private static string? QueryRefusal(Uri parsed) =>
        HttpUtility.ParseQueryString(parsed.Query).AllKeys.Any(name => name is null || ResponseNames.Contains(name))
            ? "A redirect URI does not carry the names of response parameters."
            : null;
}
