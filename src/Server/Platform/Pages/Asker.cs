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

    /// <summary>
    /// What to call it: the name only where somebody vouches for it, else what was proven, else its own word as such.
    /// </summary>
    public string Words => (Proof, Name, Host) switch
    {
        (Proof.Vouched, { } name, _) => name,
        (Proof.Proven or Proof.Remembered, _, { } host) => host,
        (_, { } name, _) => $"“{name}”",
        _ => "No name we can show",
    };

    /// <summary>
    /// Where this copy of it runs, unless that is the host again: a service on the web is one copy for everybody.
    /// </summary>
    public string? Place => Device == Host ? null : Device;

    public string Monogram => StringInfo.GetNextTextElement(Name ?? Host ?? "?").ToUpperInvariant();
}
