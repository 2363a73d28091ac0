using Postern.Platform.Pages;

namespace Postern.Identity.Setup;

/// <summary>What the first-run page shows to the person who holds the setup link.</summary>
public sealed record SetupView
{
    public const string EmailField = "email", PasswordField = "password", PasskeyField = "passkey",
        StateField = "state", LinkField = "link", FormField = PageForms.TokenField;

    public string Email { get; init; } = "";

    public string? Problem { get; init; }

    /// <summary>The one-time link this page was opened with; it is spent when the form succeeds, not before.</summary>
    public required string Link { get; init; }

    public required string FormToken { get; init; }

    /// <summary>The WebAuthn options, JSON for the browser, and the sealed state that goes with them.</summary>
    public string? PasskeyOptions { get; init; }

    public string? PasskeyState { get; init; }
}
