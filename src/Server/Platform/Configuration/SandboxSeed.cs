namespace Postern.Platform.Configuration;

/// <summary>How far a local command is shut in.</summary>
internal sealed record SandboxSeed
{
    /// <summary><c>bubblewrap</c>, or <c>none</c> when the operator says so.</summary>
    public required string Level { get; init; }

    /// <summary><c>none</c>, or <c>host</c>.</summary>
    public required string Network { get; init; }

    /// <summary>Mebibytes.</summary>
    public required long Memory { get; init; }

    public required long Processes { get; init; }

    /// <summary>Serves everybody by one process, because it keeps nothing of anybody.</summary>
    public required bool Shared { get; init; }

    /// <summary>Folders it may read besides the system's.</summary>
    public required IReadOnlyList<string> Readable { get; init; }

    /// <summary>Variables it is given.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    public static SandboxSeed Read(SettingsNode node) => new()
    {
        Level = node.Value(
            "level",
            "How it is shut in.",
            "bubblewrap",
            "bubblewrap or none",
            text => text is "bubblewrap" or "none" ? text : null),
        Network = node.Value(
            "network",
            "What it reaches of the network.",
            "none",
            "none or host",
            text => text is "none" or "host" ? text : null),
        Memory = node.Number("memory", "The memory it may take, in MiB.", 512, 16, 65536),
        Processes = node.Number("processes", "The processes and threads it may have.", 64, 1, 4096),
        Shared = node.Flag(
            "shared", "One process serves everybody; only for a server that keeps nothing of anybody.", false),
        Readable = node.List("read", "Folders it may read besides the system's.", "a folder", text => text),
        Environment = node.Map("environment", "Variables it is given.", "text", text => text),
    };
}
