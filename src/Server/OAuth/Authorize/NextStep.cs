namespace Postern.OAuth.Authorize;

/// <summary>What is known of an authorization request when the browser comes back.</summary>
/// <param name="Person">Somebody is signed in.</param>
/// <param name="IsFreshEnough">The sign-in is as recent as the request demands.</param>
/// <param name="HasAgreed">That same person has made a living grant of this proposal.</param>
internal sealed record AuthorizeState(bool Person, bool IsFreshEnough, bool HasAgreed);

/// <summary>What happens next. Steps never send the browser to one another; each comes back to be asked.</summary>
internal enum NextStep
{
    SignIn,
    Consent,
    Issue,
}

internal static class NextSteps
{
    extension(NextStep)
    {
        /// <summary>Reads no clock, no cookie, no table.</summary>
        public static NextStep Of(AuthorizeState state) => state switch
        {
            { Person: false } or { IsFreshEnough: false } => NextStep.SignIn,
            { HasAgreed: false } => NextStep.Consent,
            _ => NextStep.Issue,
        };
    }
}
