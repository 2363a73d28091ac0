using System.ComponentModel;
using System.Security.Cryptography;
using Postern.Hosting.Sandbox;

namespace Postern.Hosting.Processes;

/// <summary>Waits until one more process may start, and starts it.</summary>
internal delegate Task<AcquireOutcome> StartInTurn(
    HostedCommand server, Func<IDisposable, Task<AcquireOutcome>> start);

/// <summary>One principal's place at one server: at most one process, at most one start under way.</summary>
internal sealed class Instance(
    HostingOptions options,
    Sandboxes sandboxes,
    TimeProvider clock,
    RandomNumberGenerator random,
    string id,
    ServerLog log,
    StartInTurn inTurn)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly CrashHistory crashes = new(clock, random, options.MaxCrashes, options.CrashWindow);
    private HostedProcess? process;
    private HostedCommand? definition;
    private Task<AcquireOutcome>? starting;
    private Task stopping = Task.CompletedTask;
    private IReadOnlyList<string> lastErrors = [];
    private int starts;
    private bool isClosed;

    /// <summary>How long nobody has needed the process; null without one, or while one starts.</summary>
    public TimeSpan? Idle
    {
        get
        {
            lock (gate)
            {
                return starting is null ? process?.Idle : null;
            }
        }
    }

    /// <summary>The process, started if need be. False when this place was given up: take another.</summary>
    public bool TryAcquire(HostedCommand server, out Task<AcquireOutcome> outcome)
    {
        lock (gate)
        {
            outcome = starting
                ?? (AtOnce(server) is { } settled
                    ? Task.FromResult(settled)
                    : starting = Task.Run(() => LaunchAsync(server)));
            return !isClosed;
        }
    }

    /// <summary>Ends the process if the condition holds at this moment.</summary>
    public Task StopAsync(string because, Func<HostedProcess, bool>? when = null)
    {
        lock (gate)
        {
            if (process is not null && when?.Invoke(process) is not false)
            {
                log.Write(id, "life", $"stopping: {because}");
                (stopping, process) = (process.StopAsync(because), null);
            }

            return stopping;
        }
    }

    /// <summary>Ends the process, also one that is just being started, and takes no more calls.</summary>
    public async Task CloseAsync(string because)
    {
        Task? begun;
        lock (gate)
        {
            (isClosed, begun) = (true, starting);
        }

        await (begun ?? Task.CompletedTask);
        await StopAsync(because);
    }

    /// <summary>Gives the place up if nothing is left in it worth remembering.</summary>
    public bool TryClose()
    {
        lock (gate)
        {
            return isClosed = isClosed || (process is null && starting is null && crashes.Count is 0);
        }
    }

    public void Forgive()
    {
        lock (gate)
        {
            crashes.Forget();
        }
    }

    public HostedStatus Status(TenantId tenant, string server)
    {
        lock (gate)
        {
            var state = process is not null ? HostedState.Running
                : starting is not null ? HostedState.Starting
                : crashes.IsError ? HostedState.Error
                : HostedState.Idle;
            return new(
                tenant, server, id, state, process?.Since, starts, crashes.Count, process?.LastErrors ?? lastErrors);
        }
    }

    // The process that runs, or why none is started. Null: start one.
    private AcquireOutcome? AtOnce(HostedCommand server)
    {
        if (process is { Exited.IsCompleted: false } && definition!.Serves(server))
        {
            process.Touch();
            return new AcquireOutcome.Running(process);
        }

        var wait = isClosed ? TimeSpan.Zero : crashes.Wait();
        return wait is null ? null : Refusal(wait.Value);
    }

    private async Task<AcquireOutcome> LaunchAsync(HostedCommand server)
    {
        try
        {
            await StopAsync("its definition changed", hosted => !hosted.Exited.IsCompleted);
            return await inTurn(server, room => StartAsync(server, room));
        }
        finally
        {
            lock (gate)
            {
                starting = null;
            }
        }
    }

    private async Task<AcquireOutcome> StartAsync(HostedCommand server, IDisposable room)
    {
        try
        {
            var redaction = new Redaction(server.Sandbox.Environment.Values);
            var started = await sandboxes.StartAsync(server, HomeOf(server));
            var hosted = new HostedProcess(
                started, room, redaction, (channel, text) => log.Write(id, channel, text), clock);
            log.Write(id, "life", $"started: {Path.GetFileName(server.Command[0])}");
            lock (gate)
            {
                (process, definition) = (hosted, server);
                starts++;
            }

            HostingNumbers.Starts.Add(1);
            HostingNumbers.Live.Add(1);
            _ = WatchAsync(hosted);
            return new AcquireOutcome.Running(hosted);
        }
        catch (Exception problem) when (problem is IOException or Win32Exception or UnauthorizedAccessException)
        {
            log.Write(id, "life", $"could not start: {problem.Message}");
            RecordCrash([problem.Message]);
            return new AcquireOutcome.Refused("This server could not be started.", problem.Message, RetryAfter);
        }
    }

    private async Task WatchAsync(HostedProcess hosted)
    {
        var end = await hosted.Exited;
        HostingNumbers.Live.Add(-1);
        log.Write(id, "life", $"ended: {end.Reason}");
        lock (gate)
        {
            process = process == hosted ? null : process;
        }

        if (!end.WasAsked)
        {
            RecordCrash([.. hosted.LastErrors, end.Reason]);
        }
    }

    private void RecordCrash(IReadOnlyList<string> errors)
    {
        HostingNumbers.Crashes.Add(1);
        lock (gate)
        {
            lastErrors = errors;
            crashes.Record();
        }
    }

    private AcquireOutcome.Refused Refusal(TimeSpan wait)
    {
        var last = string.Join('\n', lastErrors.TakeLast(5));
        var state = crashes.IsError ? "keeps crashing and is not started for now" : "crashed and is given a pause";
        return new($"This server {state}. Its last words:\n{last}", $"{crashes.Count} crashes", wait);
    }

    private string HomeOf(HostedCommand server) =>
        Path.Combine(options.Folder, "homes", server.Key, id);
}
