using System.Collections.Frozen;
using System.Security.Cryptography;
using Postern.Platform.Configuration;
using Postern.Platform.Database;

namespace Postern.Platform.Tenants;

/// <summary>
/// The tenants, in memory on every node. The one of the configuration lives at the root and is always there; the others
/// come and go by the API. One that is new opens when everybody who keeps something for tenants is ready for it; one
/// that is removed is gone before whoever removed it has an answer.
/// </summary>
internal sealed class TenantBook : IDisposable
{
    /// <summary>The most tenants beside the one at the root.</summary>
    public const int Most = 1000;

    private const string Kind = "tenant", Removed = "removed", IdPrefix = "tn_";

    // A request that came before the end is over by then.
    private static readonly TimeSpan PurgeAfter = TimeSpan.FromHours(1);

    private readonly Db db;
    private readonly TenantStore store;
    private readonly TimeProvider clock;
    private readonly RandomNumberGenerator random;
    private readonly Reload reload, purge;
    private readonly ITimer timer;
    private readonly Lock publishing = new();
    private readonly HashSet<TenantId> ended = [];
    private volatile FrozenDictionary<TenantId, Tenant> all;
    private volatile Places places = new([]);
    private Action<Tenant> gone = _ => { };

    public TenantBook(
        Settings settings,
        Db db,
        TenantStore store,
        Changes changes,
        TimeProvider clock,
        RandomNumberGenerator random,
        ILogger<TenantBook> logger)
    {
        (this.db, this.store, this.clock, this.random) = (db, store, clock, random);
        Default = new()
        {
            Id = TenantId.Default,
            Name = TenantId.Default.Value,
            Issuer = settings.Issuer,
            AccessLifetime = settings.AccessLifetime,
            RefreshIdle = settings.RefreshIdle,
            RefreshAbsolute = settings.RefreshAbsolute,
            MostServers = NewTenant.MostServers,
            MostClients = NewTenant.MostClients,
        };
        all = Index([Default]);
        reload = new("tenants", ReadAsync, clock, logger);
        purge = new("data of removed tenants", stop => store.PurgeAsync(PurgeAfter, stop), clock, logger);
        timer = clock.CreateTimer(_ => purge.Soon(), null, PurgeAfter, PurgeAfter);
        changes.Subscribe(Hear);
    }

    public Tenant Default { get; }

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<Tenant> All => all.Values;

    /// <summary>Does, in the transaction that makes a tenant, what it cannot be without.</summary>
    public List<Func<Unit, TenantId, ValueTask>> Beginning { get; } = [];

    /// <summary>Brings to memory, before a new tenant opens on this node, what is answered from there.</summary>
    public List<Func<CancellationToken, Task>> Preparing { get; } = [];

    /// <summary>A tenant that is known to be there.</summary>
    /// <exception cref="KeyNotFoundException">It is not there.</exception>
    public Tenant this[TenantId id] => Find(id) ?? throw new KeyNotFoundException($"There is no tenant {id}.");

    /// <summary>The tenant; null when there is none, or no more.</summary>
    public Tenant? Find(TenantId id) => id == Default.Id ? Default : all.GetValueOrDefault(id);

    /// <summary>The tenant of that name; null when there is none, or no more.</summary>
    public Tenant? Named(string name) => All.FirstOrDefault(tenant => tenant.Name == name);

    /// <summary>The tenant that lives below the root under that name; null when there is none.</summary>
    public Tenant? Below(ReadOnlySpan<char> name) => places.Below(name);

    /// <summary>The tenant that has this host for itself; null when there is none.</summary>
    public Tenant? AtHost(string host) => places.AtHost(host);

    /// <summary>Calls back, on every node and quickly, when a tenant is gone.</summary>
    public void Watch(Action<Tenant> gone)
    {
        lock (publishing)
        {
            this.gone += gone;
        }
    }

    /// <summary>Reads the tenants, and opens those that are new.</summary>
    public Task LoadAsync(CancellationToken stop) => reload.NowAsync(stop);

    /// <summary>
    /// Makes a tenant; null when its name or host is taken, or there are <see cref="Most"/> of them.
    /// </summary>
    /// <param name="asked">What it shall be; nothing is wrong with it.</param>
    /// <param name="note">Records it in the same transaction.</param>
    /// <param name="stop">Ends the waiting.</param>
    public async Task<Tenant?> AddAsync(NewTenant asked, Action<Unit, Tenant> note, CancellationToken stop)
    {
        var id = new TenantId(IdPrefix + random.Version7(clock.GetUtcNow()).ToString("N"));
        var tenant = asked.Under(Default, id);
        var isAdded = await db.WriteAsync(async unit =>
        {
            if (!await store.InsertAsync(unit, tenant, asked.Host, Most))
            {
                return false;
            }

            foreach (var begin in Beginning)
            {
                await begin(unit, id);
            }

            unit.Announce(Kind, id, "");
            note(unit, tenant);
            return true;
        });
        await LoadAsync(stop);
        return isAdded ? Find(id) : null;
    }

    /// <summary>
    /// Ends a tenant and everything of it, on every node. Its data goes in the background; false when it was over.
    /// </summary>
    public async Task<bool> RemoveAsync(Tenant tenant, Action<Unit> note)
    {
        var isRemoved = await db.WriteAsync(async unit =>
        {
            if (tenant.Id == Default.Id || !await store.RemoveAsync(unit, tenant.Id))
            {
                return false;
            }

            unit.Announce(Kind, tenant.Id, Removed);
            note(unit);
            return true;
        });
        purge.Soon();
        return isRemoved;
    }

    /// <summary>Deletes what removed tenants have left.</summary>
    public Task PurgeAsync(CancellationToken stop) => purge.NowAsync(stop);

    public void Dispose()
    {
        timer.Dispose();
        reload.Dispose();
        purge.Dispose();
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        var before = all;
        var rows = await store.AllAsync(stop);
        Publish(rows
            .Select(row => before.GetValueOrDefault(row.Id) ?? row.Tenant.Under(Default, row.Id))
            .Append(Default));
        if (all.Keys.Except(places.All.Select(tenant => tenant.Id)).Any())
        {
            foreach (var prepare in Preparing)
            {
                await prepare(stop);
            }
        }

        lock (publishing)
        {
            places = new([.. all.Values]);
        }
    }

    // What was read may be older than an end that was heard of meanwhile. Identifiers are never given again.
    private void Publish(IEnumerable<Tenant> tenants)
    {
        Tenant[] over;
        lock (publishing)
        {
            var after = Index(tenants.Where(tenant => !ended.Contains(tenant.Id)));
            over = [.. all.Values.Where(tenant => !after.ContainsKey(tenant.Id))];
            all = after;
        }

        Array.ForEach(over, tenant => gone(tenant));
    }

    private void Hear(Change change)
    {
        if (change is { Kind: Kind, Key: Removed })
        {
            End(change.Tenant);
        }
        else if (change.Kind is Kind or Changes.Everything)
        {
            reload.Soon();
        }
    }

    private void End(TenantId id)
    {
        Tenant? over;
        lock (publishing)
        {
            ended.Add(id);
            over = all.GetValueOrDefault(id);
            all = Index(all.Values.Where(tenant => tenant.Id != id));
            places = new([.. places.All.Where(tenant => tenant.Id != id)]);
        }

        if (over is not null)
        {
            gone(over);
        }
    }

    private static FrozenDictionary<TenantId, Tenant> Index(IEnumerable<Tenant> tenants) =>
        tenants.ToFrozenDictionary(tenant => tenant.Id);
}
