namespace Postern.Identity.Passwords;

/// <summary>NIST SP 800-63B §3.1.1: length decides; no rules about kinds of characters.</summary>
public static class PasswordRules
{
    public const int MinLength = 12, MaxLength = 200;

    public static string? Refuse(string password, string email) => password switch
    {
        { Length: < MinLength } => $"The password needs at least {MinLength} characters.",
        { Length: > MaxLength } => $"The password may have at most {MaxLength} characters.",
        _ when password.Equals(email, StringComparison.OrdinalIgnoreCase) => "The password must not be your e-mail.",
        _ when password.Distinct().Count() < 5 => "The password repeats too few characters; take a sentence.",
        _ => null,
    };
}
