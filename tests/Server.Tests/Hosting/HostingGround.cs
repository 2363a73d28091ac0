using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
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

    /// <summary>
    /// How long a test waits for what must come: commands give way to everything else that a machine does.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

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
        Servers = new(options, Sandboxes, Clock, RandomNumberGenerator.Create(), NullLogger<HostedServers>.Instance);
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
        await process.Exited.WaitAsync(Patience);
        return string.Join('\n', process.LastErrors);
    }

    public static async Task<JsonElement> ReadAsync(HostedProcess process)
    {
        return JsonDocument.Parse(await LineAsync(process)).RootElement;
    }

    public static async Task<ReadOnlyMemory<byte>> LineAsync(HostedProcess process)
    {
        using var patience = new CancellationTokenSource(Patience);
        return await process.Lines.ReadAsync(patience.Token);
    }

    public static Task WriteAsync(HostedProcess process, string line) =>
        process.WriteLineAsync(Encoding.UTF8.GetBytes(line), default);

    /// <summary>Processes of this machine that are <c>sleep</c> with the marker, or on the way to become it.</summary>
    public static int Alive(string marker) => CommandLines().Count(line => line.Contains($"sleep\0{marker}\0"));

    public static int Asleep(string marker) => CommandLines().Count(line => line.StartsWith($"sleep\0{marker}\0"));

    /// <summary>The process of the host that is <c>sleep</c> with the marker.</summary>
    public static int Sleeper(string marker) => int.Parse(Path.GetFileName(
        Processes().Single(folder => CommandLine(folder).StartsWith($"sleep\0{marker}\0"))));

    /// <summary>The user a process is for the kernel.</summary>
    public static string UserOf(int process) =>
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("Uid:")).Split('\t')[1];

    /// <summary>A number of seconds to sleep that no other process of the machine sleeps.</summary>
    public static string Marker() => $"{Random.Shared.Next(1_000_000_000, int.MaxValue)}";

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
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, $"never: {what}");
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

    /// <summary>
    /// Time stands still until a test moves it, however slow the machine; what is measured goes on and is moved along.
    /// </summary>
    internal sealed class MovableClock : TimeProvider
    {
        private readonly DateTimeOffset began = System.GetUtcNow();
        private long ahead;

        public Alarms Alarms { get; } = new();

        public void Advance(TimeSpan by) => Interlocked.Add(ref ahead, by.Ticks);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => began.AddTicks(Interlocked.Read(ref ahead));

        public override long GetTimestamp() =>
            System.GetElapsedTime(0).Ticks + Interlocked.Read(ref ahead);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            Alarms.Set(callback, state, dueTime, period);
    }
}
