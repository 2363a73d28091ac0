using System.Collections.Concurrent;
using Postern.Audit;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Database;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Register;

/// <summary>
/// Keeps the self-registered clients of a tenant few: a quota for each source network and one for all, a ceiling, and
/// those that nobody ever let in go first. A client with a living grant is never removed.
/// </summary>
internal sealed partial class Registrations : IDisposable
{
    /// <summary>Registrations in an hour at one tenant, from one network and in all.</summary>
    public const int PerHour = 60, InAllPerHour = 600;

    private static readonly TimeSpan Unclaimed = TimeSpan.FromDays(1), ReapEvery = TimeSpan.FromHours(1);

    private static readonly OAuthError AtOnce =
        OAuthError.InvalidRequest("The client was changed a moment ago.") with { Status = 409 };

    private readonly Db db;
    private readonly ClientStore store;
    private readonly TenantBook tenants;
    private readonly AuditLog audit;
    private readonly TimeProvider clock;
    private readonly ILogger<Registrations> logger;
    private readonly ConcurrentDictionary<TenantId, RegistrationQuota> quotas = new();
    private readonly ITimer reaping;

    public Registrations(
        Db db,
        ClientStore store,
        TenantBook tenants,
        AuditLog audit,
        TimeProvider clock,
        ILogger<Registrations> logger)
    {
        (this.db, this.store, this.tenants, this.audit) = (db, store, tenants, audit);
        (this.clock, this.logger) = (clock, logger);
        tenants.Watch(gone => quotas.TryRemove(gone.Id, out _));
        reaping = clock.CreateTimer(_ => _ = TryReapAsync(), null, ReapEvery, ReapEvery);
    }

    /// <summary>
    /// Registers a client; or says how long to wait, because its network or the whole house has had enough.
    /// </summary>
    public async Task<TimeSpan?> AddAsync(TenantId tenant, Client client, string network)
    {
        if (QuotaOf(tenant).MustWait(network) is { } wait)
        {
            return wait;
        }

        if (!await HasRoomAsync(tenant))
        {
            return ReapEvery;
        }

        await db.WriteAsync(async unit =>
        {
            await ClientStore.SaveAsync(unit, tenant, client, clock.GetUtcNow());
            audit.Write(unit, new()
            {
                Tenant = tenant,
                Kind = AuditKinds.ClientRegistered,
                Client = client.Id,
                Reason = "registered by itself",
                Network = network,
            });
        });
        return null;
    }

    /// <summary>
    /// Puts another registration in the place of a client's; or says why not. Counted like a new one: each leaves an
    /// entry.
    /// </summary>
    public Task<OAuthError?> ReplaceAsync(TenantId tenant, Client before, Client client, string network) =>
        ChangeAsync(
            tenant, client, network, "changed by itself",
            unit => ClientStore.ReplaceAsync(unit, tenant, client, before));

    /// <summary>Gives a client another secret; or says why not. Counted like a change.</summary>
    public Task<OAuthError?> RotateAsync(
        TenantId tenant, Client client, string fresh, TimeSpan overlap, string network) =>
        ChangeAsync(
            tenant, client, network, "another secret, asked for by itself",
            unit => ClientStore.RotateAsync(unit, tenant, client, fresh, clock.GetUtcNow() + overlap));

    /// <summary>Removes what nobody has let in within a day.</summary>
    public Task<int> ReapAsync(TenantId tenant) => EvictAsync(tenant, clock.GetUtcNow() - Unclaimed, 1000);

    public void Dispose() => reaping.Dispose();

    private async Task<OAuthError?> ChangeAsync(
        TenantId tenant, Client client, string network, string reason, Func<Unit, ValueTask<bool>> change)
    {
        if (QuotaOf(tenant).MustWait(network) is { } wait)
        {
            return OAuthError.TooMany("Too many changes; try again later.", wait);
        }

        var isChanged = await db.WriteAsync(async unit =>
        {
            if (!await change(unit))
            {
                return false;
            }

            unit.Announce(ClientBook.Kind, tenant, client.Id.Value);
            audit.Write(unit, new()
            {
                Tenant = tenant,
                Kind = AuditKinds.ClientChanged,
                Client = client.Id,
                Reason = reason,
                Network = network,
            });
            return true;
        });
        return isChanged ? null : AtOnce;
    }

    private RegistrationQuota QuotaOf(TenantId tenant) =>
        quotas.GetOrAdd(tenant, _ => new(clock, PerHour, InAllPerHour));

    private async Task<bool> HasRoomAsync(TenantId tenant)
    {
        var most = tenants[tenant].MostClients;
        return await store.CountDynamicAsync(tenant, CancellationToken.None) < most
            || await EvictAsync(tenant, clock.GetUtcNow(), Math.Max(1, most / 20)) > 0;
    }

    private Task<int> EvictAsync(TenantId tenant, DateTimeOffset usedBefore, int most) => db.WriteAsync(async unit =>
    {
        var gone = await ClientStore.EvictAsync(unit, tenant, usedBefore, most, clock.GetUtcNow());
        gone.ForEach(id => unit.Announce(ClientBook.Kind, tenant, id));
        return gone.Count;
    });

    private async Task TryReapAsync()
    {
        try
        {
            foreach (var tenant in tenants.All)
            {
                await ReapAsync(tenant.Id);
            }
        }
        catch (DatabaseUnavailableException failure)
        {
            Log.NotReaped(logger, failure.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Unused clients could not be removed: {Cause}")]
        public static partial void NotReaped(ILogger logger, string cause);
    }
}
