using Postern.Platform.Pages;

namespace Postern.OAuth.Device;

/// <summary>The page on which a person types the code that a device shows.</summary>
public sealed record UserCodeView
{
    public const string CodeField = "user_code", FormField = PageForms.TokenField;

    /// <summary>The signed-in person.</summary>
    public required string Account { get; init; }

    /// <summary>As it came by the link, or as it was typed before.</summary>
    public string Code { get; init; } = "";

    public required string FormToken { get; init; }

    public required string SignOutToken { get; init; }

    public string? Problem { get; init; }
}
