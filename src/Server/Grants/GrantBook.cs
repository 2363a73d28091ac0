using System.Collections.Concurrent;
using Postern.Audit;
using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>
/// The grants in use, in memory. Every issuance and every call asks here whether the grant behind it is alive; the
/// change feed drops what was revoked, on this node before the one who revoked it has his answer.
/// </summary>
internal sealed partial class GrantBook : IAsyncDisposable
{
    /// <summary>The kind of change that a grant's end is announced as.</summary>
    public const string Kind = "grant";

    /// <summary>The kind of change that something new in a grant which goes on is announced as.</summary>
    public const string Renewed = "grant renewed";

    /// <summary>Grants in memory; the least used make room.</summary>
    private const int Capacity = 100_000;

    private static readonly TimeSpan NoteEvery = TimeSpan.FromSeconds(30);

    private readonly GrantStore store;
    private readonly GrantLists lists;
    private readonly Db db;
    private readonly AuditLog audit;
    private readonly TimeProvider clock;
    private readonly ILogger<GrantBook> logger;
    private readonly Cache<(TenantId, GrantId), Grant> grants;
    private readonly ConcurrentDictionary<(TenantId, GrantId), long> uses = new();
    private readonly ITimer noting;
    private int noted;
    private Action<TenantId, GrantId>[] watchers = [];

    public GrantBook(
        GrantStore store,
        GrantLists lists,
        Db db,
        Changes changes,
        AuditLog audit,
        TimeProvider clock,
        ILogger<GrantBook> logger)
    {
        (this.store, this.lists, this.db, this.audit) = (store, lists, db, audit);
        (this.clock, this.logger) = (clock, logger);
        grants = new(Capacity, (key, stop) => store.FindAsync(key.Item1, key.Item2, stop));
        changes.Subscribe(Hear);
        noting = clock.CreateTimer(_ => _ = NoteUsesAsync(), null, NoteEvery, NoteEvery);
    }

    /// <summary>The grant, alive or not; null when there is none of that name in that tenant.</summary>
    public ValueTask<Grant?> FindAsync(TenantId tenant, GrantId id, CancellationToken stop) =>
        grants.FindAsync((tenant, id), stop);

    /// <summary>Calls back when a grant has ended or must be looked at again.</summary>
    public void Watch(Action<TenantId, GrantId> watcher) => watchers = [.. watchers, watcher];

    /// <summary>Writes a new grant as part of a unit; false when there is one of that name.</summary>
    public static async ValueTask<bool> AddAsync(Unit unit, Grant grant) =>
        await GrantStore.InsertAsync(unit, grant) is 1;

    /// <summary>
    /// Ends a grant and all that was passed on from it: their refresh tokens, their live access tokens, on every node.
    /// False when it was over already or is not there. The one who ends it stands in the entry.
    /// </summary>
    public Task<bool> RevokeAsync(Grant grant, AuditEntry by) => db.WriteAsync(unit => RevokeAsync(unit, grant, by));

    /// <inheritdoc cref="RevokeAsync(Grant, AuditEntry)"/>
    public async ValueTask<bool> RevokeAsync(Unit unit, Grant grant, AuditEntry by)
    {
        if (!await RevokeAloneAsync(unit, grant, by))
        {
            return false;
        }

        // One agreement to tell who somebody is may have become several grants; none of them brings the others back.
        for (var found = grant.IsIdentity ? GrantStore.Page : 0; found is GrantStore.Page;)
        {
            var page = await GrantStore.LikeAsync(unit, grant, clock.GetUtcNow());
            foreach (var like in page)
            {
                await RevokeAloneAsync(unit, like, by);
            }

            found = page.Count;
        }

        return true;
    }

    /// <summary>Ends a grant and leaves those that were made of the same agreement.</summary>
    public async ValueTask<bool> RevokeAloneAsync(Unit unit, Grant grant, AuditEntry by)
    {
        if (!await GrantStore.RevokeAsync(unit, grant.Tenant, grant.Id, by.Reason ?? by.Kind, clock.GetUtcNow()))
        {
            return false;
        }

        unit.Announce(Kind, grant.Tenant, grant.Id.Value);
        audit.Write(unit, by with { Grant = grant });
        await RevokePassedOnAsync(unit, grant, by);
        return true;
    }

    // Step by step, each its own statement: whoever passes a grant on at this moment holds it first, so either we wait
    // and see what was made of it in the next step, or it is over for them.
    private async ValueTask RevokePassedOnAsync(Unit unit, Grant grant, AuditEntry by)
    {
        const string Because = "the grant it was passed on from ended";
        var (root, now) = (grant.Root ?? grant.Id, clock.GetUtcNow());
        while (await GrantStore.RevokeNextAsync(unit, grant.Tenant, root, Because, now) is { Count: > 0 } ended)
        {
            foreach (var one in ended)
            {
                unit.Announce(Kind, one.Tenant, one.Id.Value);
                audit.Write(unit, by with
                {
                    Kind = AuditKinds.GrantRevoked,
                    Client = one.Client,
                    Resource = one.Resource.Value,
                    Grant = one,
                    Reason = Because,
                });
            }
        }
    }

    /// <summary>
    /// Ends all grants of somebody or something, and what was passed on from them; answers how many. A page in a
    /// transaction, so that others write between: whoever is cut off in the middle asks again.
    /// </summary>
    public async Task<int> RevokeAllAsync(TenantId tenant, GrantsOf whose, AuditEntry by)
    {
        var (ended, found) = (0, GrantStore.Page);
        while (found is GrantStore.Page)
        {
            (found, var more) = await db.WriteAsync(async unit =>
            {
                var page = await GrantLists.OfAsync(unit, tenant, whose, clock.GetUtcNow());
                foreach (var grant in page)
                {
                    await RevokeAsync(unit, grant, by);
                }

                return (page.Count, unit.Changes.Count(change => change.Kind is Kind));
            });
            ended += more;
        }

        if (whose is GrantsOf.Server server)
        {
            // Whatever comes under the name of a server that is no more inherits nothing.
            await db.WriteAsync(unit => Offers.ForgetAsync(unit, tenant, server.Resource));
        }

        return ended;
    }

    /// <summary>
    /// A person's grants that are not over, with the uses of this node that are not written down yet.
    /// </summary>
    public async Task<List<GrantUse>> OfSubjectAsync(TenantId tenant, SubjectId subject, CancellationToken stop) =>
        [.. (await lists.OfSubjectAsync(tenant, subject, clock.GetUtcNow(), stop)).Select(known =>
            uses.TryGetValue((tenant, known.Grant.Id), out var at)
                ? known with { UsedAt = DateTimeOffset.FromUnixTimeSeconds(at) }
                : known)];

    /// <summary>
    /// The newest of what a person let a client do in the session that this client calls so; null when all is over.
    /// </summary>
    public Task<Grant?> OfSidAsync(TenantId tenant, ClientId client, string sid, CancellationToken stop) =>
        lists.OfSidAsync(tenant, client, sid, clock.GetUtcNow(), stop);

    public Task<List<GrantUse>> AllAsync(TenantId tenant, string? before, int limit, CancellationToken stop) =>
        lists.AllAsync(tenant, before, limit, clock.GetUtcNow(), stop);

    public Task<ClientUse> OfClientAsync(TenantId tenant, ClientId client, CancellationToken stop) =>
        lists.OfClientAsync(tenant, client, clock.GetUtcNow(), stop);

    /// <summary>Remembers that a grant was used now; written down in batches.</summary>
    public void NoteUse(Grant grant)
    {
        var key = (grant.Tenant, grant.Id);
        // Counted here, about: the dictionary's own count takes all of its locks, and each call comes by.
        if (uses.ContainsKey(key) || Interlocked.Increment(ref noted) <= Capacity)
        {
            uses[key] = clock.GetUtcNow().ToUnixTimeSeconds();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await noting.DisposeAsync();
        await NoteUsesAsync();
    }

    private void Hear(Change change)
    {
        if (change.Kind is Changes.Everything)
        {
            grants.Clear();
        }
        else if (change.Kind is Kind)
        {
            var id = new GrantId(change.Key);
            grants.Drop((change.Tenant, id));
            Array.ForEach(watchers, watcher => watcher(change.Tenant, id));
        }
        else if (change.Kind is Renewed)
        {
            grants.Drop((change.Tenant, new(change.Key)));
        }
    }

    private async Task NoteUsesAsync()
    {
        try
        {
            // In pieces, so that tokens and calls are written between.
            foreach (var some in uses.ToArray().Chunk(1000))
            {
                await store.NoteUseAsync(some);
                Array.ForEach(some, use => uses.TryRemove(use));
            }
        }
        catch (DatabaseUnavailableException failure)
        {
            Log.NotNoted(logger, failure.Message);
        }

        Volatile.Write(ref noted, uses.Count);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "When grants were last used could not be noted: {Cause}")]
        public static partial void NotNoted(ILogger logger, string cause);
    }
}
