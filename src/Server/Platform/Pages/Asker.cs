using System.Globalization;

namespace Postern.Platform.Pages;

/// <summary>What is known about who an agent is.</summary>
public enum Proof
{
    /// <summary>Nothing: name and host are what it says of itself.</summary>
    None,

    /// <summary>It was looked at when the person agreed; now it is only named.</summary>
    Remembered,

    /// <summary>Whoever runs this installation named it.</summary>
    Vouched,

    /// <summary>It controls its host, and the answer goes there.</summary>
    Proven,
}

/// <summary>An agent as people see it, the same wherever one appears.</summary>
public sealed record Asker(string? Name, string? Host, Proof Proof, DateTimeOffset? FirstSeen, string? Device)
{
    public string? Name { get; init; } = Untrusted.Name(Name);

    public string? Device { get; init; } = Untrusted.Name(Device);

    public string Monogram => StringInfo.GetNextTextElement(Name ?? Host ?? "?").ToUpperInvariant();
}
