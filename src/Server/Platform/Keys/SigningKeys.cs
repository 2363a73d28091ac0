using System.Security.Cryptography;
using System.Text;
using Postern.Platform.Database;

namespace Postern.Platform.Keys;

/// <summary>
/// The signing keys of a tenant over their life: published a day before they sign, changed on schedule, and kept in
/// the key set until the last token they signed has expired.
/// </summary>
internal sealed partial class SigningKeys : IDisposable
{
    /// <summary>How long a key signs; how long it is published before (verifiers cache key sets) and after.</summary>
    public static readonly TimeSpan
        Term = TimeSpan.FromDays(90), Lead = TimeSpan.FromDays(1), Tail = TimeSpan.FromDays(1);

    private const string Kind = "keys", Purpose = "signing-key";

    private readonly Db db;
    private readonly Sealer sealer;
    private readonly TimeProvider clock;
    private readonly ILogger<SigningKeys> logger;
    private readonly Reload reload;
    private readonly ITimer timer;
    private readonly SemaphoreSlim making = new(1);
    private Action[] followers = [];
    private volatile KeySet set = new([], """{"keys":[]}""");

    public SigningKeys(Db db, Changes changes, Sealer sealer, TimeProvider clock, ILogger<SigningKeys> logger)
    {
        (this.db, this.sealer, this.clock, this.logger) = (db, sealer, clock, logger);
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

    /// <summary>Calls back after the published set changed, and once at first.</summary>
    public void Follow(Action follower)
    {
        followers = [.. followers, follower];
        follower();
    }

    /// <summary>All published keys.</summary>
    public IReadOnlyList<SigningKey> Published => set.Keys;

    /// <summary>The key set as it is served (RFC 7517 §5).</summary>
    public string Json => set.Json;

    /// <summary>The key that signs access tokens now.</summary>
    public SigningKey Current() =>
        Newest(SigningKey.Es256) ?? throw new InvalidOperationException("There is no signing key.");

    /// <summary>
    /// The key that signs by this algorithm now. There is one for RS256 from the first time that somebody needs it.
    /// </summary>
    public async ValueTask<SigningKey> CurrentAsync(string algorithm, CancellationToken stop) =>
        Newest(algorithm) ?? await MakeAsync(algorithm, stop);

    /// <summary>Loads the keys, makes those that are due and forgets those that are over.</summary>
    public Task RefreshAsync(CancellationToken stop) => reload.NowAsync(stop);

    /// <summary>
    /// Changes the key ahead of the schedule and in its way: the next one is published now and signs after
    /// <see cref="Lead"/>. One that is published already is the next one.
    /// </summary>
    /// <param name="note">Records it in the same transaction.</param>
    /// <param name="stop">Ends the waiting.</param>
    public Task<SigningKey> RotateAsync(Action<Unit> note, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var (from, last) = ((now + Lead).ToUnixTimeSeconds(), (now + Lead + Tail).ToUnixTimeSeconds());
        return ChangeAsync(
            now + Lead,
            $"""
            update signing_keys set signs_until = {from}, published_until = {last}
            where tenant = {TenantId.Default.Value} and signs_until > {from} and signs_from <= {now.ToUnixTimeSeconds()}
            """,
            note,
            stop);
    }

    /// <summary>
    /// Changes the key now, for one that is lost: the new key signs at once, and all others leave the set, so the
    /// tokens they signed are worth nothing from here on.
    /// </summary>
    /// <inheritdoc cref="RotateAsync"/>
    public Task<SigningKey> ReplaceAsync(Action<Unit> note, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return ChangeAsync(
            now,
            $"""
            update signing_keys set signs_until = {now.ToUnixTimeSeconds()}, published_until = {now.ToUnixTimeSeconds()}
            where tenant = {TenantId.Default.Value} and published_until > {now.ToUnixTimeSeconds()}
            """,
            note,
            stop);
    }

    public void Dispose()
    {
        timer.Dispose();
        reload.Dispose();
        making.Dispose();
        foreach (var key in set.Keys)
        {
            key.Dispose();
        }
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        var keys = await LoadAsync(stop);
        if (Due(keys).ToList() is { Count: > 0 } due)
        {
            foreach (var (algorithm, from) in due)
            {
                await AddAsync(algorithm, from);
            }

            keys = await LoadAsync(stop);
        }

        set = new(keys, $$"""{"keys":[{{string.Join(',', keys.Select(key => key.PublicJwk))}}]}""");
        Array.ForEach(followers, follower => follower());
    }

    private SigningKey? Newest(string algorithm)
    {
        var (keys, now) = (set.Keys, clock.GetUtcNow());
        SigningKey? newest = null;
        foreach (var key in keys)
        {
            var signs = key.Algorithm == algorithm && key.SignsFrom <= now;
            newest = signs && (newest is null || key.SignsFrom > newest.SignsFrom) ? key : newest;
        }

        return newest;
    }

    // One at a time: a pair of RS256 takes a tenth of a second to make, and a crowd may come for it at once.
    private async ValueTask<SigningKey> MakeAsync(string algorithm, CancellationToken stop)
    {
        await making.WaitAsync(stop);
        try
        {
            if (Newest(algorithm) is null)
            {
                await AddAsync(algorithm, clock.GetUtcNow());
                await RefreshAsync(stop);
            }

            return Newest(algorithm) ?? throw new InvalidOperationException($"There is no key for {algorithm}.");
        }
        finally
        {
            making.Release();
        }
    }

    // A key is due when none signs now, or when the last one will have signed out within the lead time; for an
    // algorithm that nobody asked for yet, none is.
    private IEnumerable<(string Algorithm, DateTimeOffset From)> Due(List<SigningKey> keys)
    {
        var now = clock.GetUtcNow();
        foreach (var algorithm in keys.Select(key => key.Algorithm).Append(SigningKey.Es256).Distinct())
        {
            var last = keys.Where(key => key.Algorithm == algorithm).MaxBy(key => key.SignsUntil);
            if (last is null || last.SignsUntil <= now)
            {
                yield return (algorithm, now);
            }
            else if (last.SignsUntil - now <= Lead)
            {
                yield return (algorithm, last.SignsUntil);
            }
        }
    }

    // One transaction: at no moment is there a node that finds no key to sign with.
    private async Task<SigningKey> ChangeAsync(
        DateTimeOffset from, FormattableString end, Action<Unit> note, CancellationToken stop)
    {
        using var pair = SigningKey.Generate(SigningKey.Es256);
        await db.WriteAsync(async unit =>
        {
            await unit.RunAsync(end);
            await InsertAsync(unit, pair, from);
            note(unit);
        });
        await RefreshAsync(stop);
        return Published.Where(key => key.Algorithm is SigningKey.Es256).MaxBy(key => key.SignsFrom)!;
    }

    private async Task AddAsync(string algorithm, DateTimeOffset from)
    {
        // Before the transaction, which nobody else can pass.
        using var pair = SigningKey.Generate(algorithm);
        if (await db.WriteAsync(async unit => await InsertAsync(unit, pair, from)) is { } id)
        {
            Log.Added(logger, id, from);
        }
    }

    // Two nodes may find at once that a key is due; the second finds that one is there already, and null says so.
    private async ValueTask<string?> InsertAsync(Unit unit, AsymmetricAlgorithm pair, DateTimeOffset from)
    {
        using var key = new SigningKey(pair, from, from + Term, from + Term + Tail);
        var (now, tenant) = (clock.GetUtcNow().ToUnixTimeSeconds(), TenantId.Default.Value);
        var (signsFrom, signsUntil) = (from.ToUnixTimeSeconds(), key.SignsUntil.ToUnixTimeSeconds());
        var secret = sealer.SealBytes(Purpose, pair.ExportPkcs8PrivateKey(), Encoding.ASCII.GetBytes(key.Id));
        // One node after the other: two that look at once would both see that there is none.
        await unit.RunAsync($"update change_head set id = id");
        var rows = await unit.RunAsync(
            $"""
            insert into signing_keys
              (tenant, kid, alg, sealed, public_jwk, created_at, signs_from, signs_until, published_until)
            select {tenant}, {key.Id}, {key.Algorithm}, {secret}, {key.PublicJwk}, {now},
              {signsFrom}, {signsUntil}, {key.PublishedUntil.ToUnixTimeSeconds()}
            where not exists (
              select 1 from signing_keys where tenant = {tenant} and alg = {key.Algorithm} and signs_until > {signsFrom})
            """);
        unit.Announce(Kind, TenantId.Default, key.Id);
        return rows > 0 ? key.Id : null;
    }

    private Task<List<SigningKey>> LoadAsync(CancellationToken stop) => db.AllAsync(
        $"""
        select kid, alg, sealed, signs_from, signs_until, published_until from signing_keys
        where tenant = {TenantId.Default.Value} and published_until > {clock.GetUtcNow().ToUnixTimeSeconds()}
        order by signs_from limit 100
        """,
        row =>
        {
            var kid = row.GetString(0);
            var plain = sealer.OpenBytes(Purpose, row.GetFieldValue<byte[]>(2), Encoding.ASCII.GetBytes(kid))
                ?? throw new SetupException($"Signing key {kid} was sealed with another master key.");
            using var pair = SigningKey.Import(row.GetString(1), plain);
            CryptographicOperations.ZeroMemory(plain);
            return new SigningKey(pair, At(row.GetInt64(3)), At(row.GetInt64(4)), At(row.GetInt64(5)));
        },
        stop);

    private static DateTimeOffset At(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);

    private sealed record KeySet(IReadOnlyList<SigningKey> Keys, string Json);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Signing key {KeyId} is published and signs from {From:u}")]
        public static partial void Added(ILogger logger, string keyId, DateTimeOffset from);
    }
}
