using System.Collections.Frozen;
using Postern.Platform.Database;
using Postern.Platform.Tenants;

namespace Postern.Platform.Keys;

/// <summary>
/// The signing keys of each tenant over their life: published a day before they sign, changed on schedule, and kept in
/// the tenant's key set until the last token they signed has expired. No tenant has a key of another.
/// </summary>
internal sealed partial class SigningKeys : IDisposable
{
    /// <summary>How long a key signs; how long it is published before (verifiers cache key sets) and after.</summary>
    public static readonly TimeSpan
        Term = TimeSpan.FromDays(90), Lead = TimeSpan.FromDays(1), Tail = TimeSpan.FromDays(1);

    private readonly Db db;
    private readonly SigningKeyStore store;
    private readonly TenantBook tenants;
    private readonly TimeProvider clock;
    private readonly ILogger<SigningKeys> logger;
    private readonly Reload reload;
    private readonly ITimer timer;
    private readonly SemaphoreSlim making = new(1);
    private Action<TenantId>[] followers = [];
    private volatile FrozenDictionary<TenantId, KeySet> sets = FrozenDictionary<TenantId, KeySet>.Empty;

    public SigningKeys(
        Db db,
        SigningKeyStore store,
        TenantBook tenants,
        Changes changes,
        TimeProvider clock,
        ILogger<SigningKeys> logger)
    {
        (this.db, this.store, this.tenants, this.clock, this.logger) = (db, store, tenants, clock, logger);
        reload = new("signing keys", ReadAsync, clock, logger);
        changes.Subscribe(change =>
        {
            if (change.Kind is SigningKeyStore.Kind or Changes.Everything)
            {
                reload.Soon();
            }
        });
        tenants.Beginning.Add(BeginAsync);
        tenants.Watch(_ => reload.Soon());
        timer = clock.CreateTimer(_ => reload.Soon(), null, TimeSpan.FromHours(1), TimeSpan.FromHours(1));
    }

    /// <summary>Calls back for each tenant whose published set changed, and at first for all.</summary>
    public void Follow(Action<TenantId> follower)
    {
        followers = [.. followers, follower];
        Array.ForEach([.. sets.Keys], follower);
    }

    /// <summary>All published keys of a tenant.</summary>
    public IReadOnlyList<SigningKey> Published(TenantId tenant) => SetOf(tenant).Keys;

    /// <summary>The key set as it is served (RFC 7517 §5).</summary>
    public string Json(TenantId tenant) => SetOf(tenant).Json;

    /// <summary>The key that signs access tokens now.</summary>
    public SigningKey Current(TenantId tenant) => Newest(tenant, SigningKey.Es256)
        ?? throw new InvalidOperationException($"Tenant {tenant} has no signing key.");

    /// <summary>
    /// The key that signs by this algorithm now. There is one for RS256 from the first time that somebody needs it.
    /// </summary>
    public async ValueTask<SigningKey> CurrentAsync(TenantId tenant, string algorithm, CancellationToken stop) =>
        Newest(tenant, algorithm) ?? await MakeAsync(tenant, algorithm, stop);

    /// <summary>Loads the keys, makes those that are due and forgets those that are over.</summary>
    public Task RefreshAsync(CancellationToken stop) => reload.NowAsync(stop);

    /// <summary>
    /// Changes the key ahead of the schedule and in its way: the next one is published now and signs after
    /// <see cref="Lead"/>. One that is published already is the next one.
    /// </summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="note">Records it in the same transaction.</param>
    /// <param name="stop">Ends the waiting.</param>
    public Task<SigningKey> RotateAsync(TenantId tenant, Action<Unit> note, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return ChangeAsync(
            tenant,
            now + Lead,
            unit => SigningKeyStore.RetireAsync(unit, tenant, now, until: now + Lead, published: now + Lead + Tail),
            note,
            stop);
    }

    /// <summary>
    /// Changes the key now, for one that is lost: the new key signs at once, and all others leave the set, so the
    /// tokens they signed are worth nothing from here on.
    /// </summary>
    /// <inheritdoc cref="RotateAsync"/>
    public Task<SigningKey> ReplaceAsync(TenantId tenant, Action<Unit> note, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return ChangeAsync(tenant, now, unit => SigningKeyStore.EndAsync(unit, tenant, now), note, stop);
    }

    public void Dispose()
    {
        timer.Dispose();
        reload.Dispose();
        making.Dispose();
        Array.ForEach([.. sets.Values.SelectMany(set => set.Keys)], key => key.Dispose());
    }

    private async ValueTask BeginAsync(Unit unit, TenantId tenant)
    {
        using var pair = SigningKey.Generate(SigningKey.Es256);
        await store.InsertAsync(unit, tenant, pair, clock.GetUtcNow());
    }

    private KeySet SetOf(TenantId tenant) => sets.GetValueOrDefault(tenant) ?? KeySet.Empty;

    private SigningKey? Newest(TenantId tenant, string algorithm)
    {
        var (keys, now) = (SetOf(tenant).Keys, clock.GetUtcNow());
        SigningKey? newest = null;
        foreach (var key in keys)
        {
            var signs = key.Algorithm == algorithm && key.SignsFrom <= now;
            newest = signs && (newest is null || key.SignsFrom > newest.SignsFrom) ? key : newest;
        }

        return newest;
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        var keys = await LoadAsync(stop);
        var due = tenants.All.SelectMany(tenant => Due(tenant.Id, keys[tenant.Id])).ToList();
        foreach (var (tenant, algorithm, from) in due)
        {
            await AddAsync(tenant, algorithm, from);
        }

        Publish(due.Count > 0 ? await LoadAsync(stop) : keys);
    }

    private async Task<ILookup<TenantId, SigningKey>> LoadAsync(CancellationToken stop)
    {
        var known = sets.Values.SelectMany(set => set.Keys).ToDictionary(key => key.Id);
        return (await store.LoadAsync(known, stop)).ToLookup(row => row.Tenant, row => row.Key);
    }

    private void Publish(ILookup<TenantId, SigningKey> keys)
    {
        var before = sets;
        sets = tenants.All.ToFrozenDictionary(tenant => tenant.Id, tenant => KeySet.Of([.. keys[tenant.Id]]));
        foreach (var tenant in before.Keys.Union(sets.Keys))
        {
            if (before.GetValueOrDefault(tenant)?.Json != sets.GetValueOrDefault(tenant)?.Json)
            {
                Array.ForEach(followers, follower => follower(tenant));
            }
        }
    }

    // A key is due when none signs now, or when the last one will have signed out within the lead time; for an
    // algorithm that nobody asked for yet, none is.
    private IEnumerable<(TenantId Tenant, string Algorithm, DateTimeOffset From)> Due(
        TenantId tenant, IEnumerable<SigningKey> keys)
    {
        var now = clock.GetUtcNow();
        foreach (var algorithm in keys.Select(key => key.Algorithm).Append(SigningKey.Es256).Distinct())
        {
            var last = keys.Where(key => key.Algorithm == algorithm).MaxBy(key => key.SignsUntil);
            if (last is null || last.SignsUntil <= now)
            {
                yield return (tenant, algorithm, now);
            }
            else if (last.SignsUntil - now <= Lead)
            {
                yield return (tenant, algorithm, last.SignsUntil);
            }
        }
    }

    // One at a time: a pair of RS256 takes a tenth of a second to make, and a crowd may come for it at once.
    private async ValueTask<SigningKey> MakeAsync(TenantId tenant, string algorithm, CancellationToken stop)
    {
        await making.WaitAsync(stop);
        try
        {
            if (Newest(tenant, algorithm) is null)
            {
                await AddAsync(tenant, algorithm, clock.GetUtcNow());
                await RefreshAsync(stop);
            }

            return Newest(tenant, algorithm)
                ?? throw new InvalidOperationException($"Tenant {tenant} has no key for {algorithm}.");
        }
        finally
        {
            making.Release();
        }
    }

    // One transaction: at no moment is there a node that finds no key to sign with.
    private async Task<SigningKey> ChangeAsync(
        TenantId tenant, DateTimeOffset from, Func<Unit, ValueTask> end, Action<Unit> note, CancellationToken stop)
    {
        using var pair = SigningKey.Generate(SigningKey.Es256);
        await db.WriteAsync(async unit =>
        {
            await end(unit);
            await store.InsertAsync(unit, tenant, pair, from);
            note(unit);
        });
        await RefreshAsync(stop);
        return Published(tenant).Where(key => key.Algorithm is SigningKey.Es256).MaxBy(key => key.SignsFrom)!;
    }

    private async Task AddAsync(TenantId tenant, string algorithm, DateTimeOffset from)
    {
        // Before the transaction, which nobody else can pass.
        using var pair = SigningKey.Generate(algorithm);
        if (await db.WriteAsync(async unit => await store.InsertAsync(unit, tenant, pair, from)) is { } id)
        {
            Log.Added(logger, id, tenant.Value, from);
        }
    }

    private sealed record KeySet(IReadOnlyList<SigningKey> Keys, string Json)
    {
        public static readonly KeySet Empty = Of([]);

        public static KeySet Of(IReadOnlyList<SigningKey> keys) =>
            new(keys, $$"""{"keys":[{{string.Join(',', keys.Select(key => key.PublicJwk))}}]}""");
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Key {KeyId} of tenant {Tenant} is published and signs from {From:u}")]
        public static partial void Added(ILogger logger, string keyId, string tenant, DateTimeOffset from);
    }
}
