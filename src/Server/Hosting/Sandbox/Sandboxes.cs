using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Postern.Platform;
using Postern.Platform.Configuration;

namespace Postern.Hosting.Sandbox;

/// <summary>
/// Shuts commands in. Where the sandbox does not work nothing is started: only the operator's own
/// <c>sandbox: { level: none }</c> goes without, and that is said wherever the server is shown.
/// </summary>
internal sealed class Sandboxes : IDisposable
{
    private const int OwnProcesses = 2; // bubblewrap outside, and inside as the first process

    // Milliseconds as a rule; but commands give way to everything else on a machine, from their first breath on.
    private static readonly TimeSpan SetupLimit = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(10);

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

    /// <summary>Why the command cannot be run: as it is written, or on this machine. Null if it can.</summary>
    public async Task<string?> ProblemAsync(HostedCommand server) => CommandCheck.Problem(server)
        ?? (server.Sandbox.Level is not "none" && await TryAsync() is TrialOutcome.Fails fails ? fails.Because : null);

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
    public async Task<string> LevelOfAsync(SandboxSeed sandbox) => sandbox.Level is "none"
        ? "none: the command can do whatever this server can"
        : await TryAsync() switch
        {
            TrialOutcome.Holds holds => holds.Level + (sandbox.Network is "host" ? ", network of the host" : ""),
            TrialOutcome.Fails fails => fails.Because,
            _ => throw new UnreachableException(),
        };

    /// <summary>Starts a command. Ask <see cref="ProblemAsync"/> first: where there is no sandbox this fails.</summary>
    public async Task<Confined> StartAsync(HostedCommand server, string home)
    {
        PrivateFolder.Make(home);
        var group = groups.Value?.Make(server.Sandbox.Memory << 20, server.Sandbox.Processes + OwnProcesses);
        try
        {
            var process = await launcher.StartAsync(StartOf(server, home, group));
            return await HandOverAsync(new(process, group, IsShutIn: server.Sandbox.Level is not "none"));
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
                $"bubblewrap is not installed: {options.Bubblewrap} is missing. On Debian: apt install bubblewrap.");
        }

        return await TrialRunAsync() is { } problem
            ? new TrialOutcome.Fails($"bubblewrap does not work on this machine. {problem} {Advice(problem)}".TrimEnd())
            : new TrialOutcome.Holds(LevelInWords());
    }

    private ProcessStartInfo StartOf(HostedCommand server, string home, ControlGroup? group)
    {
        if (server.Sandbox.Level is "none")
        {
            var open = new Wrapping(
                ["/usr/bin/setpriv", "--no-new-privs", "--"], SandboxUser.Nobody, home, home, "/dev/null");
            return ConfinedCommand.For(server, open, group);
        }

        var user = SandboxUser.Of(Path.GetRelativePath(options.Folder, home));
        var arguments = BubblewrapArguments.For(server, home, user, files.Value, options.Hidden);
        string[] words = [options.Bubblewrap, .. arguments, "--", .. BubblewrapArguments.BecomeUser(user)];
        return ConfinedCommand.For(
            server, new(words, user, home, BubblewrapArguments.Home, files.Value.Filter), group);
    }

    /// <summary>Waits for the sandbox to be complete, and lets the command go.</summary>
    private async Task<Confined> HandOverAsync(Confined started)
    {
        using var limit = new CancellationTokenSource(SetupLimit, clock);
        try
        {
            var word = new byte[ConfinedCommand.Ready.Length + 1];
            var length = await started.Process.StandardOutput.BaseStream.ReadAtLeastAsync(
                word, word.Length, throwOnEndOfStream: false, limit.Token);
            if (length < word.Length)
            {
                throw new IOException(await FirstErrorAsync(started.Process, limit.Token));
            }

            await started.Process.StandardInput.BaseStream.WriteAsync("go\n"u8.ToArray(), limit.Token);
            return started;
        }
        catch (Exception problem) when (problem is IOException or OperationCanceledException)
        {
            started.Kill();
            await started.DisposeAsync(clock);
            throw new IOException($"The sandbox could not be built: {problem.Message}", problem);
        }
    }

    private static async Task<string> FirstErrorAsync(Process process, CancellationToken stop)
    {
        var text = new byte[1000];
        var errors = process.StandardError.BaseStream;
        var length = await errors.ReadAtLeastAsync(text, text.Length, throwOnEndOfStream: false, stop);
        return string.Concat(Encoding.ASCII.GetString(text, 0, length).Select(c => char.IsControl(c) ? ' ' : c)).Trim();
    }

    /// <summary>Runs a command that does nothing; null when it came to its end.</summary>
    private async Task<string?> TrialRunAsync()
    {
        var home = Path.Combine(options.Folder, "trial");
        try
        {
            PrivateFolder.Make(home);
            return await TrialEndAsync(await StartAsync(new(new(""), "trial", ["true"], "/usr", Seed), home));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or Win32Exception)
        {
            return problem.Message;
        }
    }

    private async Task<string?> TrialEndAsync(Confined started)
    {
        using var limit = new CancellationTokenSource(SetupLimit, clock);
        try
        {
            await started.Process.WaitForExitAsync(limit.Token);
            var code = started.Process.ExitCode;
            return code is 0 ? null : $"A command that does nothing ended with code {code}.";
        }
        catch (OperationCanceledException)
        {
            started.Kill();
            return "A command that does nothing did not end.";
        }
        finally
        {
            await started.DisposeAsync(clock);
        }
    }

    private string LevelInWords() =>
        $"bubblewrap, {(files.Value.HasFilter ? "seccomp" : "no seccomp on this processor")}, "
        + groups.Value switch
        {
            { } found => $"control groups v{found.Version}",
            null => "memory bounded for each process, processor time shared by priority",
        };

    private static string Advice(string errors) => Array.Find(
        Advices, each => errors.Contains(each.Sign, StringComparison.OrdinalIgnoreCase)).Advice ?? "";

    private const string Namespaces =
        "The kernel or a container forbids namespaces: see kernel.unprivileged_userns_clone, "
            + "kernel.apparmor_restrict_unprivileged_userns, or the container's capabilities and seccomp profile.";

    private static readonly (string Sign, string Advice)[] Advices =
    [
        ("namespace", Namespaces),
        ("uid map", Namespaces),
        // Root of a container whose users are few.
        ("setresuid", "As root we run commands as users of their own, and here are none: run postern as another user."),
        ("chown", "As root we run commands as users of their own, and here are none: run postern as another user."),
    ];

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
