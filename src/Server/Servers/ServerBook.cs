using Postern.Audit;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Tenants;

namespace Postern.Servers;

/// <summary>
/// The MCP servers of this installation, in memory: those of the configuration, those added by the API, and the demo.
/// A name of the configuration cannot be taken by the API.
/// </summary>
internal sealed class ServerBook : IDisposable
{
    /// <summary>The most servers of all tenants together; each has a limit of its own.</summary>
    public const int Most = 10_000;

    private readonly Db db;
    private readonly AuditLog audit;
    private readonly ServerStore store;
    private readonly CatalogueStore catalogues;
    private readonly ServerSources sources;
    private readonly Settings settings;
    private readonly TenantBook tenants;
    private readonly Dictionary<(TenantId, string), McpServer> configured;
    private readonly Reload reload;
    private readonly Lock watching = new();
    private volatile Shelf shelf;
    private Action<McpServer> gone = _ => { }, came = _ => { };

    public ServerBook(
        Db db,
        Changes changes,
        AuditLog audit,
        ServerStore store,
        CatalogueStore catalogues,
        Settings settings,
        TenantBook tenants,
        TimeProvider clock,
        ILogger<ServerBook> logger)
    {
        (this.db, this.audit, this.store, this.catalogues) = (db, audit, store, catalogues);
        (this.settings, this.tenants) = (settings, tenants);
        sources = new(settings, tenants);
        configured = sources.Configured();
        var first = new Dictionary<(TenantId, string), McpServer>(configured);
        sources.AddDemos(first, configured);
        shelf = new(first, [], []);
        reload = new("servers", ReadAsync, clock, logger);
        changes.Subscribe(Hear);
        tenants.Watch(_ => reload.Soon());
    }

    /// <summary>
    /// Forgets, in the transaction that removes a server or gives its name to another, what others keep under the name.
    /// </summary>
    public List<Func<Unit, TenantId, string, ValueTask>> Forgetting { get; } = [];

    /// <summary>Calls back, on every node and quickly, for each server that is gone and for each that came.</summary>
    public void Watch(Action<McpServer>? gone = null, Action<McpServer>? came = null)
    {
        lock (watching)
        {
            (this.gone, this.came) = (this.gone + gone, this.came + came);
        }
    }

    public McpServer? Find(TenantId tenant, string name) => shelf.Servers.GetValueOrDefault((tenant, name));

    public McpServer? ByResource(TenantId tenant, Resource resource) =>
        shelf.ByResource.GetValueOrDefault((tenant, resource.Value));

    /// <summary>Those of all tenants.</summary>
    public IReadOnlyCollection<McpServer> Everywhere => shelf.Servers.Values;

    public IReadOnlyList<McpServer> All(TenantId tenant) =>
    [
        .. shelf.Servers.Values.Where(server => server.Tenant == tenant)
            .OrderBy(server => server.Name, StringComparer.Ordinal),
    ];

    /// <summary>The server meant when a client names no resource; null when that cannot be said.</summary>
    public McpServer? Default(TenantId tenant) =>
        tenant == tenants.Default.Id && settings.DefaultServer is { } name
            ? Find(tenant, name)
            : All(tenant) is [var only] ? only : null;

    /// <summary>The server that a request means, by the resource it names or leaves out.</summary>
    public McpServer? Meant(TenantId tenant, string? resource) => resource is null
        ? Default(tenant)
        : Resource.TryParse(resource, out var named) ? ByResource(tenant, named) : null;

    /// <summary>What the server last said of its tools; null when it was never asked.</summary>
    public ToolCatalogue? Catalogue(McpServer server) =>
        shelf.Catalogues.GetValueOrDefault((server.Tenant, server.Name));

    /// <summary>The scopes worth asking for at a server.</summary>
    public Scopes Scopes(McpServer server) =>
        Catalogue(server)?.Scopes ?? Domain.Scopes.Of(Risks.All.Select(risk => risk.Scope));

    /// <summary>
    /// Keeps what a server says of its tools now. Does nothing when it said the same before, and when the server was
    /// removed while it was being asked.
    /// </summary>
    public async Task KeepCatalogueAsync(McpServer server, ToolCatalogue catalogue)
    {
        var known = Catalogue(server);
        if (known?.Tools.SequenceEqual(catalogue.Tools) is true)
        {
            return;
        }

        if (await catalogues.KeepAsync(server, catalogue, isFirst: known is null))
        {
            await LoadAsync(CancellationToken.None);
        }
    }

    /// <summary>
    /// Adds a server by the API, and says who did. False when the name is taken or there are too many.
    /// </summary>
    public async Task<bool> AddAsync(TenantId tenant, ServerSettings server, AuditEntry by)
    {
        if (Find(tenant, server.Name) is not null
            || shelf.Servers.Count >= Most
            || All(tenant).Count >= tenants[tenant].MostServers)
        {
            return false;
        }

        var added = await db.WriteAsync(async unit =>
        {
            var isNew = await store.InsertAsync(unit, tenant, server);
            if (isNew)
            {
                await NoteAsync(unit, tenant, server.Name, by with { Kind = AuditKinds.ServerAdded });
            }

            return isNew;
        });
        await LoadAsync(CancellationToken.None);
        return added;
    }

    /// <summary>Changes a server that the API added, and says who did. What is known of its tools stays.</summary>
    public async Task ChangeAsync(
        TenantId tenant, string name, Func<ServerSettings, ServerSettings> change, AuditEntry by)
    {
        await db.WriteAsync(async unit =>
        {
            if (await ServerStore.FindAsync(unit, tenant, name) is { } known)
            {
                await ServerStore.UpdateAsync(unit, tenant, change(known));
                unit.Announce(ServerStore.Kind, tenant, name);
                audit.Write(unit, by with { Resource = sources.AddressOf(tenant, name) });
            }
        });
        await LoadAsync(CancellationToken.None);
    }

    /// <summary>Removes a server that the API added. False for any other.</summary>
    public async Task<bool> RemoveAsync(TenantId tenant, string name, AuditEntry by)
    {
        var removed = await db.WriteAsync(async unit =>
        {
            var wasThere = await ServerStore.DeleteAsync(unit, tenant, name);
            if (wasThere)
            {
                await NoteAsync(unit, tenant, name, by with { Kind = AuditKinds.ServerRemoved });
            }

            return wasThere;
        });
        await LoadAsync(CancellationToken.None);
        return removed;
    }

    /// <summary>Reads servers and catalogues from the database.</summary>
    public Task LoadAsync(CancellationToken stop) => reload.NowAsync(stop);

    public void Dispose() => reload.Dispose();

    private async Task ReadAsync(CancellationToken stop)
    {
        var before = shelf;
        var all = new Dictionary<(TenantId, string), McpServer>(configured);
        sources.AddDemos(all, before.Servers);
        var rows = await store.ReadAsync(stop);
        foreach (var row in rows.Where(row => tenants.Find(row.Tenant) is not null))
        {
            // One that is as it was stays what it is to all who hold something of it.
            all.TryAdd(row.Key, before.Rows.Contains(row) ? before.Servers[row.Key] : sources.Added(row));
        }

        shelf = new(all, [.. rows], await catalogues.ReadAsync(all, stop));
        Array.ForEach([.. before.Servers.Values.Except(all.Values)], gone);
        Array.ForEach([.. all.Values.Except(before.Servers.Values)], came);
    }

    private void Hear(Change change)
    {
        if (change.Kind is ServerStore.Kind or CatalogueStore.Kind or Changes.Everything)
        {
            reload.Soon();
        }
    }

    // What stands under the name from here on is another server, of which nothing is known.
    private async ValueTask NoteAsync(Unit unit, TenantId tenant, string name, AuditEntry by)
    {
        await CatalogueStore.ForgetAsync(unit, tenant, name);
        foreach (var forget in Forgetting)
        {
            await forget(unit, tenant, name);
        }

        unit.Announce(ServerStore.Kind, tenant, name);
        audit.Write(unit, by with { Resource = sources.AddressOf(tenant, name) });
    }

    /// <summary>All of it at one moment, published as a whole: what is gone from the database is gone here.</summary>
    private sealed class Shelf(
        Dictionary<(TenantId, string), McpServer> servers,
        HashSet<ServerStore.Row> rows,
        Dictionary<(TenantId, string), ToolCatalogue> catalogues)
    {
        public Dictionary<(TenantId, string), McpServer> Servers => servers;

        /// <summary>What the servers of the API were made from.</summary>
        public HashSet<ServerStore.Row> Rows => rows;

        public Dictionary<(TenantId, string), McpServer> ByResource { get; } =
            servers.Values.ToDictionary(server => (server.Tenant, server.Resource.Value));

        public Dictionary<(TenantId, string), ToolCatalogue> Catalogues => catalogues;
    }
}
