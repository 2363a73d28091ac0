using System.Buffers;

namespace Postern.Identity.Users;

/// <summary>
/// An address as an account name. It is compared in one form; whether mail arrives there is not claimed.
/// </summary>
internal static class EmailAddress
{
    public const int MaxLength = 254;

    // RFC 5321 §4.1.2, without quotes.
    private static readonly SearchValues<char>
        Local = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+-/=?^_`{|}~"),
        Domain = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-");

    /// <summary>
    /// Whether nobody takes it for another's: letters that look like others, or like nothing, are in no address that an
    /// outsider may bring in. The few that have such (RFC 6531) are brought in by an operator.
    /// </summary>
    public static bool IsPlain(string text) =>
        Normalize(text)?.Split('@') is [var local, var domain]
        && !local.AsSpan().ContainsAnyExcept(Local) && !domain.AsSpan().ContainsAnyExcept(Domain);

    /// <summary>The form that is compared; null for what cannot be an address.</summary>
    public static string? Normalize(string? text)
    {
        var trimmed = text?.Trim();
        return trimmed is { Length: >= 3 and <= MaxLength }
            && trimmed.IndexOf('@', StringComparison.Ordinal) is var at
            && at > 0
            && at == trimmed.LastIndexOf('@')
            && at < trimmed.Length - 1
            && !trimmed.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '<' or '>' or '"')
                ? trimmed.ToLowerInvariant()
                : null;
    }
}
