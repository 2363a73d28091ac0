using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
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

    private const string Kind = "keys", Purpose = "signing-key";

    private readonly Db db;
    private readonly TenantBook tenants;
    private readonly Sealer sealer;
    private readonly TimeProvider clock;
    private readonly ILogger<SigningKeys> logger;
    private readonly Reload reload;
    private readonly ITimer timer;
    private Action<TenantId>[] followers = [];
    private volatile FrozenDictionary<TenantId, KeySet> sets = FrozenDictionary<TenantId, KeySet>.Empty;

    public SigningKeys(
        Db db, TenantBook tenants, Changes changes, Sealer sealer, TimeProvider clock, ILogger<SigningKeys> logger)
    {
        (this.db, this.tenants, this.sealer, this.clock, this.logger) = (db, tenants, sealer, clock, logger);
        reload = new("signing keys", ReadAsync, clock, logger);
        changes.Subscribe(change =>
        {
            if (change.Kind is Kind or Changes.Everything)
            {
                reload.Soon();
            }
        });
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

    /// <summary>The key that signs now.</summary>
    public SigningKey Current(TenantId tenant)
    {
        var (keys, now) = (SetOf(tenant).Keys, clock.GetUtcNow());
        SigningKey? newest = null;
        foreach (var key in keys)
        {
            newest = key.SignsFrom <= now && (newest is null || key.SignsFrom > newest.SignsFrom) ? key : newest;
        }

        return newest ?? throw new InvalidOperationException($"Tenant {tenant} has no signing key.");
    }

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
        var (from, last) = ((now + Lead).ToUnixTimeSeconds(), (now + Lead + Tail).ToUnixTimeSeconds());
        return ChangeAsync(
            tenant,
            now + Lead,
            $"""
            update signing_keys set signs_until = {from}, published_until = {last}
            where tenant = {tenant.Value} and signs_until > {from} and signs_from <= {now.ToUnixTimeSeconds()}
            """,
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
        return ChangeAsync(
            tenant,
            now,
            $"""
            update signing_keys set signs_until = {now.ToUnixTimeSeconds()}, published_until = {now.ToUnixTimeSeconds()}
            where tenant = {tenant.Value} and published_until > {now.ToUnixTimeSeconds()}
            """,
            note,
            stop);
    }

    public void Dispose()
    {
        timer.Dispose();
        reload.Dispose();
        Array.ForEach([.. sets.Values.SelectMany(set => set.Keys)], key => key.Dispose());
    }

    private KeySet SetOf(TenantId tenant) => sets.GetValueOrDefault(tenant) ?? KeySet.Empty;

    private async Task ReadAsync(CancellationToken stop)
    {
        var keys = await LoadAsync(stop);
        var due = tenants.All.Select(tenant => (tenant.Id, From: Due(keys[tenant.Id])))
            .Where(tenant => tenant.From is not null).ToList();
        foreach (var (tenant, from) in due)
        {
            await AddAsync(tenant, from!.Value);
        }

        Publish(due.Count > 0 ? await LoadAsync(stop) : keys);
    }

    private void Publish(ILookup<TenantId, SigningKey> keys)
    {
        var before = sets;
        sets = tenants.All.ToFrozenDictionary(tenant => tenant.Id, tenant => KeySet.Of([.. keys[tenant.Id]]));
        foreach (var tenant in before.Keys.Union(sets.Keys).Where(tenant => before.GetValueOrDefault(tenant)?.Json
            != sets.GetValueOrDefault(tenant)?.Json))
        {
            Array.ForEach(followers, follower => follower(tenant));
        }
    }

    // A key is due when none signs now, or when the last one will have signed out within the lead time.
    private DateTimeOffset? Due(IEnumerable<SigningKey> keys)
    {
        var now = clock.GetUtcNow();
        var last = keys.MaxBy(key => key.SignsUntil);
        if (last is null || last.SignsUntil <= now)
        {
            return now;
        }

        return last.SignsUntil - now <= Lead ? last.SignsUntil : null;
    }

    // One transaction: at no moment is there a node that finds no key to sign with.
    private async Task<SigningKey> ChangeAsync(
        TenantId tenant, DateTimeOffset from, FormattableString end, Action<Unit> note, CancellationToken stop)
    {
        await db.WriteAsync(async unit =>
        {
            await unit.RunAsync(end);
            await InsertAsync(unit, tenant, from);
            note(unit);
        });
        await RefreshAsync(stop);
        return Published(tenant).MaxBy(key => key.SignsFrom)!;
    }

    private async Task AddAsync(TenantId tenant, DateTimeOffset from)
    {
        if (await db.WriteAsync(async unit => await InsertAsync(unit, tenant, from)) is { } id)
        {
            Log.Added(logger, id, tenant.Value, from);
        }
    }

    // Two nodes may find at once that a key is due; the second finds that one is there already, and null says so.
    private async ValueTask<string?> InsertAsync(Unit unit, TenantId tenant, DateTimeOffset from)
    {
        var parameters = SigningKey.Generate();
        using var key = new SigningKey(parameters, from, from + Term, from + Term + Tail);
        using var pair = ECDsa.Create(parameters);
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var (signsFrom, signsUntil) = (from.ToUnixTimeSeconds(), key.SignsUntil.ToUnixTimeSeconds());
        var secret = sealer.SealBytes(tenant, Purpose, pair.ExportPkcs8PrivateKey(), Encoding.ASCII.GetBytes(key.Id));
        var rows = await unit.RunAsync(
            $"""
            insert into signing_keys
              (tenant, kid, alg, sealed, public_jwk, created_at, signs_from, signs_until, published_until)
            select {tenant.Value}, {key.Id}, {SigningKey.Es256}, {secret}, {key.PublicJwk}, {now},
              {signsFrom}, {signsUntil}, {key.PublishedUntil.ToUnixTimeSeconds()}
            where not exists (select 1 from signing_keys where tenant = {tenant.Value} and signs_until > {signsFrom})
            """);
        unit.Announce(Kind, tenant, key.Id);
        return rows > 0 ? key.Id : null;
    }

    private async Task<ILookup<TenantId, SigningKey>> LoadAsync(CancellationToken stop)
    {
        var known = sets.Values.SelectMany(set => set.Keys).ToDictionary(key => key.Id);
        var rows = await db.AllAsync(
            $"""
            select tenant, kid, sealed, signs_from, signs_until, published_until from signing_keys
            where published_until > {clock.GetUtcNow().ToUnixTimeSeconds()} order by signs_from
            """,
            row => new Row(
                new(row.GetString(0)),
                row.GetString(1),
                row.GetFieldValue<byte[]>(2),
                At(row.GetInt64(3)),
                At(row.GetInt64(4)),
                At(row.GetInt64(5))),
            stop);
        return rows.Where(row => tenants.Find(row.Tenant) is not null)
            .ToLookup(row => row.Tenant, row => known.GetValueOrDefault(row.Kid) is { } same && row.Is(same)
                ? same
                : Open(row));
    }

    private SigningKey Open(Row row)
    {
        var plain = sealer.OpenBytes(row.Tenant, Purpose, row.Sealed, Encoding.ASCII.GetBytes(row.Kid))
            ?? throw new SetupException($"Signing key {row.Kid} was sealed with another master key.");
        using var pair = ECDsa.Create();
        pair.ImportPkcs8PrivateKey(plain, out _);
        CryptographicOperations.ZeroMemory(plain);
        var parameters = pair.ExportParameters(includePrivateParameters: true);
        return new(parameters, row.SignsFrom, row.SignsUntil, row.PublishedUntil);
    }

    private static DateTimeOffset At(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);

    private sealed record KeySet(IReadOnlyList<SigningKey> Keys, string Json)
    {
        public static readonly KeySet Empty = Of([]);

        public static KeySet Of(IReadOnlyList<SigningKey> keys) =>
            new(keys, $$"""{"keys":[{{string.Join(',', keys.Select(key => key.PublicJwk))}}]}""");
    }

    private sealed record Row(
        TenantId Tenant,
        string Kid,
        byte[] Sealed,
        DateTimeOffset SignsFrom,
        DateTimeOffset SignsUntil,
        DateTimeOffset PublishedUntil)
    {
        public bool Is(SigningKey key) =>
            (key.SignsFrom, key.SignsUntil, key.PublishedUntil) == (SignsFrom, SignsUntil, PublishedUntil);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Signing key {KeyId} of tenant {Tenant} is published and signs from {From:u}")]
        public static partial void Added(ILogger logger, string keyId, string tenant, DateTimeOffset from);
    }
}
