using System.Security.Cryptography;

namespace Postern.Hosting.Processes;

/// <summary>When an instance crashed, and what follows: a pause that doubles, then error for a while.</summary>
internal sealed class CrashHistory(TimeProvider clock, RandomNumberGenerator random, int most, TimeSpan window)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Queue<DateTimeOffset> crashes = [];
    private DateTimeOffset notBefore;

    public int Count
    {
        get
        {
            while (crashes.TryPeek(out var oldest) && clock.GetUtcNow() - oldest >= window)
            {
                crashes.Dequeue();
            }

            return crashes.Count;
        }
    }

    public bool IsError => Count >= most;

    /// <summary>How long to wait before the next start; null to go on.</summary>
    public TimeSpan? Wait()
    {
        var until = IsError ? crashes.Peek() + window : notBefore;
        return until > clock.GetUtcNow() ? until - clock.GetUtcNow() : null;
    }

    public void Record()
    {
        crashes.Enqueue(clock.GetUtcNow());
        notBefore = clock.GetUtcNow() + Pause(Count);
    }

    public void Forget()
    {
        crashes.Clear();
        notBefore = default;
    }

    // The first crash costs nothing: the next call simply starts again. Up to half of a pause is left off by lot, which
    // keeps many from returning at one moment.
    private TimeSpan Pause(int crashes)
    {
        if (crashes < 2)
        {
            return TimeSpan.Zero;
        }

        var seconds = Math.Min(LongestPause.TotalSeconds, Math.Pow(2, crashes - 2));
        return TimeSpan.FromSeconds(seconds * (256 + random.Bytes(1)[0]) / 512);
    }
}
