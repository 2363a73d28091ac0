namespace Postern.Platform.Database;

/// <summary>
/// The one writer of this node. It takes all units that wait, runs them in one transaction, each atomic by savepoint,
/// commits once, and only then tells their callers: one wait for the disk serves everybody who came meanwhile. There is
/// no thread of its own: who comes while nobody writes writes at once, and the pool goes on with those who came after.
/// </summary>
internal sealed partial class GroupWriter : IAsyncDisposable
{
    /// <summary>The most units in one transaction, and the most that may wait for the next.</summary>
    private const int MostTogether = 256, MostWaiting = 8192;

    /// <summary>How long what nobody waits for may stay in memory, in milliseconds.</summary>
    private const int Patience = 50;

    private readonly Engine engine;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly Queue<Work> waiting = new();
    private readonly Timer timer;
    private readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Whoever is told writes again through the pool: the others of its group must not wait for that.
    [ThreadStatic]
    private static bool isTelling;

    private int urgent;
    private bool isWriting, isTimed, isClosing;
    private WriterConnection? connection;

    public GroupWriter(Engine engine, ILogger logger)
    {
        (this.engine, this.logger) = (engine, logger);
        timer = new(static writer => ((GroupWriter)writer!).OnTimer(), this, Timeout.Infinite, Timeout.Infinite);
    }

    public List<BeforeCommit> BeforeCommit { get; } = [];

    public List<Action<IReadOnlyList<Change>>> AfterCommit { get; } = [];

    public Task<T> WriteAsync<T>(Func<Unit, ValueTask<T>> run)
    {
        var work = new UnitWork<T>(run);
        return TryAdd(work) ? work.Done : Task.FromException<T>(Full());
    }

    /// <summary>Like a unit that does nothing but attach <paramref name="item"/>.</summary>
    public Task AttachAsync(object item)
    {
        var work = new AttachmentWork(item, isUrgent: true);
        return TryAdd(work) ? work.Done : Task.FromException(Full());
    }

    /// <summary>
    /// Attaches <paramref name="item"/> to the next transaction, which begins within <see cref="Patience"/>. Nobody
    /// waits: if it fails, the log of the process says so.
    /// </summary>
    public void AttachSoon(object item)
    {
        if (!TryAdd(new AttachmentWork(item, isUrgent: false)))
        {
            Log.Failed(logger, 1, Full());
        }
    }

    public async ValueTask DisposeAsync()
    {
        bool begins;
        lock (gate)
        {
            (isClosing, begins) = (true, !isWriting);
            isWriting = true;
        }

        if (begins)
        {
            await WriteGroupAsync();
        }

        await closed.Task;
        await timer.DisposeAsync();
        if (connection is not null)
        {
            await connection.DisposeAsync();
        }
    }

    private bool TryAdd(Work work)
    {
        lock (gate)
        {
            if (isClosing || waiting.Count >= MostWaiting)
            {
                return false;
            }

            waiting.Enqueue(work);
            urgent += work.IsUrgent ? 1 : 0;
            if (isWriting)
            {
                return true;
            }

            if (!work.IsUrgent)
            {
                SetTimer();
                return true;
            }

            isWriting = true;
        }

        // Requests that wait for a thread will soon have units of their own: after them, one transaction serves all.
        if (isTelling || ThreadPool.PendingWorkItemCount > 0)
        {
            GoOn();
        }
        else
        {
            _ = WriteGroupAsync();
        }

        return true;
    }

    private void OnTimer()
    {
        lock (gate)
        {
            isTimed = false;
            if (isWriting || waiting.Count is 0)
            {
                return;
            }

            isWriting = true;
        }

        _ = WriteGroupAsync();
    }

    private void GoOn() =>
        ThreadPool.UnsafeQueueUserWorkItem(static writer => _ = writer.WriteGroupAsync(), this, preferLocal: false);

    // One group. Whoever waits next is served before those of this group hear of it.
    private async Task WriteGroupAsync()
    {
        var group = await CommitNextAsync();
        if (HasMore())
        {
            GoOn();
        }

        // Nobody waits for the patient ones; a lone caller beside them goes on here, without another thread.
        group.RemoveAll(static work => !work.IsUrgent);
        Tell(group);
    }

    private async ValueTask<List<Work>> CommitNextAsync()
    {
        var group = new List<Work>();
        lock (gate)
        {
            while (group.Count < MostTogether && waiting.TryDequeue(out var work))
            {
                group.Add(work);
                urgent -= work.IsUrgent ? 1 : 0;
            }
        }

        try
        {
            await CommitAsync(group);
        }
        catch (Exception failure)
        {
            // Nobody else would tell those who wait, and nothing would ever be written again.
            Log.Failed(logger, group.Count, failure);
            group.ForEach(work => work.Failure = failure);
        }

        return group;
    }

    // What follows an answer runs on the thread that tells it. A task of the pool for each caller would wake threads
    // for each of them; two are enough to keep both halves going.
    private static void Tell(List<Work> group)
    {
        var half = (group.Count + 1) / 2;
        if (half < group.Count)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static part => Tell(part.Group, part.From, part.Group.Count),
                (Group: group, From: half),
                preferLocal: false);
        }

        Tell(group, 0, half);
    }

    private static void Tell(List<Work> group, int from, int to)
    {
        isTelling = true;
        for (var i = from; i < to; i++)
        {
            group[i].Tell();
        }

        isTelling = false;
    }

    /// <summary>
    /// Whether somebody waits for the next group. If not, nobody writes from here on until the next one comes.
    /// </summary>
    private bool HasMore()
    {
        lock (gate)
        {
            isWriting = urgent > 0 || (isClosing && waiting.Count > 0);
            if (isWriting)
            {
                return true;
            }

            SetTimer();
            if (isClosing)
            {
                closed.TrySetResult();
            }

            return false;
        }
    }

    private void SetTimer()
    {
        if (!isTimed && waiting.Count > 0)
        {
            isTimed = timer.Change(Patience, Timeout.Infinite);
        }
    }

    private static DatabaseUnavailableException Full() => new("Too much waits to be written.");

    private async ValueTask CommitAsync(List<Work> group)
    {
        if (group.Count is 0 || await TryCommitAsync(group) is not { } failure)
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
        group.ForEach(work => work.Failure = answer);
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
                work.Failure = engine.Outage(failure) is { } outage
                    ? new DatabaseUnavailableException(outage, failure)
                    : failure;
            }
        }
    }

    private async ValueTask<Exception?> TryCommitAsync(List<Work> group)
    {
        List<Change> changes;
        try
        {
            changes = await RunAsync(group);
            await connection!.Fixed("commit").ExecuteNonQueryAsync();
        }
        catch (Exception failure)
        {
            await RollBackAsync(failure);
            return failure;
        }

        TellCaches(changes);
        return null;
    }

    // A database that was away has cut the connection that was kept. Until the commit is sent nothing can have come of
    // the units, so they run once more on a new one; what was cut off after that may have been committed.
    private async ValueTask<List<Change>> RunAsync(List<Work> group)
    {
        try
        {
            return await RunOnceAsync(group);
        }
        catch (Exception failure) when (engine.IsCut(failure))
        {
            await RollBackAsync(failure);
            return await RunOnceAsync(group);
        }
    }

    private async ValueTask<List<Change>> RunOnceAsync(List<Work> group)
    {
        var (attached, changes) = (new List<object>(group.Count), new List<Change>());
        connection ??= new(engine, await engine.OpenWriterAsync(CancellationToken.None));
        await connection.Fixed(engine.Begin).ExecuteNonQueryAsync();
        foreach (var work in group)
        {
            if (work is AttachmentWork { Item: var item })
            {
                attached.Add(item);
                continue;
            }

            await RunAsync((UnitWork)work, connection, attached, changes);
        }

        var whole = Unit.Whole(connection);
        foreach (var act in BeforeCommit)
        {
            await act(whole, attached, changes);
        }

        return changes;
    }

    // It is committed, whatever they make of it; and the others must hear of it too.
    private void TellCaches(List<Change> changes)
    {
        foreach (var act in AfterCommit)
        {
            try
            {
                act(changes);
            }
            catch (Exception failure)
            {
                Log.NotHeard(logger, failure);
            }
        }
    }

    private async ValueTask RunAsync(
        UnitWork work, WriterConnection connection, List<object> attached, List<Change> changes)
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
            work.Failure = failure;
        }
    }

    // After a failure the state of the connection is not known, so it is not used again.
    private async ValueTask RollBackAsync(Exception cause)
    {
        if (connection is not { } lost)
        {
            return;
        }

        connection = null;
        try
        {
            await using (lost)
            {
                await lost.Fixed("rollback").ExecuteNonQueryAsync();
            }
        }
        catch (Exception failure)
        {
            Log.RollbackFailed(logger, cause.Message, failure);
        }
    }

    /// <summary>What waits for the next transaction, and what became of it.</summary>
    private abstract class Work
    {
        public virtual bool IsUrgent => true;

        /// <summary>Why nothing of it was kept; null when it was.</summary>
        public Exception? Failure { get; set; }

        public abstract void Tell();
    }

    /// <summary>One caller's unit with the place where its answer is told.</summary>
    private abstract class UnitWork : Work
    {
        public abstract ValueTask RunAsync(Unit unit);
    }

    private sealed class UnitWork<T>(Func<Unit, ValueTask<T>> run) : UnitWork
    {
        private readonly TaskCompletionSource<T> done = new();
        private T? result;

        public Task<T> Done => done.Task;

        public override async ValueTask RunAsync(Unit unit)
        {
            (result, Failure) = (default, null);
            result = await run(unit);
        }

        public override void Tell() => _ = Failure is null ? done.TrySetResult(result!) : done.TrySetException(Failure);
    }

    private sealed class AttachmentWork(object item, bool isUrgent) : Work
    {
        private readonly TaskCompletionSource done = new();

        public object Item => item;

        public Task Done => done.Task;

        public override bool IsUrgent => isUrgent;

        public override void Tell() => _ = Failure is null ? done.TrySetResult() : done.TrySetException(Failure);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "A transaction of {Count} units failed; nothing of it was acknowledged")]
        public static partial void Failed(ILogger logger, int count, Exception failure);

        [LoggerMessage(LogLevel.Critical, "A change was committed and not all of this node heard of it")]
        public static partial void NotHeard(ILogger logger, Exception failure);

        [LoggerMessage(LogLevel.Warning, "Rolling back after '{Cause}' failed; the connection is given up")]
        public static partial void RollbackFailed(ILogger logger, string cause, Exception failure);
    }
}
