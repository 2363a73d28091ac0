using System.Collections.Concurrent;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Since when the hosts of known documents do not answer, counted by this node from the first time each was missed.
/// Bounded: what was missed longest ago makes room, since nobody asks about it, and who is asked about stays counted.
/// </summary>
internal sealed class Absences(int capacity, TimeProvider clock)
{
    /// <summary>How long a document's host may be away before its word is not taken for given any more.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromDays(7);

    /// <summary>Two misses further apart than this are two, and not one absence.</summary>
    private static readonly TimeSpan Apart = TimeSpan.FromDays(2);

    private readonly ConcurrentDictionary<string, (DateTimeOffset Since, DateTimeOffset Last)> away =
        new(StringComparer.Ordinal);

    /// <summary>Counts that it was missed again; true when it has been away for too long.</summary>
    public bool IsLong(string url)
    {
        var now = clock.GetUtcNow();
        if (away.Count >= capacity && !away.ContainsKey(url))
        {
            // A copy of its own making: others write meanwhile.
            foreach (var old in away.ToArray().OrderBy(miss => miss.Value.Last).Take(capacity / 10))
            {
                away.TryRemove(old.Key, out _);
            }
        }

        return now - away.AddOrUpdate(
            url,
            _ => (now, now),
            (_, miss) => now - miss.Last > Apart ? (now, now) : (miss.Since, now)).Since >= Long;
    }

    /// <summary>It has answered.</summary>
    public void End(string url) => away.TryRemove(url, out _);
}
