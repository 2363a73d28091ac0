using System.Collections.Concurrent;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// What was fetched, by its address, for as long as it is fresh. Bounded: what would be stale first makes room.
/// </summary>
internal sealed class FetchCache<T>(int capacity, TimeProvider clock)
    where T : class
{
    private readonly ConcurrentDictionary<string, Kept> all = new(StringComparer.Ordinal);

    public T? Find(string url) =>
        all.TryGetValue(url, out var kept) && clock.GetUtcNow() < kept.Until ? kept.Value : null;

    public void Keep(string url, T value, TimeSpan fresh)
    {
        if (all.Count >= capacity)
        {
            // A copy of its own making: others write meanwhile.
            foreach (var old in all.ToArray().OrderBy(kept => kept.Value.Until).Take(capacity / 10))
            {
                all.TryRemove(old);
            }
        }

        all[url] = new(value, clock.GetUtcNow() + fresh);
    }

    private sealed record Kept(T Value, DateTimeOffset Until);
}
