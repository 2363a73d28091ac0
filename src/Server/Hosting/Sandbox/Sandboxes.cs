using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Postern.Platform.Configuration;

namespace Postern.Hosting.Sandbox;

/// <summary>
/// Shuts commands in. Where the sandbox does not work nothing is started: only the operator's own
/// <c>sandbox: { level: none }</c> goes without, and that is said wherever the server is shown.
/// </summary>
internal sealed class Sandboxes : IDisposable
{
    private const int OwnProcesses = 2; // bubblewrap outside, and inside as the first process

    private static readonly TimeSpan TrialLimit = TimeSpan.FromSeconds(5), TryAgainAfter = TimeSpan.FromSeconds(10);

    private static readonly string[] SearchedFolders = ["/usr/local/bin", "/usr/bin", "/bin"];

    private readonly HostingOptions options;
    private readonly TimeProvider clock;
    private readonly Lazy<SandboxFiles> files;
    private readonly Lazy<ControlGroups?> groups;
    private readonly LaunchThread launcher = new();
    private readonly SemaphoreSlim trial = new(1);
    private TrialOutcome? tried;
    private long triedAt;

    public Sandboxes(HostingOptions options, TimeProvider clock)
    {
        (this.options, this.clock) = (options, clock);
        files = new(() => new(Path.Combine(options.Folder, "system")));
        groups = new(() => options.HasControlGroups ? ControlGroups.Find() : null);
    }

    /// <summary>Why the command cannot be run as it is written; null if it can.</summary>
    public static string? Problem(HostedCommand server)
    {
        if (server.Command is [])
        {
            return "It has no command.";
        }

        if (server.Sandbox.Readable.Prepend(server.Directory).FirstOrDefault(folder => !Directory.Exists(folder)) is { } lost)
        {
            return $"The folder {lost} does not exist.";
        }

        if (server.Sandbox.Readable.Prepend(server.Directory).Any(folder => RealPath.Of(folder) is "/"))
        {
            return "The whole file system cannot be given to a command. Name the folders it needs.";
        }

        if (server.Sandbox.Environment.Keys.FirstOrDefault(name => !IsOurs(name)) is { } variable)
        {
            return $"The variable {variable} cannot be given to a command.";
        }

        return Find(server) is null
            ? $"The program {server.Command[0]} is neither in {string.Join(", ", SearchedFolders)} nor in {server.Directory}."
            : null;
    }

    /// <summary>A real trial run. That it held is remembered for good, that it failed for a moment.</summary>
    public async Task<TrialOutcome> TryAsync()
    {
        if (Volatile.Read(ref tried) is TrialOutcome.Holds holds)
        {
            return holds;
        }

        await trial.WaitAsync();
        try
        {
            if (tried is null || (tried is TrialOutcome.Fails && clock.GetElapsedTime(triedAt) > TryAgainAfter))
            {
                (tried, triedAt) = (await TryOnceAsync(), clock.GetTimestamp());
            }

            return tried;
        }
        finally
        {
            trial.Release();
        }
    }

    /// <summary>What holds for a server, in words for an operator.</summary>
    public async Task<string> LevelOfAsync(HostedCommand server) => server.Sandbox.Level is "none"
        ? "none: the command can do whatever this server can"
        : await TryAsync() switch
        {
            TrialOutcome.Holds held => server.Sandbox.Network is "host" ? held.Level + ", with the network of the host" : held.Level,
            TrialOutcome.Fails fails => fails.Because,
            _ => throw new UnreachableException(),
        };

    /// <summary>Starts a command. Call <see cref="TryAsync"/> first: this does not go on without a sandbox, it fails.</summary>
    public async Task<Confined> StartAsync(HostedCommand server, string home)
    {
        Directory.CreateDirectory(home);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(options.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var group = groups.Value?.Make(server.Sandbox.Memory << 20, server.Sandbox.Processes + OwnProcesses);
        try
        {
            var process = await launcher.StartAsync(StartOf(server, home, group));
            return new(process, group, server.Sandbox.Level is not "none");
        }
        catch
        {
            group?.Remove();
            throw;
        }
    }

    public void Dispose()
    {
        launcher.Dispose();
        trial.Dispose();
    }

    private async Task<TrialOutcome> TryOnceAsync()
    {
        if (!OperatingSystem.IsLinux())
        {
            return new TrialOutcome.Fails("Hosting local commands in a sandbox needs Linux.");
        }

        if (!File.Exists(options.Bubblewrap))
        {
            return new TrialOutcome.Fails(
                $"bubblewrap is not installed ({options.Bubblewrap} is missing). Install it (Debian: apt install bubblewrap).");
        }

        var (code, errors) = await TrialRunAsync();
        return code is 0
            ? new TrialOutcome.Holds(LevelInWords())
            : new TrialOutcome.Fails($"bubblewrap does not work on this machine: {errors} {Advice(errors)}");
    }

    private ProcessStartInfo StartOf(HostedCommand server, string home, ControlGroup? group)
    {
        if (server.Sandbox.Level is "none")
        {
            return ConfinedCommand.For(server, ["/usr/bin/setpriv", "--no-new-privs", "--"], home, "/dev/null", group);
        }

        string[] wrap = [options.Bubblewrap, .. BubblewrapArguments.For(server, home, files.Value, options.Hidden), "--"];
        return ConfinedCommand.For(server, wrap, BubblewrapArguments.Home, files.Value.Filter, group);
    }

    private async Task<(int Code, string Errors)> TrialRunAsync()
    {
        var home = Path.Combine(options.Folder, "trial");
        Directory.CreateDirectory(home);
        var command = new HostedCommand(TenantId.Default, "trial", ["/usr/bin/true"], home, Seed);
        using var limit = new CancellationTokenSource(TrialLimit, clock);
        try
        {
            var started = await StartAsync(command, home);
            started.Process.StandardInput.Close();
            var errors = await started.Process.StandardError.ReadToEndAsync(limit.Token);
            await started.Process.WaitForExitAsync(limit.Token);
            var code = started.Process.ExitCode;
            await started.DisposeAsync(clock);
            return (code, Encoding.ASCII.GetString(Encoding.ASCII.GetBytes(errors.Trim())));
        }
        catch (Exception problem) when (problem is IOException or OperationCanceledException or System.ComponentModel.Win32Exception
            or EntryPointNotFoundException)
        {
            return (-1, problem.Message);
        }
    }

    private string LevelInWords() =>
        $"bubblewrap, {(files.Value.HasFilter ? "seccomp" : $"no seccomp on {RuntimeInformation.ProcessArchitecture}")}, "
        + groups.Value switch
        {
            { } found => $"control groups v{found.Version}",
            null when Environment.IsPrivilegedProcess => "memory bounded per process, processes unbounded (root without control groups)",
            null => "memory bounded per process, processes bounded by rlimit",
        };

    private static string Advice(string errors) =>
        errors.Contains("namespace", StringComparison.OrdinalIgnoreCase) || errors.Contains("uid map", StringComparison.Ordinal)
            ? "The kernel or a container forbids unprivileged user namespaces: see kernel.unprivileged_userns_clone, "
                + "kernel.apparmor_restrict_unprivileged_userns, or the container's seccomp profile."
            : "";

    // LD_ and its like would act on the sandbox itself, which runs before the command with the same environment.
    private static bool IsOurs(string name) =>
        name.Length > 0
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_') && !char.IsAsciiDigit(name[0])
        && !name.StartsWith("LD_", StringComparison.Ordinal) && !name.StartsWith("POSTERN_", StringComparison.Ordinal)
        && name is not ("GCONV_PATH" or "GLIBC_TUNABLES" or "LOCPATH" or "NLSPATH");

    private static string? Find(HostedCommand server) => server.Command[0].Contains('/')
        ? Existing(Path.GetFullPath(server.Command[0], Path.GetFullPath(server.Directory)))
        : SearchedFolders.Select(folder => Existing(Path.Combine(folder, server.Command[0]))).FirstOrDefault(found => found is not null);

    private static string? Existing(string path) => File.Exists(path) ? path : null;

    private static SandboxSeed Seed { get; } = new()
    {
        Level = "bubblewrap",
        Network = "none",
        Memory = 64,
        Processes = 8,
        Shared = true,
        Readable = [],
        Environment = new Dictionary<string, string>(),
    };
}
