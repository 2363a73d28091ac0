using System.Threading.RateLimiting;
using Postern.Audit;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Database;

namespace Postern.OAuth.Register;

/// <summary>
/// Keeps self-registered clients few: a quota for each source network, a ceiling for all, and those that nobody ever let
/// in go first. A client with a living grant is never removed.
/// </summary>
internal sealed partial class Registrations : IDisposable
{
    /// <summary>Registrations one network may make in an hour, and clients a tenant may have.</summary>
    public const int PerHour = 60, Most = 5000;

    private static readonly TimeSpan Unclaimed = TimeSpan.FromDays(1);

    private readonly Db db;
    private readonly ClientStore store;
    private readonly AuditLog audit;
    private readonly TimeProvider clock;
    private readonly ILogger<Registrations> logger;
    private readonly PartitionedRateLimiter<string> quota = PartitionedRateLimiter.Create<string, string>(
        network => RateLimitPartition.GetTokenBucketLimiter(network, _ => new()
        {
            TokenLimit = PerHour,
            TokensPerPeriod = 1,
            ReplenishmentPeriod = TimeSpan.FromHours(1) / PerHour,
            QueueLimit = 0,
            AutoReplenishment = true,
        }));

    private readonly ITimer reaping;

    public Registrations(Db db, ClientStore store, AuditLog audit, TimeProvider clock, ILogger<Registrations> logger)
    {
        (this.db, this.store, this.audit, this.clock, this.logger) = (db, store, audit, clock, logger);
        reaping = clock.CreateTimer(_ => _ = TryReapAsync(), null, TimeSpan.FromHours(1), TimeSpan.FromHours(1));
    }

    /// <summary>Registers a client; false when its network or the whole house has had enough.</summary>
    public async Task<bool> AddAsync(TenantId tenant, Client client, string network)
    {
        using var lease = quota.AttemptAcquire(network);
        if (!lease.IsAcquired || !await HasRoomAsync(tenant))
        {
            return false;
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
        return true;
    }

    /// <summary>Removes what nobody has let in within a day.</summary>
    public Task<int> ReapAsync(TenantId tenant) => EvictAsync(tenant, clock.GetUtcNow() - Unclaimed, 1000);

    public void Dispose()
    {
        reaping.Dispose();
        quota.Dispose();
    }

    private async Task<bool> HasRoomAsync(TenantId tenant) =>
        await store.CountDynamicAsync(tenant, CancellationToken.None) < Most
        || await EvictAsync(tenant, clock.GetUtcNow(), Most / 20) > 0;

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
            await ReapAsync(TenantId.Default);
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
