namespace Postern.Platform.Database;

/// <summary>What became of work that was handed in.</summary>
internal enum Place
{
    /// <summary>There is none: too much waits already, or the house is closing.</summary>
    Refused,

    /// <summary>Somebody else writes it.</summary>
    Waiting,

    /// <summary>Nobody writes: who handed it in must.</summary>
    Turn,
}

/// <summary>
/// What waits to be written, and whose turn it is to write. At most one has the turn; who has it takes groups until the
/// queue says that nobody waits.
/// </summary>
internal sealed class WorkQueue : IAsyncDisposable
{
    /// <summary>The most units in one transaction, and the most that may wait for the next.</summary>
    private const int MostTogether = 256, MostWaiting = 8192;

    /// <summary>How long what nobody waits for may stay in memory, in milliseconds.</summary>
    private const int Patience = 50;

    private readonly Lock gate = new();
    private readonly Queue<Work> waiting = new();
    private readonly Action write;
    private readonly Timer timer;
    private readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private int urgent;
    private bool isWriting, isTimed, isClosing;

    /// <param name="write">Called with the turn when only patient work waits, and has waited long enough.</param>
    public WorkQueue(Action write)
    {
        this.write = write;
        timer = new(static queue => ((WorkQueue)queue!).OnTimer(), this, Timeout.Infinite, Timeout.Infinite);
    }

    public Place Add(Work work)
    {
        lock (gate)
        {
            if (isClosing || waiting.Count >= MostWaiting)
            {
                return Place.Refused;
            }

            waiting.Enqueue(work);
            urgent += work.IsUrgent ? 1 : 0;
            if (isWriting)
            {
                return Place.Waiting;
            }

            if (!work.IsUrgent)
            {
                SetTimer();
                return Place.Waiting;
            }

            isWriting = true;
            return Place.Turn;
        }
    }

    /// <summary>The next group; for who has the turn.</summary>
    public List<Work> Take()
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

        return group;
    }

    /// <summary>
    /// Whether somebody waits for the next group. If not, the turn is given back, and nobody writes until the next one
    /// comes.
    /// </summary>
    public bool HasMore()
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

    /// <summary>Takes nothing more; returns when everything that waits is written.</summary>
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
            write();
        }

        await closed.Task;
        await timer.DisposeAsync();
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

        write();
    }

    private void SetTimer()
    {
        if (!isTimed && waiting.Count > 0)
        {
            isTimed = timer.Change(Patience, Timeout.Infinite);
        }
    }
}
