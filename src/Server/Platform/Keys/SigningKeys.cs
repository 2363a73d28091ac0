using System.Security.Cryptography;
using Postern.Platform.Database;

namespace Postern.Platform.Keys;

/// <summary>
/// The signing keys of a tenant over their life: published a day before they sign, changed on schedule, and kept in
/// the key set until the last token they signed has expired.
/// </summary>
internal sealed partial class SigningKeys : IDisposable
{
    /// <summary>How long a key signs; how long it is published before (verifiers cache key sets) and after.</summary>
    public static readonly TimeSpan Term = TimeSpan.FromDays(90), Lead = TimeSpan.FromDays(1), Tail = TimeSpan.FromDays(1);

    private const string Kind = "keys", Purpose = "signing-key";

    private readonly Db db;
    private readonly Sealer sealer;
    private readonly TimeProvider clock;
    private readonly ILogger<SigningKeys> logger;
    private readonly SemaphoreSlim loading = new(1);
    private readonly ITimer timer;
    private Action[] followers = [];
    private volatile KeySet set = new([], """{"keys":[]}""");

    public SigningKeys(Db db, Changes changes, Sealer sealer, TimeProvider clock, ILogger<SigningKeys> logger)
    {
        (this.db, this.sealer, this.clock, this.logger) = (db, sealer, clock, logger);
        changes.Subscribe(change =>
        {
            if (change.Kind is Kind or Changes.Everything)
            {
                _ = TryRefreshAsync();
            }
        });
        timer = clock.CreateTimer(_ => _ = TryRefreshAsync(), null, TimeSpan.FromHours(1), TimeSpan.FromHours(1));
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

    /// <summary>The key that signs now.</summary>
    public SigningKey Current()
    {
        var (keys, now) = (set.Keys, clock.GetUtcNow());
        SigningKey? newest = null;
        foreach (var key in keys)
        {
            newest = key.SignsFrom <= now && (newest is null || key.SignsFrom > newest.SignsFrom) ? key : newest;
        }

        return newest ?? throw new InvalidOperationException("There is no signing key.");
    }

    /// <summary>Loads the keys, makes those that are due and forgets those that are over.</summary>
    public async Task RefreshAsync(CancellationToken stop)
    {
        await loading.WaitAsync(stop);
        try
        {
            var keys = await LoadAsync(stop);
            if (Due(keys) is { } from)
            {
                await AddAsync(from);
                keys = await LoadAsync(stop);
            }

            set = new(keys, $$"""{"keys":[{{string.Join(',', keys.Select(key => key.PublicJwk))}}]}""");
        }
        finally
        {
            loading.Release();
        }

        Array.ForEach(followers, follower => follower());
    }

    /// <summary>
    /// Changes the key now, for one that is lost: the new key signs at once, and the old one leaves the set, so the
    /// tokens it signed are worth nothing from here on.
    /// </summary>
    public async Task ReplaceAsync(CancellationToken stop)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        await db.WriteAsync(async unit =>
        {
            await unit.RunAsync(
                $"update signing_keys set published_until = {now}, signs_until = {now} where tenant = {TenantId.Default.Value}");
            unit.Announce(Kind, TenantId.Default, "");
        });
        await RefreshAsync(stop);
    }

    public void Dispose()
    {
        timer.Dispose();
        loading.Dispose();
        foreach (var key in set.Keys)
        {
            key.Dispose();
        }
    }

    // A key is due when none signs now, or when the last one will have signed out within the lead time.
    private DateTimeOffset? Due(List<SigningKey> keys)
    {
        var now = clock.GetUtcNow();
        var last = keys.MaxBy(key => key.SignsUntil);
        if (last is null || last.SignsUntil <= now)
        {
            return now;
        }

        return last.SignsUntil - now <= Lead ? last.SignsUntil : null;
    }

    private async Task AddAsync(DateTimeOffset from)
    {
        var parameters = SigningKey.Generate();
        using var key = new SigningKey(parameters, from, from + Term, from + Term + Tail);
        using var pair = ECDsa.Create(parameters);
        var (now, tenant) = (clock.GetUtcNow(), TenantId.Default.Value);
        var sealed_ = sealer.SealBytes(Purpose, pair.ExportPkcs8PrivateKey(), System.Text.Encoding.ASCII.GetBytes(key.Id));
        var added = await db.WriteAsync(async unit =>
        {
            // Two nodes may find at once that a key is due; the second finds that one is there already.
            var rows = await unit.RunAsync(
                $"""
                insert into signing_keys
                  (tenant, kid, alg, sealed, public_jwk, created_at, signs_from, signs_until, published_until)
                select {tenant}, {key.Id}, {SigningKey.Es256}, {sealed_}, {key.PublicJwk}, {now.ToUnixTimeSeconds()},
                  {from.ToUnixTimeSeconds()}, {key.SignsUntil.ToUnixTimeSeconds()}, {key.PublishedUntil.ToUnixTimeSeconds()}
                where not exists (select 1 from signing_keys where tenant = {tenant} and signs_until > {from.ToUnixTimeSeconds()})
                """);
            unit.Announce(Kind, TenantId.Default, key.Id);
            return rows > 0;
        });
        if (added)
        {
            Log.Added(logger, key.Id, from);
        }
    }

    private Task<List<SigningKey>> LoadAsync(CancellationToken stop) => db.AllAsync(
        $"""
        select kid, sealed, signs_from, signs_until, published_until from signing_keys
        where tenant = {TenantId.Default.Value} and published_until > {clock.GetUtcNow().ToUnixTimeSeconds()}
        order by signs_from limit 100
        """,
        row =>
        {
            var kid = row.GetString(0);
            var plain = sealer.OpenBytes(Purpose, row.GetFieldValue<byte[]>(1), System.Text.Encoding.ASCII.GetBytes(kid))
                ?? throw new SetupException($"Signing key {kid} was sealed with another master key.");
            using var pair = ECDsa.Create();
            pair.ImportPkcs8PrivateKey(plain, out _);
            CryptographicOperations.ZeroMemory(plain);
            return new SigningKey(
                pair.ExportParameters(includePrivateParameters: true), At(row.GetInt64(2)), At(row.GetInt64(3)), At(row.GetInt64(4)));
        },
        stop);

    private async Task TryRefreshAsync()
    {
        try
        {
            await RefreshAsync(CancellationToken.None);
        }
        catch (Exception failure) when (failure is DatabaseUnavailableException or ObjectDisposedException)
        {
            Log.NotRefreshed(logger, failure.Message);
        }
    }

    private static DateTimeOffset At(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);

    private sealed record KeySet(IReadOnlyList<SigningKey> Keys, string Json);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Signing key {KeyId} is published and signs from {From}")]
        public static partial void Added(ILogger logger, string keyId, DateTimeOffset from);

        [LoggerMessage(LogLevel.Warning, "The signing keys could not be looked at again: {Cause}")]
        public static partial void NotRefreshed(ILogger logger, string cause);
    }
}
