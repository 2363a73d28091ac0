using System.Threading.Channels;

namespace Postern.Platform.Database;

/// <summary>
/// The one writer of this node. It takes all units that wait, runs them in one transaction, each atomic by savepoint,
/// commits once, and only then tells their callers: one wait for the disk serves everybody who came meanwhile.
/// </summary>
internal sealed partial class GroupWriter : IAsyncDisposable
{
    /// <summary>The most units in one transaction, and the most that may wait for the next.</summary>
    private const int MostTogether = 256, MostWaiting = 8192;

    private readonly Engine engine;
    private readonly ILogger logger;
    private readonly Channel<Work> queue = Channel.CreateBounded<Work>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly Lazy<Thread> thread;
    private WriterConnection? connection;

    public GroupWriter(Engine engine, ILogger logger)
    {
        (this.engine, this.logger) = (engine, logger);
        thread = new(Start);
    }

    public List<BeforeCommit> BeforeCommit { get; } = [];

    public List<Action<IReadOnlyList<Change>>> AfterCommit { get; } = [];

    public Task<T> WriteAsync<T>(Func<Unit, ValueTask<T>> run)
    {
        _ = thread.Value;
        var work = new Work<T>(run);
        return queue.Writer.TryWrite(work)
            ? work.Done
            : Task.FromException<T>(new DatabaseUnavailableException("Too much waits to be written."));
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        if (thread.IsValueCreated)
        {
            thread.Value.Join();
        }

        if (connection is not null)
        {
            await connection.DisposeAsync();
        }
    }

    // A thread of its own: SQLite waits for the disk inside the call, and the pool's few threads have requests to serve.
    private Thread Start()
    {
        var started = new Thread(Run) { IsBackground = true, Name = "postern writer" };
        started.Start();
        return started;
    }

    private void Run()
    {
        var group = new List<Work>(MostTogether);
        while (queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (group.Count < MostTogether && queue.Reader.TryRead(out var work))
            {
                group.Add(work);
            }

            CommitAsync(group).AsTask().GetAwaiter().GetResult();
            group.Clear();
        }
    }

    private async ValueTask CommitAsync(List<Work> group)
    {
        if (await TryCommitAsync(group) is not { } failure)
        {
            return;
        }

        if (engine.IsConflict(failure))
        {
            await CommitEachAsync(group);
            return;
        }

        Log.Failed(logger, group.Count, failure);
        var answer = engine.Outage(failure) is { } outage ? new DatabaseUnavailableException(outage, failure) : failure;
        group.ForEach(work => work.Fail(answer));
    }

    // Two nodes that lock the same rows in another order stop each other. Alone, each unit gets through.
    private async ValueTask CommitEachAsync(List<Work> group)
    {
        foreach (var work in group)
        {
            Exception? failure = null;
            for (var tries = 0; tries < 5 && (failure = await TryCommitAsync([work])) is not null; tries++)
            {
                if (!engine.IsConflict(failure))
                {
                    break;
                }
            }

            if (failure is not null)
            {
                work.Fail(engine.Outage(failure) is { } outage ? new DatabaseUnavailableException(outage, failure) : failure);
            }
        }
    }

    private async ValueTask<Exception?> TryCommitAsync(List<Work> group)
    {
        try
        {
            connection ??= new(await engine.OpenWriterAsync(CancellationToken.None));
            await connection.Fixed(engine.Begin).ExecuteNonQueryAsync();
            var (attached, changes) = (new List<object>(group.Count), new List<Change>());
            foreach (var work in group)
            {
                await RunAsync(work, connection, attached, changes);
            }

            var last = new Unit(connection);
            foreach (var act in BeforeCommit)
            {
                await act(last, attached, changes);
            }

            await last.KeepAsync();
            await connection.Fixed("commit").ExecuteNonQueryAsync();
            foreach (var act in AfterCommit)
            {
                act(changes);
            }

            group.ForEach(work => work.Tell());
            return null;
        }
        catch (Exception failure)
        {
            await RollBackAsync(failure);
            return failure;
        }
    }

    private async ValueTask RunAsync(Work work, WriterConnection connection, List<object> attached, List<Change> changes)
    {
        var unit = new Unit(connection);
        try
        {
            await work.RunAsync(unit);
            await unit.KeepAsync();
            attached.AddRange(unit.Attached);
            changes.AddRange(unit.Changes);
        }
        catch (Exception failure) when (engine.Outage(failure) is null && !engine.IsConflict(failure))
        {
            // A refusal or a broken rule of this unit alone; its neighbours go on.
            await unit.UndoAsync();
            work.Refuse(failure);
        }
    }

    // After a failure the state of the connection is not known, so it is not used again.
    private async ValueTask RollBackAsync(Exception failure)
    {
        if (connection is null)
        {
            return;
        }

        try
        {
            await connection.Fixed("rollback").ExecuteNonQueryAsync();
        }
        catch (Exception second) when (second is System.Data.Common.DbException or InvalidOperationException or TimeoutException)
        {
            Log.RollbackFailed(logger, failure.Message, second);
        }

        await connection.DisposeAsync();
        connection = null;
    }

    /// <summary>One caller's work with the place where its answer is told.</summary>
    private abstract class Work
    {
        public abstract ValueTask RunAsync(Unit unit);

        public abstract void Refuse(Exception failure);

        public abstract void Tell();

        public abstract void Fail(Exception failure);
    }

    private sealed class Work<T>(Func<Unit, ValueTask<T>> run) : Work
    {
        private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? result;
        private Exception? refusal;

        public Task<T> Done => done.Task;

        public override async ValueTask RunAsync(Unit unit)
        {
            (result, refusal) = (default, null);
            result = await run(unit);
        }

        public override void Refuse(Exception failure) => refusal = failure;

        public override void Tell()
        {
            if (refusal is null)
            {
                done.TrySetResult(result!);
                return;
            }

            done.TrySetException(refusal);
        }

        public override void Fail(Exception failure) => done.TrySetException(failure);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "A transaction of {Count} units failed; nothing of it was acknowledged")]
        public static partial void Failed(ILogger logger, int count, Exception failure);

        [LoggerMessage(LogLevel.Warning, "Rolling back after '{Cause}' failed; the connection is given up")]
        public static partial void RollbackFailed(ILogger logger, string cause, Exception failure);
    }
}
