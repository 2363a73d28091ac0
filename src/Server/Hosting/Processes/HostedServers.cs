using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Postern.Hosting.Sandbox;
using Postern.Platform.Configuration;

namespace Postern.Hosting.Processes;

/// <summary>
/// Every hosted server that runs on this machine. A principal has a process of its own unless the server is shared;
/// starts are few at a time, and what nobody uses is stopped.
/// </summary>
internal sealed partial class HostedServers(
    HostingOptions options,
    Sandboxes sandboxes,
    TimeProvider clock,
    RandomNumberGenerator random,
    ILogger<HostedServers> logger) : BackgroundService
{
    private static readonly TimeSpan
        SweepEvery = TimeSpan.FromSeconds(5), BusyFor = TimeSpan.FromSeconds(30), SparedFor = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<Place, Instance> instances = new();
    private readonly ConcurrentDictionary<string, ServerLog> logs = new();
    private readonly SemaphoreSlim turns = new(options.StartsAtOnce);
    private readonly ProcessRooms rooms = new(options.MaxPerServer, options.MaxProcesses);
    private volatile bool isClosing;

    private readonly record struct Place(TenantId Tenant, string Server, string Id);

    /// <summary>The server's process for this principal, started if there is none.</summary>
    /// <param name="server">The server.</param>
    /// <param name="principalKey">Whoever shares a process with nobody: a person, perhaps with a connection.</param>
    /// <param name="stop">Ends the waiting, not the start.</param>
    public async Task<AcquireOutcome> AcquireAsync(HostedCommand server, string principalKey, CancellationToken stop)
    {
        var place = new Place(server.Tenant, server.Name, server.Sandbox.Shared ? "shared" : Fingerprint(principalKey));
        while (!isClosing)
        {
            var instance = instances.GetOrAdd(place, Open);
            if (instance.TryAcquire(server, out var outcome))
            {
                return await outcome.WaitAsync(stop);
            }

            instances.TryRemove(new(place, instance));
        }

        return Refuse(server, "the server is shutting down", TimeSpan.FromSeconds(10));
    }

    public IReadOnlyList<HostedStatus> Status() =>
        [.. instances.Select(each => each.Value.Status(each.Key.Tenant, each.Key.Server))];

    public IReadOnlyList<HostedStatus> StatusOf(TenantId tenant, string server) =>
        [.. Status().Where(each => each.Tenant == tenant && each.Server == server)];

    /// <summary>What a server is doing, in a word for an operator.</summary>
    public string StateOf(TenantId tenant, string server) => StatusOf(tenant, server)
        .Select(each => each.State).DefaultIfEmpty(HostedState.Idle).Max().ToString().ToLowerInvariant();

    /// <summary>What holds for a server, in words for an operator.</summary>
    public Task<string> LevelOfAsync(SandboxSeed sandbox) => sandboxes.LevelOfAsync(sandbox);

    public IReadOnlyList<string> Tail(TenantId tenant, string server, int lines) => LogOf(tenant, server).Tail(lines);

    /// <summary>Ends a server's processes and forgets its crashes; the next call starts it anew.</summary>
    public async Task RestartAsync(TenantId tenant, string server)
    {
        var own = instances.Where(each => each.Key.Tenant == tenant && each.Key.Server == server).ToArray();
        Array.ForEach(own, each => each.Value.Forgive());
        await Task.WhenAll(own.Select(each => each.Value.StopAsync("restarted by a person")));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        isClosing = true;
        await base.StopAsync(cancellationToken);
        await Task.WhenAll(instances.Values.Select(instance => instance.CloseAsync("the server is shutting down")));
        foreach (var log in logs.Values)
        {
            log.Dispose();
        }
    }

    /// <summary>Stops what is idle or has lived its time, and forgets places with nothing in them.</summary>
    internal async Task SweepAsync()
    {
        var stops = instances.Values.SelectMany(instance => (Task[])
        [
            instance.StopAsync("idle", process => process.Idle >= options.IdleAfter),
            instance.StopAsync("its time is over", process => clock.GetUtcNow() - process.Since >= options.Lifetime),
        ]);
        await Task.WhenAll(stops);
        foreach (var (place, instance) in instances)
        {
            if (instance.TryClose())
            {
                instances.TryRemove(new(place, instance));
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(SweepEvery, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await SweepAsync();
        }
    }

    private static string Fingerprint(string principalKey) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(principalKey)))[..32];

    private Instance Open(Place place) =>
        new(options, sandboxes, clock, random, place.Id, LogOf(place.Tenant, place.Server), StartInTurnAsync);

    private ServerLog LogOf(TenantId tenant, string server) => logs.GetOrAdd(
        HostedCommand.KeyOf(tenant, server), key => new(Path.Combine(options.Folder, "logs", key + ".log"), clock));

    private async Task<AcquireOutcome> StartInTurnAsync(
        HostedCommand server, Func<IDisposable, Task<AcquireOutcome>> start)
    {
        if (await sandboxes.ProblemAsync(server) is { } problem)
        {
            return Refuse(server, problem, retryAfter: null);
        }

        if (await EnterAsync(server) is not { } room)
        {
            return Refuse(server, "as many processes run as may", BusyFor);
        }

        if (!await TryTurnAsync())
        {
            room.Dispose();
            return Refuse(server, "no turn to start came", BusyFor);
        }

        HostedProcess? process = null;
        try
        {
            var outcome = isClosing ? Refuse(server, "the server is shutting down", BusyFor) : await start(room);
            process = (outcome as AcquireOutcome.Running)?.Process;
            return outcome;
        }
        finally
        {
            _ = ReleaseAsync(process, room);
        }
    }

    private async Task<bool> TryTurnAsync()
    {
        using var patience = new CancellationTokenSource(options.QueueLimit, clock);
        try
        {
            await turns.WaitAsync(patience.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    // Not when the process exists but when it has spoken: what is costly is what a runtime does before.
    private async Task ReleaseAsync(HostedProcess? process, IDisposable room)
    {
        if (process is null)
        {
            room.Dispose();
        }
        else
        {
            await Task.WhenAny(process.Spoke, Task.Delay(options.StartLimit, clock));
        }

        turns.Release();
    }

    // Room for one more process; if need be by stopping the one that was idle longest.
    private async Task<IDisposable?> EnterAsync(HostedCommand server)
    {
        if (rooms.TryEnter(server.Key) is { } free)
        {
            return free;
        }

        var isFull = rooms.IsFull(server.Key);
        var idlest = instances
            .Where(each => !isFull || HostedCommand.KeyOf(each.Key.Tenant, each.Key.Server) == server.Key)
            .MaxBy(each => each.Value.Idle ?? TimeSpan.Zero).Value;
        await (idlest?.StopAsync("another needs its room", process => process.Idle >= SparedFor) ?? Task.CompletedTask);
        return rooms.TryEnter(server.Key);
    }

    private AcquireOutcome.Refused Refuse(HostedCommand server, string reason, TimeSpan? retryAfter)
    {
        Log.Refused(logger, server.Tenant.Value, server.Name, reason);
        return new(
            retryAfter is null
                ? "This server cannot run as it is set up; whoever operates it finds the reason in the log."
                : "This server is busy. Try again in a little while.",
            reason,
            retryAfter);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Hosted server {Tenant}/{Server} was not started: {Reason}")]
        public static partial void Refused(ILogger logger, string tenant, string server, string reason);
    }
}
