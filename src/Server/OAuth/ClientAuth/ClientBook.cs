using Postern.Audit;
using Postern.Grants.Parties;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Tenants;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Resolves a <c>client_id</c>, for every endpoint in the same order: configured, metadata document, registered.
/// </summary>
internal sealed class ClientBook
{
    public const string Kind = "client";

    /// <summary>Clients in memory.</summary>
    private const int Capacity = 20_000;

    private readonly ClientStore store;
    private readonly AuditLog audit;
    private readonly TenantBook tenants;
    private readonly Switches switches;
    private readonly AgentBook agents;
    private readonly TimeProvider clock;
    private readonly IReadOnlyDictionary<string, Client> configured;
    // Those that are one workload first, then those of the longest path.
    private readonly IReadOnlyList<Client> workloads;
    private readonly Cache<(TenantId, ClientId), Client> stored;
    private readonly ClientDocuments documents;

    public ClientBook(
        ClientStore store,
        Changes changes,
        ClientDocuments documents,
        AuditLog audit,
        Settings settings,
        TenantBook tenants,
        Switches switches,
        AgentBook agents,
        TimeProvider clock)
    {
        (this.switches, this.agents, this.documents) = (switches, agents, documents);
        (this.store, this.audit, this.tenants, this.clock) = (store, audit, tenants, clock);
        configured = settings.Clients.Select(seed => ConfiguredClient.Read(seed, settings))
            .ToDictionary(client => client.Id.Value);
        workloads = [.. configured.Values.Where(client => client.SpiffeId is not null)
            .OrderBy(client => client.SpiffeId!.IsPrefix)
            .ThenByDescending(client => client.SpiffeId!.Id.Path.Length)];
        if (workloads.GroupBy(client => client.SpiffeId).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new SetupException($"`spiffe_id` {twice.Key!.Id} is of two clients.");
        }

        stored = new(Capacity, (key, stop) => store.FindAsync(key.Item1, key.Item2, stop));
        changes.Subscribe(Hear);
    }

    /// <summary>The clients of a tenant that an operator named, by their identifiers.</summary>
    public IEnumerable<Client> Configured(TenantId tenant) => tenant == tenants.Default.Id
        ? configured.Values.OrderBy(client => client.Id.Value, StringComparer.Ordinal)
        : [];

    /// <summary>
    /// The client, with its metadata as fresh as its own cache lifetime says. An outage is not an unknown client: a
    /// client that is told so would register anew.
    /// </summary>
    /// <param name="network">Whose budget a document is fetched on that nobody let in yet.</param>
    public async ValueTask<Result<Client>> FindAsync(
        TenantId tenant, string id, string network, CancellationToken stop)
    {
        var client = new ClientId(id);
        var known = NamedOf(tenant, id);
        // A workload is known by its own name; it is the client that is switched off.
        if (switches.WhyOff(tenant, known?.Id ?? client) is { } off)
        {
            return OAuthError.InvalidClient(off);
        }

        if (known is not null)
        {
            return known;
        }

        if (client.IsDocument)
        {
            return await DocumentAsync(tenant, client, network, stop);
        }

        // RFC 6749 §A.1: printable ASCII. Anything else is no identifier, and a NUL would not pass the database.
        return id.Length <= 200
            && !id.AsSpan().ContainsAnyExceptInRange(' ', '~')
            && await stored.FindAsync((tenant, client), stop) is { } found
            ? found
            : OAuthError.InvalidClient("unknown client");
    }

    /// <summary>
    /// The client as it was when a person let it in, if its metadata cannot be had fresh: a document's host that is
    /// away for an hour ends nobody's session. One that has withdrawn the document, or is away for a week, does.
    /// </summary>
    public async ValueTask<Result<Client>> FindKnownAsync(
        TenantId tenant, string id, string network, CancellationToken stop)
    {
        var client = new ClientId(id);
        if (!client.IsDocument || NamedOf(tenant, id) is not null || documents.Fresh(tenant, client) is not null)
        {
            return await FindAsync(tenant, id, network, stop);
        }

        if (switches.WhyOff(tenant, client) is { } off)
        {
            return OAuthError.InvalidClient(off);
        }

        if (!documents.AreServed || await stored.FindAsync((tenant, client), stop) is not { } known)
        {
            return await FindAsync(tenant, id, network, stop);
        }

        return (await documents.FetchAgainAsync(tenant, known, stop)).Failed(out var error, out var found)
            ? error
            : await WithAgeAsync(tenant, found, stop);
    }

    /// <summary>
    /// Keeps a client that a person is letting in, as part of that unit; false when it registered itself and was
    /// removed meanwhile, which nobody undoes.
    /// </summary>
    public async ValueTask<bool> KeepAsync(Unit unit, TenantId tenant, Client client)
    {
        if (client.IsVouchedFor)
        {
            return true;
        }

        var isThere = client.Source is ClientSource.Document
            ? await KeepDocumentAsync(unit, tenant, client)
            : await ClientStore.UseAsync(unit, tenant, client.Id, clock.GetUtcNow()) is 1;
        unit.Announce(Kind, tenant, client.Id.Value);
        return isThere;
    }

    // A document is written down, and in the log, when a person lets its client in: to be fetched makes nothing grow.
    private async ValueTask<bool> KeepDocumentAsync(Unit unit, TenantId tenant, Client client)
    {
        var isSame = await ClientStore.IsSameAsync(unit, tenant, client);
        await ClientStore.SaveAsync(unit, tenant, client, clock.GetUtcNow());
        if (isSame is not true)
        {
            audit.Write(unit, new()
            {
                Tenant = tenant,
                Kind = isSame is null ? AuditKinds.ClientRegistered : AuditKinds.ClientChanged,
                Client = client.Id,
                Reason = "its metadata document",
            });
        }

        return true;
    }

    // What an operator named: in the configuration, which speaks for the tenant at the root alone, or as an agent.
    private Client? NamedOf(TenantId tenant, string id) =>
        (tenant == tenants.Default.Id ? configured.GetValueOrDefault(id) ?? WorkloadOf(id) : null)
        ?? (agents.Find(tenant, id) is { Jwks: not null } agent && tenants.Find(tenant) is { } place
            ? AgentClient.Of(agent, place)
            : null);

    private Client? WorkloadOf(string id) => SpiffeId.Parse(id) is { } workload
        ? workloads.FirstOrDefault(client => client.SpiffeId!.Has(workload))
        : null;

    private async ValueTask<Result<Client>> DocumentAsync(
        TenantId tenant, ClientId id, string network, CancellationToken stop)
    {
        if (documents.Fresh(tenant, id) is not { } found)
        {
            if (!documents.AreServed || !ClientDocuments.IsUrl(id.Value))
            {
                return OAuthError.InvalidClient("not the URL of a metadata document");
            }

            var known = await stored.FindAsync((tenant, id), stop);
            found = await documents.FetchAsync(tenant, id, known, network, stop);
        }

        return found.Failed(out var error, out var client) ? error : await WithAgeAsync(tenant, client, stop);
    }

    // A document is the same for everybody; since when it is known is the tenant's, and changes with the first yes.
    private async ValueTask<Client> WithAgeAsync(TenantId tenant, Client client, CancellationToken stop) =>
        await stored.FindAsync((tenant, client.Id), stop) is { } known
            ? client with { FirstSeen = known.FirstSeen }
            : client;

    private void Hear(Change change)
    {
        if (change.Kind is Changes.Everything)
        {
            stored.Clear();
        }
        else if (change.Kind is Kind)
        {
            stored.Drop((change.Tenant, new(change.Key)));
        }
    }
}
