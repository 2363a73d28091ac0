using System.Collections.Frozen;
using Postern.Audit;
using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.Grants.Parties;

/// <summary>The agents of all tenants, in memory on every node; each token and each call asks whose it is.</summary>
internal sealed class AgentBook : IDisposable
{
    /// <summary>Agents that one tenant may have.</summary>
    public const int Most = 1000;

    /// <summary>The kind of change as which an agent, or whose client is whose, is announced.</summary>
    public const string Kind = "agent";

    private readonly AgentStore store;
    private readonly Db db;
    private readonly AuditLog audit;
    private readonly Reload reload;
    private State state = State.Of([]);

    public AgentBook(
        AgentStore store, Db db, Changes changes, AuditLog audit, TimeProvider clock, ILogger<AgentBook> logger)
    {
        (this.store, this.db, this.audit) = (store, db, audit);
        reload = new("agents", ReadAsync, clock, logger);
        changes.Subscribe(change =>
        {
            if (change.Kind is Kind or Switches.Kind or Changes.Everything)
            {
                reload.Soon();
            }
        });
    }

    public bool IsEmpty => Volatile.Read(ref state).ById.Count is 0;

    /// <summary>Reads the agents, before the first request is served.</summary>
    public Task LoadAsync(CancellationToken stop) => reload.NowAsync(stop);

    public Agent? Find(TenantId tenant, string id) => Volatile.Read(ref state).ById.GetValueOrDefault((tenant, id));

    /// <summary>The agent that comes by this client; null for a client that is nobody's.</summary>
    public Agent? Of(TenantId tenant, ClientId client) =>
        Volatile.Read(ref state).ByClient.GetValueOrDefault((tenant, client));

    /// <summary>The agents of a tenant, the oldest first.</summary>
    public IReadOnlyList<Agent> All(TenantId tenant) =>
        [.. Volatile.Read(ref state).All.Where(agent => agent.Tenant == tenant)];

    /// <summary>Where an agent's time has run out since a moment.</summary>
    public IEnumerable<TenantId> EndedBetween(DateTimeOffset after, DateTimeOffset until) =>
        Volatile.Read(ref state).All.Where(agent => agent.EndsAt > after && agent.EndsAt <= until)
            .Select(agent => agent.Tenant);

    /// <summary>
    /// Writes an agent and, where it is new, its entry; false when a client of it is another's, or there are too many.
    /// </summary>
    public async Task<bool> SaveAsync(Agent agent, AuditEntry? entry, Func<Unit, ValueTask>? more = null)
    {
        var isSaved = await TryAsync(() => db.WriteAsync(async unit =>
        {
            if (await AgentStore.IsTakenAsync(unit, agent)
                || (entry is not null && await AgentStore.CountAsync(unit, agent.Tenant) >= Most))
            {
                return false;
            }

            if (!await AgentStore.SaveAsync(unit, agent))
            {
                throw new TakenException();
            }

            if (more is not null)
            {
                await more(unit);
            }

            unit.Announce(Kind, agent.Tenant, agent.Id);
            if (entry is not null)
            {
                audit.Write(unit, entry with { Agent = agent.Id });
            }

            return true;
        }));
        await reload.NowAsync(CancellationToken.None);
        return isSaved;
    }

    /// <summary>
    /// Takes an agent out. What it held is for the caller to end, before and for the same reason: that does not hold
    /// for ever, since its clients may act as themselves or be another's.
    /// </summary>
    public async Task<bool> RemoveAsync(Agent agent, AuditEntry entry)
    {
        var isRemoved = await db.WriteAsync(async unit =>
        {
            var isThere = await AgentStore.RemoveAsync(unit, agent);
            if (isThere)
            {
                foreach (var client in agent.Clients)
                {
                    await GrantStore.ForgetKeysAsync(unit, agent.Tenant, client, entry.Reason ?? entry.Kind);
                }

                await Organizations.MoveAsync(unit, agent.Party, null);
                unit.Announce(Kind, agent.Tenant, agent.Id);
                audit.Write(unit, entry with { Agent = agent.Id });
            }

            return isThere;
        });
        await reload.NowAsync(CancellationToken.None);
        return isRemoved;
    }

    public void Dispose() => reload.Dispose();

    private static async Task<bool> TryAsync(Func<Task<bool>> save)
    {
        try
        {
            return await save();
        }
        catch (TakenException)
        {
            return false;
        }
    }

    private async Task ReadAsync(CancellationToken stop) =>
        Volatile.Write(ref state, State.Of(await store.AllAsync(stop)));

    // Two agents were made at once of one client: nothing of the later one is kept.
    private sealed class TakenException : Exception;

    private sealed record State(
        IReadOnlyList<Agent> All,
        FrozenDictionary<(TenantId, string), Agent> ById,
        FrozenDictionary<(TenantId, ClientId), Agent> ByClient)
    {
        public static State Of(IReadOnlyList<Agent> all) => new(
            all,
            all.ToFrozenDictionary(agent => (agent.Tenant, agent.Id)),
            all.SelectMany(agent => agent.Clients, (agent, client) => ((agent.Tenant, client), agent))
                .ToFrozenDictionary(link => link.Item1, link => link.agent));
    }
}
