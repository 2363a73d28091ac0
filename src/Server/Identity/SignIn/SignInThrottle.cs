using System.Diagnostics.CodeAnalysis;

namespace Postern.Identity.SignIn;

/// <summary>
/// Slows guessing down without letting a stranger lock a person out: tries count per account and
/// network together, and per network; never per account alone. A browser that this person has signed
/// in with before has an allowance of its own.
/// </summary>
/// <remarks>
/// A try is counted before the password is looked at, so that tries side by side do not slip through.
/// </remarks>
internal sealed class SignInThrottle(TimeProvider clock)
{
    public const int PerAccount = 10, PerNetwork = 100;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(15);

    private const int Capacity = 100_000;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Count> counts = new(StringComparer.Ordinal);

    /// <summary>Counts one try, or answers how long to wait.</summary>
    public bool Admits(IReadOnlyList<Allowance> allowances, [NotNullWhen(false)] out TimeSpan? wait)
    {
        var now = clock.GetUtcNow();
        lock (gate)
        {
            var full = allowances
                .Where(allowance => Current(allowance.Key, now) is { } count && count.Tries >= allowance.Most)
                .Select(allowance => (TimeSpan?)(counts[allowance.Key].Ends - now))
                .Max();
            if (full is null)
            {
                foreach (var allowance in allowances)
                {
                    Add(allowance.Key, now);
                }
            }

            wait = full;
            return full is null;
        }
    }

    /// <summary>
    /// Forgets the tries of who has proven to be the right one. The network's stay: it may hold others.
    /// </summary>
    public void Forgive(Allowance account)
    {
        lock (gate)
        {
            counts.Remove(account.Key);
        }
    }

    private Count? Current(string key, DateTimeOffset now) =>
        counts.TryGetValue(key, out var count) && now < count.Ends ? count : null;

    private void Add(string key, DateTimeOffset now)
    {
        if (Current(key, now) is { } count)
        {
            count.Tries++;
            return;
        }

        if (counts.Count >= Capacity)
        {
            MakeRoom(now);
        }

        counts[key] = new(now + Window) { Tries = 1 };
    }

    // What has ended goes; if that is not enough, a tenth that would end first.
    private void MakeRoom(DateTimeOffset now)
    {
        foreach (var key in counts.Where(pair => pair.Value.Ends <= now).Select(pair => pair.Key).ToList())
        {
            counts.Remove(key);
        }

        if (counts.Count >= Capacity)
        {
            var first = counts.OrderBy(pair => pair.Value.Ends).Take(Capacity / 10).Select(pair => pair.Key);
            foreach (var key in first.ToList())
            {
                counts.Remove(key);
            }
        }
    }

    private sealed class Count(DateTimeOffset ends)
    {
        public DateTimeOffset Ends => ends;

        public int Tries { get; set; }
    }
}

/// <summary>So many tries under this key in one window.</summary>
internal sealed record Allowance(string Key, int Most);
