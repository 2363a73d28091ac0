using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Platform.Database;
using Postern.Platform.Tenants;

namespace Postern.Gateway.Relay;

/// <summary>
/// Cuts what lasts: a stream ends when its token does, and at once when its token or grant is revoked. Short calls are
/// judged when they come and are over before they could be cut.
/// </summary>
internal sealed partial class GrantWatch
{
    /// <summary>Streams that one grant may hold open.</summary>
    public const int MostPerGrant = 64;

    private readonly Lock entering = new();
    private readonly Dictionary<(TenantId, GrantId), HashSet<Watched>> open = [];
    private readonly GrantBook grants;
    private readonly RevokedTokens revoked;
    private readonly TenantBook tenants;
    private readonly Switches switches;
    private readonly TimeProvider clock;
    private readonly ILogger<GrantWatch> logger;

    public GrantWatch(
        GrantBook grants,
        RevokedTokens revoked,
        Switches switches,
        TenantBook tenants,
        Changes changes,
        TimeProvider clock,
        ILogger<GrantWatch> logger)
    {
        (this.switches, this.logger) = (switches, logger);
        (this.grants, this.revoked, this.tenants, this.clock) = (grants, revoked, tenants, clock);
        grants.Watch(Cut);
        revoked.Watch((tenant, token, _) => CutAll(watched =>
            watched.Key.Tenant == tenant && watched.Tokens.Contains(token)));
        switches.Watch(() => Array.ForEach(All(_ => true), watched => _ = LookAgainAsync(watched)));
        tenants.Watch(gone => CutAll(watched => watched.Key.Tenant == gone.Id));
        changes.Subscribe(change =>
        {
            if (change.Kind is Changes.Everything)
            {
                CutAll(_ => true);
            }
        });
    }

    /// <summary>Begins to watch; null when the grant holds too many streams already. Disposing ends it.</summary>
    /// <param name="grant">By which it was let in.</param>
    /// <param name="until">When it ends by itself.</param>
    /// <param name="cut">What ends it.</param>
    /// <param name="tokens">
    /// The <c>jti</c> of the token it came with, if it is bound to one, and of those that the token came from.
    /// </param>
    public IDisposable? Enter(Grant grant, DateTimeOffset until, Action cut, params IReadOnlyList<string> tokens)
    {
        var watched = new Watched(this, (grant.Tenant, grant.Id), tokens, cut);
        if (!TryAdd(watched))
        {
            return null;
        }

        var left = until - clock.GetUtcNow();
        watched.Expiry = clock.CreateTimer(
            static state => ((Watched)state!).Cut(),
            watched,
            left > TimeSpan.Zero ? left : TimeSpan.Zero,
            Timeout.InfiniteTimeSpan);
        _ = LookAgainAsync(watched);
        return watched;
    }

    // It was judged before it was watched: an end in between has been told to nobody.
    private async Task LookAgainAsync(Watched watched)
    {
        var (tenant, id) = watched.Key;
        try
        {
            var grant = await grants.FindAsync(tenant, id, CancellationToken.None);
            if (grant is not null && grant.IsLive(clock.GetUtcNow()) && tenants.Find(tenant) is not null
                && !watched.Tokens.Any(token => revoked.Has(tenant, token))
                && await switches.WhyOffAsync(grant, null, CancellationToken.None) is null)
            {
                return;
            }
        }
        catch (Exception failure)
        {
            // Nobody knows whether it lives.
            Log.NotKnown(logger, failure.Message);
        }

        watched.Cut();
    }

    private bool TryAdd(Watched watched)
    {
        lock (entering)
        {
            if (!open.TryGetValue(watched.Key, out var streams))
            {
                open[watched.Key] = streams = [];
            }

            return streams.Count < MostPerGrant && streams.Add(watched);
        }
    }

    private void Leave(Watched watched)
    {
        lock (entering)
        {
            if (open.TryGetValue(watched.Key, out var streams) && streams.Remove(watched) && streams.Count is 0)
            {
                open.Remove(watched.Key);
            }
        }
    }

    private void Cut(TenantId tenant, GrantId grant)
    {
        Watched[] streams;
        lock (entering)
        {
            streams = [.. open.GetValueOrDefault((tenant, grant), [])];
        }

        Array.ForEach(streams, watched => watched.Cut());
    }

    private void CutAll(Func<Watched, bool> which) => Array.ForEach(All(which), watched => watched.Cut());

    private Watched[] All(Func<Watched, bool> which)
    {
        lock (entering)
        {
            return [.. open.Values.SelectMany(watched => watched).Where(which)];
        }
    }

    private sealed class Watched(
        GrantWatch watch, (TenantId, GrantId) key, IReadOnlyList<string> tokens, Action cut) : IDisposable
    {
        public (TenantId Tenant, GrantId Grant) Key => key;

        public IReadOnlyList<string> Tokens => tokens;

        public ITimer? Expiry { get; set; }

        public void Cut() => cut();

        public void Dispose()
        {
            Expiry?.Dispose();
            watch.Leave(this);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Whether the grant of a stream lives could not be read; it is cut: {Cause}")]
        public static partial void NotKnown(ILogger logger, string cause);
    }
}
