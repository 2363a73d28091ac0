using System.Globalization;

namespace Postern.Platform.Pages;

/// <summary>
/// An agent as people see it, the same wherever one appears. The name is only what it calls itself;
/// <paramref name="VerifiedHost"/> is what was proven, and is null when nothing was.
/// </summary>
public sealed record Asker(string? Name, string? VerifiedHost, DateTimeOffset? FirstSeen, string? Device)
{
    public string? Name { get; init; } = Untrusted.Name(Name);

    public string? Device { get; init; } = Untrusted.Name(Device);

    public string Monogram => StringInfo.GetNextTextElement(Name ?? VerifiedHost ?? "?").ToUpperInvariant();
}
