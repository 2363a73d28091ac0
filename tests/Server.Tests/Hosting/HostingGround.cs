using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Hosting;
using Postern.Hosting.Processes;
using Postern.Hosting.Sandbox;
using Postern.Platform.Configuration;

namespace Postern.Tests.Hosting;

/// <summary>A folder with a command's files beside our data and configuration, and real hosting over it.</summary>
internal sealed class HostingGround : IAsyncDisposable
{
    public const string Canary = "canary-4f1c2a";

    private readonly string root = Directory.CreateTempSubdirectory("postern-hosting-").FullName;

    public HostingGround(Func<HostingOptions, HostingOptions>? change = null)
    {
        App = Path.Combine(root, "app");
        Data = Path.Combine(App, "data");
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, "master.key"), Canary);
        File.WriteAllText(Path.Combine(App, "postern.yaml"), Canary);
        File.WriteAllText(Path.Combine(App, "own.txt"), "mine");
        var options = new HostingOptions
        {
            Folder = Path.Combine(Data, "hosting"),
            Hidden = [Data, Path.Combine(App, "postern.yaml")],
            StartsAtOnce = 8,
        };
        options = change?.Invoke(options) ?? options;
        Sandboxes = new(options, Clock);
        Servers = new(options, Sandboxes, Clock, NullLogger<HostedServers>.Instance);
    }

    public string App { get; }

    public string Data { get; }

    public MovableClock Clock { get; } = new();

    public Sandboxes Sandboxes { get; }

    public HostedServers Servers { get; }

    public HostedCommand Command(
        string name,
        string[] command,
        string level = "bubblewrap",
        string network = "none",
        long memory = 512,
        long processes = 64,
        bool shared = false,
        string[]? read = null,
        Dictionary<string, string>? environment = null) => new(TenantId.Default, name, command, App, new SandboxSeed
        {
            Level = level,
            Network = network,
            Memory = memory,
            Processes = processes,
            Shared = shared,
            Readable = read ?? [],
            Environment = environment ?? [],
        });

    public HostedCommand Shell(string script, string name = "sh") => Command(name, ["/bin/sh", "-c", script]);

    public async Task<HostedProcess> StartAsync(HostedCommand server, string principal = "ada") =>
        Assert.IsType<AcquireOutcome.Running>(await Servers.AcquireAsync(server, principal, default)).Process;

    public async Task<AcquireOutcome.Refused> RefusalAsync(HostedCommand server, string principal = "ada") =>
        Assert.IsType<AcquireOutcome.Refused>(await Servers.AcquireAsync(server, principal, default));

    /// <summary>Runs a command to its end and gives what it said on stderr, where anything may be said.</summary>
    public async Task<string> OutputAsync(HostedCommand server, string principal = "ada")
    {
        var process = await StartAsync(server, principal);
        await process.Exited.WaitAsync(TimeSpan.FromSeconds(20));
        return string.Join('\n', process.LastErrors);
    }

    public static async Task<JsonElement> ReadAsync(HostedProcess process)
    {
        var line = await process.Lines.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        return JsonDocument.Parse(line).RootElement;
    }

    public static Task WriteAsync(HostedProcess process, string line) =>
        process.WriteLineAsync(Encoding.UTF8.GetBytes(line), default);

    /// <summary>Processes of this machine that are <c>sleep</c> with the marker, or on the way to become it.</summary>
    public static int Alive(string marker) => CommandLines().Count(line => line.Contains($"sleep\0{marker}"));

    public static int Asleep(string marker) => CommandLines().Count(line => line.StartsWith($"sleep\0{marker}"));

    /// <summary>The process of the host that is <c>sleep</c> with the marker.</summary>
    public static int Sleeper(string marker) => int.Parse(Path.GetFileName(
        Processes().Single(folder => CommandLine(folder).StartsWith($"sleep\0{marker}"))));

    /// <summary>The user a process is for the kernel.</summary>
    public static string UserOf(int process) =>
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("Uid:")).Split('\t')[1];

    public static string Marker() => $"7{Random.Shared.Next(10_000_000)}";

    /// <summary>Runs a program of the machine and gives what it said.</summary>
    public static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return said.Trim();
    }

    /// <summary>Waits until none is left; looks often, since a process is nameless while it becomes another.</summary>
    public static async Task UntilGoneAsync(string marker)
    {
        for (var unseen = 0; unseen < 5; unseen++)
        {
            await UntilAsync(() => Alive(marker) is 0);
            await Task.Delay(20);
        }

        Assert.Equal(0, Alive(marker));
    }

    public static async Task UntilAsync(Func<bool> isSo, [CallerArgumentExpression(nameof(isSo))] string what = "")
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(20), $"never: {what}");
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Servers.StopAsync(default);
        Servers.Dispose();
        Sandboxes.Dispose();
        Directory.Delete(root, recursive: true);
    }

    private static IEnumerable<string> CommandLines() => Processes().Select(CommandLine);

    private static IEnumerable<string> Processes() => Directory.EnumerateDirectories("/proc")
        .Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0]));

    private static string CommandLine(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "cmdline"));
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>The machine's time, with a push when a test needs to be later.</summary>
    internal sealed class MovableClock : TimeProvider
    {
        private long ahead;

        public void Advance(TimeSpan by) => Interlocked.Add(ref ahead, by.Ticks);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref ahead));

        public override long GetTimestamp() => GetUtcNow().UtcTicks;
    }
}
