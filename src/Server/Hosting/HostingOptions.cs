using Postern.Platform.Configuration;

namespace Postern.Hosting;

/// <summary>The bounds of hosting.</summary>
internal sealed record HostingOptions
{
    /// <summary>Where hosted servers keep their files and logs; below the server's own data.</summary>
    public required string Folder { get; init; }

    /// <summary>What no command may see, whatever it is given to read: our data and configuration.</summary>
    public required IReadOnlyList<string> Hidden { get; init; }

    public string Bubblewrap { get; init; } = "/usr/bin/bwrap";

    /// <summary>False to leave control groups alone, as on a machine that lets us have none.</summary>
    public bool HasControlGroups { get; init; } = true;

    /// <summary>Starts at one time. Each counts until the first line, or <see cref="StartLimit"/>.</summary>
    public int StartsAtOnce { get; init; } = Math.Max(2, Environment.ProcessorCount);

    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a call waits for its turn to start a server.</summary>
    public TimeSpan QueueLimit { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The longest life, in use or not: a client that vanished must not keep a process for ever.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(24);

    public int MaxPerServer { get; init; } = 32;

    public int MaxProcesses { get; init; } = 256;

    /// <summary>So many crashes within <see cref="CrashWindow"/> are an error, until the window has passed.</summary>
    public int MaxCrashes { get; init; } = 5;

    public TimeSpan CrashWindow { get; init; } = TimeSpan.FromMinutes(5);

    /// <param name="settings">What the operator decided.</param>
    /// <param name="configuration">The configuration file, which may hold passwords.</param>
    public static HostingOptions From(Settings settings, string configuration)
    {
        string[] database = settings.Database.Path is { } file
            ? [file, file + "-wal", file + "-shm", file + "-journal"]
            : [];
        return new()
        {
            Folder = Path.GetFullPath(Path.Combine(settings.Data, "hosting")),
            Hidden = [.. database.Append(settings.Data).Append(configuration).Select(Path.GetFullPath)],
        };
    }
}
