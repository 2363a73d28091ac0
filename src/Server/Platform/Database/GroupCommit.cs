namespace Postern.Platform.Database;

/// <summary>
/// Runs a group of units in one transaction, each atomic by savepoint, and commits once. Keeps the connection for the
/// next group; one that failed is not used again.
/// </summary>
internal sealed partial class GroupCommit(Engine engine, ILogger logger) : IAsyncDisposable
{
    /// <summary>How often a unit is tried again because of others beside it.</summary>
    private const int MostTries = 5;

    private readonly List<(CommitStep Step, BeforeCommit Act)> beforeCommit = [];
    private WriterConnection? connection;

    public List<Action<IReadOnlyList<Change>>> AfterCommit { get; } = [];

    /// <summary>Whoever was made first, it runs at its step.</summary>
    public void Add(CommitStep step, BeforeCommit act) =>
        beforeCommit.Insert(beforeCommit.FindLastIndex(other => other.Step <= step) + 1, (step, act));

    /// <summary>Writes the group, and leaves in each part of it why it was not kept, if it was not.</summary>
    public async ValueTask RunAsync(List<Work> group)
    {
        if (group.Count is 0 || await TryAsync(group) is not { } failure)
        {
            return;
        }

        if (engine.IsConflict(failure))
        {
            await EachAloneAsync(group);
            return;
        }

        Log.Failed(logger, group.Count, failure);
        var answer = Answer(failure);
        group.ForEach(work => work.Failure = answer);
    }

    public ValueTask DisposeAsync() => connection?.DisposeAsync() ?? default;

    // Two nodes that lock the same rows in another order stop each other. Alone, each unit gets through.
    private async ValueTask EachAloneAsync(List<Work> group)
    {
        foreach (var work in group)
        {
            var failure = await TryAsync([work]);
            for (var tries = 1; tries < MostTries && failure is not null && engine.IsConflict(failure); tries++)
            {
                failure = await TryAsync([work]);
            }

            if (failure is not null)
            {
                work.Failure = Answer(failure);
            }
        }
    }

    private Exception Answer(Exception failure) =>
        engine.Outage(failure) is { } outage ? new DatabaseUnavailableException(outage, failure) : failure;

    private async ValueTask<Exception?> TryAsync(List<Work> group)
    {
        List<Change> changes;
        try
        {
            changes = await UpToCommitAsync(group);
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
    private async ValueTask<List<Change>> UpToCommitAsync(List<Work> group)
    {
        try
        {
            return await UpToCommitOnceAsync(group);
        }
        catch (Exception failure) when (engine.IsCut(failure))
        {
            await RollBackAsync(failure);
            return await UpToCommitOnceAsync(group);
        }
    }

    private async ValueTask<List<Change>> UpToCommitOnceAsync(List<Work> group)
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
        foreach (var (_, act) in beforeCommit)
        {
            await act(whole, attached, changes);
        }

        return changes;
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
