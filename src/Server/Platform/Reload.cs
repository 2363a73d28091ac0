namespace Postern.Platform;

/// <summary>
/// Brings something in memory up to date with the database: one load at a time, so that an older reading is never
/// published after a newer one, and again until it worked, so that what was missed does not stay missed.
/// </summary>
/// <param name="what">What is loaded, for the log.</param>
/// <param name="load">Reads and publishes.</param>
/// <param name="clock">Waits between attempts.</param>
/// <param name="logger">Hears of each failure.</param>
internal sealed partial class Reload(
    string what, Func<CancellationToken, Task> load, TimeProvider clock, ILogger logger) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim turn = new(1);
    private readonly CancellationTokenSource ending = new();
    private int asked;

    /// <summary>Loads, and throws when that fails.</summary>
    public async Task NowAsync(CancellationToken stop)
    {
        await turn.WaitAsync(stop);
        try
        {
            await load(stop);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Loads in the background, after whatever was committed before this call.</summary>
    public void Soon()
    {
        if (Interlocked.Increment(ref asked) is 1)
        {
            _ = Task.Run(UntilItWorksAsync, CancellationToken.None);
        }
    }

    // Twice, where the container knows its owner by two names.
    public void Dispose()
    {
        if (ending.IsCancellationRequested)
        {
            return;
        }

        ending.Cancel();
        ending.Dispose();
    }

    // Whoever asks while a load is under way may have changed what it has read already: then there is another.
    private async Task UntilItWorksAsync()
    {
        var stop = ending.Token;
        for (var seen = -1; Interlocked.CompareExchange(ref asked, 0, seen) != seen && !stop.IsCancellationRequested;)
        {
            seen = Volatile.Read(ref asked);
            while (!await TryAsync(stop))
            {
                await Task.Delay(Pause, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // True also when nobody needs it any more.
    private async Task<bool> TryAsync(CancellationToken stop)
    {
        try
        {
            await NowAsync(stop);
            return true;
        }
        catch (Exception failure) when (!stop.IsCancellationRequested)
        {
            Log.NotLoaded(logger, what, failure);
            return false;
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            return true;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The {What} in memory may be old and could not be read again; trying on")]
        public static partial void NotLoaded(ILogger logger, string what, Exception failure);
    }
}
