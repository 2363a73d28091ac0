namespace Postern.AspNetCore.Proofs;

/// <summary>
/// Compares <c>htu</c> with the address of the request (RFC 9449 §4.3, RFC 3986 §6.2): case of scheme and host, default
/// ports and escapes of plain characters make no difference; query and fragment are left out.
/// </summary>
internal static class ProofUrl
{
    private const int MaxLength = 2048;

    public static bool IsSame(string claimed, string url)
    {
        var plain = claimed.AsSpan();
        var end = plain.IndexOfAny('?', '#');
        plain = end < 0 ? plain : plain[..end];
        return plain.SequenceEqual(url) || (IsUrl(plain, out var one) && IsUrl(url, out var other) && one == other);
    }

    private static bool IsUrl(ReadOnlySpan<char> text, out (string, string, int, string) parts)
    {
        parts = default;
        // What a parser of addresses would make another out of: blanks, backslashes, a user before the host.
        if (text.Length > MaxLength
            || text.ContainsAnyExceptInRange('!', '~')
            || text.Contains('\\')
            || !Uri.TryCreate(text.ToString(), UriKind.Absolute, out var uri)
            || uri.UserInfo is not "")
        {
            return false;
        }

        parts = (uri.Scheme, uri.Host, uri.Port, uri.AbsolutePath);
        return true;
    }
}
