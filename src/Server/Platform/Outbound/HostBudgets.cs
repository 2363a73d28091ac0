namespace Postern.Platform.Outbound;

/// <summary>
/// What each host may still receive from us, or each network cause: a token bucket, and a breaker that leaves a host
/// alone for a while after failures in a row. Memory is bounded: hosts beyond the table share one bucket.
/// </summary>
internal sealed class HostBudgets(TimeProvider clock, int burst, double perSecond)
{
    public const int MaxHosts = 4096, MaxFailures = 3;

    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Budget> hosts = new(StringComparer.Ordinal);
    private readonly Budget others = new(burst, clock.GetTimestamp());

    private long lastSweep = clock.GetTimestamp();

    /// <summary>Spends one fetch on the host, or says how long to wait.</summary>
    public TimeSpan? MustWait(string host)
    {
        lock (gate)
        {
            var budget = BudgetOf(host);
            Refill(budget);
            if (budget.Rests && clock.GetElapsedTime(budget.FailedAt) is var rested && rested < Rest)
            {
                return Rest - rested;
            }

            if (budget.Left < 1)
            {
                return TimeSpan.FromSeconds((1 - budget.Left) / perSecond);
            }

            budget.Left--;
            return null;
        }
    }

    /// <summary>
    /// The host answered, or could not be reached. What it answered does not count: one bad path must not close a host.
    /// </summary>
    public void Report(string host, bool isReachable)
    {
        lock (gate)
        {
            if (hosts.TryGetValue(host, out var budget))
            {
                budget.Failures = isReachable ? 0 : budget.Failures + 1;
                budget.FailedAt = clock.GetTimestamp();
            }
        }
    }

    private Budget BudgetOf(string host)
    {
        if (hosts.TryGetValue(host, out var known))
        {
            return known;
        }

        Sweep();
        return hosts.Count >= MaxHosts ? others : hosts[host] = new(burst, clock.GetTimestamp());
    }

    // A host whose bucket is full again and that is not resting is as good as unknown.
    private void Sweep()
    {
        if (hosts.Count < MaxHosts || clock.GetElapsedTime(lastSweep) < TimeSpan.FromSeconds(1))
        {
            return;
        }

        lastSweep = clock.GetTimestamp();
        foreach (var (host, budget) in hosts)
        {
            Refill(budget);
            if (budget.Left >= burst && (budget.Failures is 0 || clock.GetElapsedTime(budget.FailedAt) > Rest))
            {
                hosts.Remove(host);
            }
        }
    }

    private void Refill(Budget budget)
    {
        var now = clock.GetTimestamp();
        var earned = clock.GetElapsedTime(budget.At, now).TotalSeconds * perSecond;
        (budget.Left, budget.At) = (Math.Min(burst, budget.Left + earned), now);
    }

    private sealed class Budget(double left, long at)
    {
        public double Left = left;
        public long At = at;
        public int Failures;
        public long FailedAt;

        public bool Rests => Failures >= MaxFailures;
    }
}
