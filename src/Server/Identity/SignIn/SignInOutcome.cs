using Postern.Identity.Passkeys;
using Postern.Identity.Users;

namespace Postern.Identity.SignIn;

/// <summary>What came of one try to sign in.</summary>
internal abstract record SignInOutcome
{
    private SignInOutcome()
    {
    }

    /// <param name="User">Who it is.</param>
    /// <param name="Used">The passkey that proved it, as it stands after; null for a password.</param>
    public sealed record Proven(User User, Passkey? Used) : SignInOutcome;

    /// <param name="Known">The person whose account was tried, for the entry; never told to the browser.</param>
    /// <param name="Reason">The precise cause, for the entry alone.</param>
    public sealed record Wrong(User? Known, string Reason) : SignInOutcome;

    public sealed record TooMany(TimeSpan Wait) : SignInOutcome;
}
