namespace Postern.Approvals;

/// <summary>
/// How often clients come for an answer (RFC 8628 §3.5): one that comes too soon has to wait five seconds longer from
/// then on. Each node counts for itself.
/// </summary>
internal sealed class PollPace(TimeProvider clock)
{
    /// <summary>Between two polls, as clients are told.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    // A network is not even, and nobody gains by a second.
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(1), Most = TimeSpan.FromMinutes(1);

    private const int Capacity = 50_000;

    private readonly Lock gate = new();
    private readonly Dictionary<GrantId, Pace> paces = [];

    public bool IsTooSoon(Ask ask)
    {
        var now = clock.GetUtcNow();
        lock (gate)
        {
            if (!paces.TryGetValue(ask.Id, out var pace))
            {
                MakeRoom(now);
                paces[ask.Id] = new(now, Interval, ask.ExpiresAt);
                return false;
            }

            var isTooSoon = now - pace.Last < pace.Wait - Leeway;
            var wait = isTooSoon && pace.Wait < Most ? pace.Wait + Interval : pace.Wait;
            paces[ask.Id] = pace with { Last = now, Wait = wait };
            return isTooSoon;
        }
    }

    // What is over goes; if that is not enough, a tenth that would end first.
    private void MakeRoom(DateTimeOffset now)
    {
        if (paces.Count < Capacity)
        {
            return;
        }

        var over = paces.Where(pace => pace.Value.Until <= now).Select(pace => pace.Key).ToList();
        over.ForEach(id => paces.Remove(id));
        if (paces.Count >= Capacity)
        {
            var first = paces.OrderBy(pace => pace.Value.Until).Take(Capacity / 10).Select(pace => pace.Key).ToList();
            first.ForEach(id => paces.Remove(id));
        }
    }

    private sealed record Pace(DateTimeOffset Last, TimeSpan Wait, DateTimeOffset Until);
}
