using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// What one caller and one server know of each other: the revision they speak, what the caller can be asked, and the
/// session if the server wants one. A line is never shared between principals.
/// </summary>
internal sealed record Line(Principal Owner)
{
    /// <summary>The revision spoken with the server.</summary>
    public string Version { get; init; } = Revisions.Modern;

    /// <summary>The server's own name for the line (legacy).</summary>
    public string? SessionId { get; init; }

    /// <summary>What the caller declared it can do, as JSON: never more is declared to the server.</summary>
    public string Capabilities { get; init; } = "{}";

    /// <summary>What the caller says it is, as JSON.</summary>
    public string? ClientInfo { get; init; }

    /// <summary>The level of log messages a legacy caller has asked for.</summary>
    public string? LogLevel { get; init; }

    /// <summary>The server's InitializeResult as JSON, on a line just opened.</summary>
    public ReadOnlyMemory<byte> Greeting { get; init; }

    public Era Era => Version is Revisions.Modern ? Era.Modern : Era.Legacy;
}
