namespace Postern.OAuth.Authorize;

/// <summary>What is known of an authorization request when the browser comes back.</summary>
/// <param name="Person">Somebody is signed in.</param>
/// <param name="IsFreshEnough">The sign-in is as recent as the request demands.</param>
/// <param name="HasAgreed">That same person has made a living grant of this proposal.</param>
internal sealed record AuthorizeState(bool Person, bool IsFreshEnough, bool HasAgreed)
{
    /// <summary>It is the person the client means, and the sign-in is as strong as it demands.</summary>
    public bool IsAsAsked { get; init; } = true;

    /// <summary>They signed in for this request: to ask once more would bring the same.</summary>
    public bool HasJustSignedIn { get; init; }

    /// <summary>No page may be shown (OpenID Connect Core §3.1.2.1, prompt none).</summary>
    public bool IsSilent { get; init; }
}

/// <summary>What happens next. Steps never send the browser to one another; each comes back to be asked.</summary>
internal enum NextStep
{
    SignIn,
    Consent,
    Issue,
    RefuseUnmet,
    RefuseSignIn,
    RefuseConsent,
}

internal static class NextSteps
{
    extension(NextStep)
    {
        /// <summary>Reads no clock, no cookie, no table.</summary>
        public static NextStep Of(AuthorizeState state) => state switch
        {
            { IsSilent: true, Person: false } or { IsSilent: true, IsFreshEnough: false } => NextStep.RefuseSignIn,
            { IsSilent: true, IsAsAsked: false } => NextStep.RefuseSignIn,
            { Person: false } or { IsFreshEnough: false } => NextStep.SignIn,
            { IsAsAsked: false, HasJustSignedIn: false } => NextStep.SignIn,
            { IsAsAsked: false } => NextStep.RefuseUnmet,
            { HasAgreed: false, IsSilent: true } => NextStep.RefuseConsent,
            { HasAgreed: false } => NextStep.Consent,
            _ => NextStep.Issue,
        };
    }
}
