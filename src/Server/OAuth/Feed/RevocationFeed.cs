using System.Collections.Concurrent;
using System.Threading.Channels;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Platform.Database;

namespace Postern.OAuth.Feed;

/// <summary>
/// Hands each end of a grant or token to those who follow its resource, and lets them look again at who is switched
/// off whenever that may have changed. Who cannot keep up is cut off, and comes back to what is stored: nothing is ever
/// left out silently.
/// </summary>
internal sealed partial class RevocationFeed : IAsyncDisposable
{
    /// <summary>Followers at this node, and of one client among them.</summary>
    public const int Most = 256, MostOfClient = 8;

    /// <summary>What may wait to be told, here and at each follower, before somebody is cut off.</summary>
    public const int Waiting = 4096;

    /// <summary>However often switches are turned, each follower looks once in this time.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly GrantBook grants;
    private readonly AgentBook agents;
    private readonly TimeProvider clock;
    private readonly ILogger<RevocationFeed> logger;
    private readonly ConcurrentDictionary<Follower, byte> followers = new();
    private readonly Channel<(TenantId Tenant, GrantId Grant)> ends =
        Channel.CreateBounded<(TenantId, GrantId)>(new BoundedChannelOptions(Waiting) { SingleReader = true });

    private readonly Lock entering = new(), looking = new();
    private readonly HashSet<TenantId> turned = [];
    private readonly ITimer timer;
    private readonly Task telling;
    private DateTimeOffset lookedAt;
    private int waiting;

    public RevocationFeed(
        GrantBook grants,
        AgentBook agents,
        RevokedTokens revoked,
        Changes changes,
        TimeProvider clock,
        ILogger<RevocationFeed> logger)
    {
        (this.grants, this.agents, this.clock, this.logger) = (grants, agents, clock, logger);
        grants.Watch((tenant, grant) =>
        {
            if (followers.IsEmpty)
            {
                return;
            }

            Interlocked.Increment(ref waiting);
            if (!ends.Writer.TryWrite((tenant, grant)))
            {
                Interlocked.Decrement(ref waiting);
                CutAll();
            }
        });
        revoked.Watch((tenant, token, resource) => Tell(tenant, resource, new("token", token)));
        changes.Subscribe(change =>
        {
            if (change.Kind is Changes.Everything)
            {
                CutAll();
            }
            else if (change.Kind is Switches.Kind or AgentBook.Kind)
            {
                Turn(change.Tenant);
            }
        });
        lookedAt = clock.GetUtcNow();
        timer = clock.CreateTimer(_ => LetLook(), null, LookEvery, LookEvery);
        telling = Task.Run(TellAsync);
    }

    /// <summary>Whether ends or switches that were heard of have not been told yet.</summary>
    public bool IsBehind
    {
        get
        {
            lock (looking)
            {
                return Volatile.Read(ref waiting) > 0 || turned.Count > 0;
            }
        }
    }

    /// <summary>Begins to follow a resource; null when there are too many. Disposing ends it.</summary>
    public Follower? Follow(TenantId tenant, ClientId client, string resource)
    {
        lock (entering)
        {
            var follower = new Follower(this, tenant, client, resource);
            return followers.Count < Most
                && followers.Keys.Count(other => other.Tenant == tenant && other.Client == client) < MostOfClient
                && followers.TryAdd(follower, 0)
                    ? follower
                    : null;
        }
    }

    /// <summary>It follows no more.</summary>
    public void Leave(Follower follower) => followers.TryRemove(follower, out _);

    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        ends.Writer.TryComplete();
        CutAll();
        await telling;
    }

    // Of which resource a grant is stands in the grant, which may have to be read: not while a change is being told.
    private async Task TellAsync()
    {
        await foreach (var (tenant, id) in ends.Reader.ReadAllAsync())
        {
            try
            {
                if (await grants.FindAsync(tenant, id, CancellationToken.None) is { RevokedAt: not null } grant)
                {
                    Tell(tenant, grant.Resource.Value, new("grant", id.Value));
                }
            }
            catch (Exception failure)
            {
                // Whatever it was: an end that is told to nobody must not be taken for none.
                Log.NotTold(logger, failure.Message);
                CutAll();
            }
            finally
            {
                Interlocked.Decrement(ref waiting);
            }
        }
    }

    private void Turn(TenantId tenant)
    {
        lock (looking)
        {
            turned.Add(tenant);
        }
    }

    // Also where nobody turned anything: an agent's day comes by itself.
    private void LetLook()
    {
        lock (looking)
        {
            var now = clock.GetUtcNow();
            turned.UnionWith(agents.EndedBetween(lookedAt, now));
            lookedAt = now;
            foreach (var follower in turned.Count is 0 ? [] : followers.Keys)
            {
                if (turned.Contains(follower.Tenant))
                {
                    follower.LetLook();
                }
            }

            turned.Clear();
        }
    }

    private void Tell(TenantId tenant, string resource, Ended ended)
    {
        foreach (var follower in followers.Keys)
        {
            if (follower.Tenant == tenant && follower.Resource == resource)
            {
                follower.Tell(ended);
            }
        }
    }

    private void CutAll()
    {
        foreach (var follower in followers.Keys)
        {
            follower.Cut();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The end of a grant could not be told; those who follow begin anew: {Cause}")]
        public static partial void NotTold(ILogger logger, string cause);
    }
}
