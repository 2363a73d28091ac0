namespace Postern.Identity.Users;

/// <summary>
/// An address as an account name. It is compared in one form; whether mail arrives there is not claimed.
/// </summary>
internal static class EmailAddress
{
    public const int MaxLength = 254;

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
