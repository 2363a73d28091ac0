using Postern.Platform.Pages;

namespace Postern.Identity.SignIn;

/// <summary>
/// What the sign-in page shows. <see cref="Waiting"/> says who waits, because people ask why they must sign in.
/// </summary>
public sealed record SignInView
{
    public const string EmailField = "email", PasswordField = "password", PasskeyField = "passkey",
        StateField = "state", TransactionField = "transaction", ToField = "to", FormField = PageForms.TokenField;

    public string? Waiting { get; init; }

    public string Email { get; init; } = "";

    /// <summary>Why the last try did not work, and what to do now.</summary>
    public string? Problem { get; init; }

    /// <summary>The sealed request to go on with; this browser could not have made or changed it.</summary>
    public string? Transaction { get; init; }

    /// <summary>The page of ours to go to when no request waits.</summary>
    public string? To { get; init; }

    public required string FormToken { get; init; }

    /// <summary>The WebAuthn options, JSON for the browser, and the sealed state that goes with them.</summary>
    public string? PasskeyOptions { get; init; }

    public string? PasskeyState { get; init; }
}
