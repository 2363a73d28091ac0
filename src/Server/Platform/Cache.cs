using System.Collections.Concurrent;

namespace Postern.Platform;

/// <summary>
/// Things read from the database once and then from memory, bounded in number. Equal loads are joined. A thing dropped
/// while it is being loaded is not kept, so a reader that was slower than the change cannot bring the old state back.
/// </summary>
internal sealed class Cache<TKey, TValue>(int capacity, Func<TKey, CancellationToken, Task<TValue?>> load)
    where TKey : notnull
    where TValue : class
{
    private readonly ConcurrentDictionary<TKey, Entry> entries = new();
    private int hand;

    /// <summary>The value from memory, or loaded; null (which is not kept) when there is none.</summary>
    public ValueTask<TValue?> FindAsync(TKey key, CancellationToken stop)
    {
        if (entries.TryGetValue(key, out var entry) && entry.Loaded is { } value)
        {
            entry.Used = true;
            return new(value);
        }

        return LoadAsync(key, stop);
    }

    /// <summary>What is in memory now, without loading.</summary>
    public TValue? Peek(TKey key)
    {
        if (!entries.TryGetValue(key, out var entry))
        {
            return null;
        }

        entry.Used = true;
        return entry.Loaded;
    }

    public void Drop(TKey key) => entries.TryRemove(key, out _);

    public void Clear() => entries.Clear();

    /// <summary>Drops whatever the condition names; walks the whole cache.</summary>
    public void DropWhere(Func<TValue, bool> condition)
    {
        foreach (var (key, entry) in entries)
        {
            // One that is still loading may be about to hold what the condition names.
            if (entry.Loaded is not { } value || condition(value))
            {
                entries.TryRemove(key, out _);
            }
        }
    }

    private async ValueTask<TValue?> LoadAsync(TKey key, CancellationToken stop)
    {
        MakeRoom();
        var entry = entries.GetOrAdd(key, static _ => new());
        var mine = new TaskCompletionSource<TValue?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref entry.Loading, mine, null) is { } others)
        {
            return await others.Task.WaitAsync(stop);
        }

        await FillAsync(key, entry, mine);
        return await mine.Task;
    }

    // Not with the caller's token: others wait for the same load.
    private async Task FillAsync(TKey key, Entry entry, TaskCompletionSource<TValue?> loading)
    {
        try
        {
            var value = await load(key, CancellationToken.None);
            entry.Loaded = value;
            if (value is null)
            {
                entries.TryRemove(KeyValuePair.Create(key, entry));
            }

            loading.SetResult(value);
        }
        catch (Exception failure)
        {
            entries.TryRemove(KeyValuePair.Create(key, entry));
            loading.SetException(failure);
        }
    }

    // Second chance: one that was used since the hand last passed stays.
    private void MakeRoom()
    {
        if (entries.Count < capacity || Interlocked.CompareExchange(ref hand, 1, 0) is not 0)
        {
            return;
        }

        var surplus = entries.Count - (capacity * 9 / 10);
        foreach (var pair in entries)
        {
            if (surplus <= 0)
            {
                break;
            }

            if (pair.Value.Used)
            {
                pair.Value.Used = false;
                continue;
            }

            surplus -= entries.TryRemove(pair) ? 1 : 0;
        }

        Volatile.Write(ref hand, 0);
    }

    private sealed class Entry
    {
        public volatile TValue? Loaded;
        public TaskCompletionSource<TValue?>? Loading;
        public volatile bool Used;
    }
}
