using System.Collections.Concurrent;
using Postern.Grants;
using Postern.Platform.Database;

namespace Postern.Gateway.Relay;

/// <summary>
/// Cuts what lasts: a stream ends when its token does, and at once when its grant is revoked. Short calls are judged
/// when they come and are over before they could be cut.
/// </summary>
internal sealed class GrantWatch
{
    /// <summary>Streams that one grant may hold open.</summary>
    public const int MostPerGrant = 64;

    private readonly ConcurrentDictionary<(TenantId, GrantId), ConcurrentDictionary<Watched, bool>> open = new();
    private readonly TimeProvider clock;

    public GrantWatch(GrantBook grants, Changes changes, TimeProvider clock)
    {
        this.clock = clock;
        grants.Watch(Cut);
        changes.Subscribe(change =>
        {
            if (change.Kind is Changes.Everything)
            {
                CutAll();
            }
        });
    }

    /// <summary>Begins to watch; null when the grant holds too many streams already. Disposing ends it.</summary>
    public IDisposable? Enter(Grant grant, DateTimeOffset until, Action cut)
    {
        var key = (grant.Tenant, grant.Id);
        var streams = open.GetOrAdd(key, static _ => new());
        if (streams.Count >= MostPerGrant)
        {
            return null;
        }

        var left = until - clock.GetUtcNow();
        var watched = new Watched(this, key, cut);
        watched.Expiry = clock.CreateTimer(
            static state => ((Watched)state!).Cut(),
            watched,
            left > TimeSpan.Zero ? left : TimeSpan.Zero,
            Timeout.InfiniteTimeSpan);
        streams[watched] = true;

        // An emptied set may have been taken away in between.
        open.TryAdd(key, streams);
        return watched;
    }

    private void Cut(TenantId tenant, GrantId grant)
    {
        if (open.TryGetValue((tenant, grant), out var streams))
        {
            Cut(streams);
        }
    }

    private void CutAll()
    {
        foreach (var streams in open.Values)
        {
            Cut(streams);
        }
    }

    private static void Cut(ConcurrentDictionary<Watched, bool> streams)
    {
        foreach (var (watched, _) in streams)
        {
            watched.Cut();
        }
    }

    private void Leave(Watched watched)
    {
        if (open.TryGetValue(watched.Key, out var streams) && streams.TryRemove(watched, out _) && streams.IsEmpty)
        {
            open.TryRemove(KeyValuePair.Create(watched.Key, streams));
        }
    }

    private sealed class Watched(GrantWatch watch, (TenantId, GrantId) key, Action cut) : IDisposable
    {
        public (TenantId, GrantId) Key => key;

        public ITimer? Expiry { get; set; }

        public void Cut() => cut();

        public void Dispose()
        {
            Expiry?.Dispose();
            watch.Leave(this);
        }
    }
}
