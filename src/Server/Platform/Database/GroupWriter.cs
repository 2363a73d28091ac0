namespace Postern.Platform.Database;

/// <summary>
/// The one writer of this node. It takes all units that wait, commits them together, and only then tells their callers:
/// one wait for the disk serves everybody who came meanwhile. There is no thread of its own: who comes while nobody
/// writes writes at once, and the pool goes on with those who came after.
/// </summary>
internal sealed partial class GroupWriter : IAsyncDisposable
{
    /// <summary>How often a turn is put off for others who will soon have something to write.</summary>
    private const int MostPuttingOff = 8;

    private readonly ILogger logger;
    private readonly GroupCommit commit;
    private readonly WorkQueue queue;

    // Only who has the turn looks here.
    private int puttingOff;

    public GroupWriter(Engine engine, ILogger logger)
    {
        (this.logger, commit) = (logger, new(engine, logger));
        queue = new(() => _ = WriteGroupAsync());
    }

    public void AtCommit(CommitStep step, BeforeCommit act) => commit.Add(step, act);

    public List<Action<IReadOnlyList<Change>>> AfterCommit => commit.AfterCommit;

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
    /// Attaches <paramref name="item"/> to the next transaction, which begins soon. Nobody waits: if it fails, the log
    /// of the process says so.
    /// </summary>
    public void AttachSoon(object item)
    {
        if (!TryAdd(new AttachmentWork(item, isUrgent: false)))
        {
            Log.NotTaken(logger, Full());
        }
    }

    public async ValueTask DisposeAsync()
    {
        await queue.DisposeAsync();
        await commit.DisposeAsync();
    }

    private bool TryAdd(Work work)
    {
        var place = queue.Add(work);
        if (place is not Place.Turn)
        {
            return place is Place.Waiting;
        }

        if (Callers.AreBeingTold)
        {
            GoOn();
        }
        else
        {
            _ = WriteGroupAsync();
        }

        return true;
    }

    private void GoOn() =>
        ThreadPool.UnsafeQueueUserWorkItem(static writer => _ = writer.WriteGroupAsync(), this, preferLocal: false);

    // One group. Whoever waits next is served before those of this group hear of it.
    private async Task WriteGroupAsync()
    {
        // Requests that wait for a thread will soon have units of their own: after them, one transaction serves more.
        if (ThreadPool.PendingWorkItemCount > 0 && puttingOff < MostPuttingOff)
        {
            puttingOff++;
            GoOn();
            return;
        }

        puttingOff = 0;
        var group = queue.Take();
        try
        {
            await commit.RunAsync(group);
        }
        catch (Exception failure)
        {
            // Nobody else would tell those who wait, and nothing would ever be written again.
            Log.Failed(logger, group.Count, failure);
            group.ForEach(work => work.Failure = failure);
        }

        if (queue.HasMore())
        {
            GoOn();
        }

        // Nobody waits for the patient ones; a lone caller beside them goes on here, without another thread.
        group.RemoveAll(static work => !work.IsUrgent);
        Callers.Tell(group);
    }

    private static DatabaseUnavailableException Full() => new("Too much waits to be written.");

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "A group of {Count} units could not be written")]
        public static partial void Failed(ILogger logger, int count, Exception failure);

        [LoggerMessage(LogLevel.Error, "An entry that nobody waits for was not taken")]
        public static partial void NotTaken(ILogger logger, Exception failure);
    }
}
