using System.Diagnostics;
using System.Security.Cryptography;
using Npgsql;

namespace Postern.Platform.Database;

/// <summary>
/// The change feed. A unit announces what it changed; the row is written in the same transaction, so nobody hears of
/// what was rolled back and everybody hears of what was committed. On this node subscribers hear before the writer's
/// caller does; on others by LISTEN, with a poll each second as the safety net.
/// </summary>
/// <remarks>
/// Numbers are given out under the lock of one row, held to the end of the transaction: they appear in the order of
/// commits, so a follower that has seen a number has seen everything before it.
/// </remarks>
public sealed partial class Changes : IAsyncDisposable
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(1), Kept = TimeSpan.FromHours(1);

    /// <summary>How long a node may hear nothing, not even that there was nothing.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Db db;
    private readonly TimeProvider clock;
    private readonly ILogger<Changes> logger;
    private readonly string node;
    private readonly Sweep sweep;
    private readonly CancellationTokenSource ending = new();
    private readonly Lock subscribing = new();
    private Action<Change>[] subscribers = [];
    private long seen, readAt;
    private Task following = Task.CompletedTask;

    public Changes(Db db, TimeProvider clock, RandomNumberGenerator random, ILogger<Changes> logger)
    {
        (this.db, this.clock, this.logger, sweep) = (db, clock, logger, new(clock));
        node = Secret.New(random).Hash()[..16];
        db.AtCommit(CommitStep.Feed, WriteAsync);
        db.AfterCommit.Add(changes => Tell(changes));
    }

    /// <summary>Announced when so much was missed that nothing in memory may be believed.</summary>
    public const string Everything = "everything";

    /// <summary>
    /// Whether this node has lately heard what the others changed. One that has not may go by what was revoked, so it
    /// is not ready to serve.
    /// </summary>
    public bool IsHearing =>
        db.Engine is not PostgresEngine
        || clock.GetUtcNow().ToUnixTimeSeconds() - Interlocked.Read(ref readAt) <= (long)Patience.TotalSeconds;

    /// <summary>Calls back for each change, quickly; what takes longer goes elsewhere.</summary>
    public void Subscribe(Action<Change> subscriber)
    {
        lock (subscribing)
        {
            subscribers = [.. subscribers, subscriber];
        }
    }

    /// <summary>Begins to follow the other nodes. A node of SQLite is alone and has nobody to follow.</summary>
    public async Task StartAsync(CancellationToken stop)
    {
        if (db.Engine is PostgresEngine)
        {
            seen = await HeadAsync(stop);
            NoteReading();
            following = Task.Run(FollowAsync, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await following;
        ending.Dispose();
    }

    private void Tell(IEnumerable<Change> changes)
    {
        foreach (var change in changes)
        {
            foreach (var subscriber in subscribers)
            {
                Tell(subscriber, change);
            }
        }
    }

    // It happened, whatever one of them makes of it; and the others must hear of it too.
    private void Tell(Action<Change> subscriber, Change change)
    {
        try
        {
            subscriber(change);
        }
        catch (Exception failure)
        {
            Log.NotHeard(logger, change.Kind, failure);
        }
    }

    private void NoteReading() => Interlocked.Exchange(ref readAt, clock.GetUtcNow().ToUnixTimeSeconds());

    private async ValueTask WriteAsync(Unit last, IReadOnlyList<object> attached, IReadOnlyList<Change> changes)
    {
        if (changes.Count is 0 || db.Engine.Notify is not { } notify)
        {
            return;
        }

        var head = await last.FirstAsync(
            $"update change_head set id = id + {(long)changes.Count} returning id",
            row => new Row(row.GetInt64(0), null!, "")) ?? throw new UnreachableException();
        var (id, isDue) = (head.Id - changes.Count, sweep.IsDue(out var now));
        foreach (var change in changes)
        {
            await last.RunAsync(
                $"""
                insert into changes (id, tenant, kind, key, node, at)
                values ({++id}, {change.Tenant.Value}, {change.Kind}, {change.Key}, {node}, {now})
                """);
        }

        if (isDue)
        {
            await last.RunAsync($"delete from changes where at < {now - (long)Kept.TotalSeconds}");
        }

        await last.RunTextAsync(notify);
    }

    private async Task FollowAsync()
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                await ListenAsync();
            }
            catch (Exception) when (ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                // Whatever it is: a feed that ended would leave every cache of this node as it was, for ever.
                Log.Lost(logger, failure);
                await Task.Delay(PollEvery, clock, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListenAsync()
    {
        await using var connection = (NpgsqlConnection)await db.Engine.OpenAsync(ending.Token);
        await using (var listen = new NpgsqlCommand($"listen {PostgresEngine.Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(ending.Token);
        }

        while (true)
        {
            await ReadAsync();
            await connection.WaitAsync(PollEvery, ending.Token);
        }
    }

    private async Task ReadAsync()
    {
        var rows = await db.AllAsync(
            $"select id, tenant, kind, key, node from changes where id > {seen} order by id limit 10000",
            row => new Row(
                row.GetInt64(0), new(row.GetString(2), new(row.GetString(1)), row.GetString(3)), row.GetString(4)),
            ending.Token);
        if (rows is [var first, ..] && first.Id > seen + 1)
        {
            // Rows were pruned before this node read them: it was away for longer than they are kept.
            Tell([new(Everything, default, "")]);
        }

        Tell(rows.Where(row => row.Node != node).Select(row => row.Change));
        seen = rows is [.., var newest] ? newest.Id : seen;
        NoteReading();
    }

    private async Task<long> HeadAsync(CancellationToken stop) =>
        (await db.FirstAsync($"select id from change_head", row => new Row(row.GetInt64(0), null!, ""), stop))!.Id;

    private sealed record Row(long Id, Change Change, string Node);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The change feed is interrupted; trying again")]
        public static partial void Lost(ILogger logger, Exception cause);

        [LoggerMessage(LogLevel.Error, "A change of {Kind} was not heard by all")]
        public static partial void NotHeard(ILogger logger, string kind, Exception cause);
    }
}
