using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
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
    private const string Kind = "grant";

    /// <summary>Grants in memory; the least used make room.</summary>
    private const int Capacity = 100_000;

    private static readonly TimeSpan NoteEvery = TimeSpan.FromSeconds(30);

    private readonly GrantStore store;
    private readonly Db db;
    private readonly AuditLog audit;
    private readonly TimeProvider clock;
    private readonly RandomNumberGenerator random;
    private readonly ILogger<GrantBook> logger;
    private readonly Cache<(TenantId, GrantId), Grant> grants;
    private readonly Cache<OwnKey, Grant> own;
    private readonly ConcurrentDictionary<(TenantId, GrantId), long> uses = new();
    private readonly ITimer noting;
    private int noted;
    private Action<TenantId, GrantId>[] watchers = [];

    public GrantBook(
        GrantStore store,
        Db db,
        Changes changes,
        AuditLog audit,
        TimeProvider clock,
        RandomNumberGenerator random,
        ILogger<GrantBook> logger)
    {
        (this.store, this.db, this.audit, this.logger) = (store, db, audit, logger);
        (this.clock, this.random) = (clock, random);
        grants = new(Capacity, (key, stop) => store.FindAsync(key.Item1, key.Item2, stop));
        own = new(10_000, LoadOwnAsync);
        changes.Subscribe(Hear);
        noting = clock.CreateTimer(_ => _ = NoteUsesAsync(), null, NoteEvery, NoteEvery);
    }

    /// <summary>The grant, alive or not; null when there is none of that name in that tenant.</summary>
    public ValueTask<Grant?> FindAsync(TenantId tenant, GrantId id, CancellationToken stop) =>
        grants.FindAsync((tenant, id), stop);

    /// <summary>
    /// The standing grant by which a client acts as itself at a resource, made when it is first needed. It follows the
    /// client's registration: other scopes are another grant.
    /// </summary>
    public async ValueTask<Grant> OwnAsync(
        TenantId tenant,
        ClientId client,
        string clientName,
        Resource resource,
        Scopes scopes,
        CancellationToken stop) =>
        (await own.FindAsync(new(tenant, client, clientName, resource, scopes.ToString()), stop))!;

    /// <summary>Calls back when a grant has ended or must be looked at again.</summary>
    public void Watch(Action<TenantId, GrantId> watcher) => watchers = [.. watchers, watcher];

    /// <summary>Writes a new grant as part of a unit; false when there is one of that name.</summary>
    public static async ValueTask<bool> AddAsync(Unit unit, Grant grant) =>
        await GrantStore.InsertAsync(unit, grant) is 1;

    /// <summary>
    /// Ends a grant: its refresh tokens, its live access tokens, on every node. False when it was over already or is
    /// not there. The one who ends it stands in the entry.
    /// </summary>
    public Task<bool> RevokeAsync(Grant grant, AuditEntry by) => db.WriteAsync(unit => RevokeAsync(unit, grant, by));

    /// <inheritdoc cref="RevokeAsync(Grant, AuditEntry)"/>
    public async ValueTask<bool> RevokeAsync(Unit unit, Grant grant, AuditEntry by)
    {
        if (!await GrantStore.RevokeAsync(unit, grant.Tenant, grant.Id, by.Reason ?? by.Kind, clock.GetUtcNow()))
        {
            return false;
        }

        unit.Announce(Kind, grant.Tenant, grant.Id.Value);
        audit.Write(unit, by with { Grant = grant });
        return true;
    }

    /// <summary>
    /// Ends all grants of a resource that is no more, so that whatever comes under its name later inherits nothing.
    /// </summary>
    public async Task RevokeAllAsync(TenantId tenant, Resource resource, AuditEntry by)
    {
        await RevokeAllAsync(unit => GrantStore.OfResourceAsync(unit, tenant, resource, clock.GetUtcNow()), by);
        await db.WriteAsync(unit => Offers.ForgetAsync(unit, tenant, resource));
    }

    /// <summary>Ends all grants of a client.</summary>
    public Task RevokeAllAsync(TenantId tenant, ClientId client, AuditEntry by) =>
        RevokeAllAsync(unit => GrantStore.OfClientAsync(unit, tenant, client, clock.GetUtcNow()), by);

    // A page in a transaction, so that others write between.
    private async Task RevokeAllAsync(Func<Unit, ValueTask<List<Grant>>> living, AuditEntry by)
    {
        var ended = GrantStore.Page;
        while (ended is GrantStore.Page)
        {
            ended = await db.WriteAsync(async unit =>
            {
                var page = await living(unit);
                foreach (var grant in page)
                {
                    await RevokeAsync(unit, grant, by);
                }

                return page.Count;
            });
        }
    }

    /// <summary>
    /// A person's grants that are not over, with the uses of this node that are not written down yet.
    /// </summary>
    public async Task<List<GrantUse>> OfSubjectAsync(TenantId tenant, SubjectId subject, CancellationToken stop) =>
        [.. (await store.OfSubjectAsync(tenant, subject, clock.GetUtcNow(), stop)).Select(known =>
            uses.TryGetValue((tenant, known.Grant.Id), out var at)
                ? known with { UsedAt = DateTimeOffset.FromUnixTimeSeconds(at) }
                : known)];

    public Task<List<GrantUse>> AllAsync(TenantId tenant, string? before, int limit, CancellationToken stop) =>
        store.AllAsync(tenant, before, limit, clock.GetUtcNow(), stop);

    public Task<ClientUse> OfClientAsync(TenantId tenant, ClientId client, CancellationToken stop) =>
        store.OfClientAsync(tenant, client, clock.GetUtcNow(), stop);

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
            own.Clear();
        }
        else if (change.Kind is Kind)
        {
            var id = new GrantId(change.Key);
            grants.Drop((change.Tenant, id));
            own.DropWhere(grant => grant.Id == id);
            Array.ForEach(watchers, watcher => watcher(change.Tenant, id));
        }
    }

    private async Task<Grant?> LoadOwnAsync(OwnKey key, CancellationToken stop)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(
            Encoding.UTF8.GetBytes($"{key.Client}\n{key.Resource}\n{key.Scopes}")));
        if (await store.FindOwnAsync(key.Tenant, name, stop) is { } known)
        {
            return known;
        }

        var now = clock.GetUtcNow();
        var made = new Grant
        {
            Id = GrantId.New(now, random),
            Tenant = key.Tenant,
            Subject = new(key.Client.Value),
            IsOwn = true,
            Client = key.Client,
            ClientName = key.ClientName,
            Resource = key.Resource,
            Scopes = Scopes.TryParse(key.Scopes, out var scopes) ? scopes : Scopes.None,
            CreatedAt = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()),
            // As long as the registration stands; it ends with that or by revocation.
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(now.AddYears(100).ToUnixTimeSeconds()),
        };
        await db.WriteAsync(async unit =>
        {
            if (await GrantStore.InsertAsync(unit, made, name) is 1)
            {
                audit.Write(unit, new()
                {
                    Tenant = key.Tenant,
                    Kind = AuditKinds.GrantApproved,
                    Client = key.Client,
                    Resource = key.Resource.Value,
                    Grant = made,
                    Effect = "allow",
                    Reason = "registered by an operator",
                });
            }
        });
        return await store.FindOwnAsync(key.Tenant, name, stop);
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

    private sealed record OwnKey(TenantId Tenant, ClientId Client, string ClientName, Resource Resource, string Scopes);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "When grants were last used could not be noted: {Cause}")]
        public static partial void NotNoted(ILogger logger, string cause);
    }
}
