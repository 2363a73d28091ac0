namespace Postern.Identity.Passwords;

/// <summary>What came of changing a password.</summary>
internal abstract record PasswordOutcome
{
    private PasswordOutcome()
    {
    }

    public sealed record Changed : PasswordOutcome;

    /// <param name="Problem">What is wrong, in words for the person.</param>
    public sealed record Refused(string Problem) : PasswordOutcome;

    public sealed record TooMany(TimeSpan Wait) : PasswordOutcome;
}
