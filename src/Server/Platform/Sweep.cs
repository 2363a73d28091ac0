namespace Postern.Platform;

/// <summary>
/// When it is time to delete what has expired from a table: with a write that comes anyway, on each node once in half a
/// minute, and not with every one. Whatever reads the table goes by the times in it, so nothing depends on it.
/// </summary>
internal sealed class Sweep(TimeProvider clock)
{
    private const long Every = 30;

    private long sweptAt;

    /// <summary>
    /// True for one caller at a time, which then deletes what had expired by <paramref name="now"/>; the time is told
    /// to all.
    /// </summary>
    public bool IsDue(out long now)
    {
        now = clock.GetUtcNow().ToUnixTimeSeconds();
        var last = Interlocked.Read(ref sweptAt);
        // A clock that was ahead and is set back must not stop it for as long.
        return Math.Abs(now - last) >= Every && Interlocked.CompareExchange(ref sweptAt, now, last) == last;
    }
}
