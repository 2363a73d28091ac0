namespace Postern.Identity.SignIn;

/// <summary>What the sign-in page shows. <see cref="Waiting"/> says which app waits, because people ask why.</summary>
public sealed record SignInView
{
    public const string EmailField = "email", PasswordField = "password", PasskeyField = "passkey",
        FlowField = "flow", FormField = "form";

    /// <summary>The app that waits for the answer, as it may be named; null when the person came by themselves.</summary>
    public string? Waiting { get; init; }

    public string Email { get; init; } = "";

    /// <summary>Why the last try did not work, and what to do now.</summary>
    public string? Problem { get; init; }

    /// <summary>The sealed transaction to return to; nothing in it can be changed by the browser.</summary>
    public required string Flow { get; init; }

    public required string FormToken { get; init; }

    /// <summary>The WebAuthn request options, as JSON for the browser.</summary>
    public string? PasskeyOptions { get; init; }
}
