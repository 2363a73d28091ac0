namespace Postern.Platform.Database;

/// <summary>What waits for the next transaction, and what became of it.</summary>
internal abstract class Work
{
    /// <summary>Whether somebody waits for it.</summary>
    public virtual bool IsUrgent => true;

    /// <summary>Why nothing of it was kept; null when it was.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Lets the caller go on with the result or the failure.</summary>
    public abstract void Tell();
}

/// <summary>One caller's unit with the place where its answer is told.</summary>
internal abstract class UnitWork : Work
{
    public abstract ValueTask RunAsync(Unit unit);
}

internal sealed class UnitWork<T>(Func<Unit, ValueTask<T>> run) : UnitWork
{
    private readonly TaskCompletionSource<T> done = new();
    private T? result;

    public Task<T> Done => done.Task;

    public override async ValueTask RunAsync(Unit unit)
    {
        // It may run again, and only the last time counts.
        (result, Failure) = (default, null);
        result = await run(unit);
    }

    public override void Tell() => _ = Failure is null ? done.TrySetResult(result!) : done.TrySetException(Failure);
}

/// <summary>Something for those who act at the end of the transaction, and no statements of its own.</summary>
internal sealed class AttachmentWork(object item, bool isUrgent) : Work
{
    private readonly TaskCompletionSource done = new();

    public object Item => item;

    public Task Done => done.Task;

    public override bool IsUrgent => isUrgent;

    public override void Tell() => _ = Failure is null ? done.TrySetResult() : done.TrySetException(Failure);
}
