using System.Collections.Frozen;
using Postern.Audit;
using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.Grants.Parties;

/// <summary>
/// Who is switched off, in memory on every node. It is asked before a token is made, whichever way led to it, and each
/// time one is used, so that no grant type and no endpoint has a check of its own to forget (CVE-2025-64521).
/// </summary>
internal sealed class Switches : IDisposable
{
    /// <summary>The kind of change as which a switch, or who belongs to whom, is announced.</summary>
    public const string Kind = "switch";

    private const string Off = "off ", On = "on ", Moved = "members";

    private readonly SwitchStore store;
    private readonly AgentBook agents;
    private readonly GrantBook grants;
    private readonly Logouts logouts;
    private readonly Db db;
    private readonly AuditLog audit;
    private readonly TimeProvider clock;
    private readonly Reload reload;
    private readonly Lock publishing = new();
    private FrozenDictionary<Party, DateTimeOffset> off = FrozenDictionary<Party, DateTimeOffset>.Empty;
    private long heard;
    private Action[] watchers = [];

    public Switches(
        SwitchStore store,
        AgentBook agents,
        GrantBook grants,
        Logouts logouts,
        Db db,
        Changes changes,
        AuditLog audit,
        TimeProvider clock,
        ILogger<Switches> logger)
    {
        (this.store, this.agents, this.grants, this.logouts) = (store, agents, grants, logouts);
        (this.db, this.audit, this.clock) = (db, audit, clock);
        reload = new("switches", ReadAsync, clock, logger);
        changes.Subscribe(Hear);
    }

    /// <summary>Reads what is off, before the first request is served.</summary>
    public Task LoadAsync(CancellationToken stop) => reload.NowAsync(stop);

    /// <summary>Calls back when somebody may have been switched off.</summary>
    public void Watch(Action watcher) => watchers = [.. watchers, watcher];

    /// <summary>Since when a party is off, by its own switch or its organization's; null while it is on.</summary>
    public DateTimeOffset? Since(Party party) =>
        Volatile.Read(ref off).TryGetValue(party, out var since) ? since : null;

    public bool IsOff(Party party) => Volatile.Read(ref off).ContainsKey(party);

    /// <summary>
    /// Why nothing may be made of this grant now, or be done by it; null when nobody in it is switched off. Also what
    /// it was passed on from is looked at: with whoever is behind, all before stand still.
    /// </summary>
    /// <param name="grant">The grant.</param>
    /// <param name="presenter">Who asks for something by it; null for whom it was given to.</param>
    /// <param name="stop">Ends the waiting.</param>
    public ValueTask<string?> WhyOffAsync(Grant grant, ClientId? presenter, CancellationToken stop)
    {
        if (Volatile.Read(ref off).Count is 0 && agents.IsEmpty)
        {
            return default;
        }

        var why = (presenter is { } client ? WhyOff(grant.Tenant, client) : null) ?? WhyOff(grant);
        return why is null && grant.Parent is { } parent ? WhyOffAsync(grant.Tenant, parent, stop) : new(why);
    }

    /// <summary>Why a client may do nothing now: it, or the agent whose it is; null when it may.</summary>
    public string? WhyOff(TenantId tenant, ClientId client) => IsOff(Party.Of(tenant, client))
        ? "the client is switched off"
        : agents.Of(tenant, client) is { } agent ? WhyOff(agent) : null;

    /// <summary>Why an agent may do nothing now; null when it may. Nobody answers for one without an owner.</summary>
    public string? WhyOff(Agent agent) => agent switch
    {
        _ when IsOff(agent.Party) => "the agent is switched off",
        _ when clock.GetUtcNow() >= agent.EndsAt => "the agent's time is over",
        { HasOwner: false } => "the agent has no owner",
        _ when IsOff(Party.Of(agent.Tenant, agent.Owner)) => "the agent's owner is switched off",
        _ => null,
    };

    /// <summary>Turns a switch off, on this node before the caller hears; false when it was off already.</summary>
    public async Task<bool> TurnOffAsync(Party party, string by, string? reason, AuditEntry entry)
    {
        var isChanged = await db.WriteAsync(async unit =>
        {
            var isNew = await SwitchStore.AddAsync(unit, new(party, clock.GetUtcNow(), by, reason));
            if (isNew)
            {
                unit.Announce(Kind, party.Tenant, $"{Off}{party.Word} {party.Id}");
                audit.Write(unit, entry);
                await logouts.NoteAllAsync(unit, party);
            }

            return isNew;
        });
        // For those who belong to it, who are not named in the change.
        await reload.NowAsync(CancellationToken.None);
        return isChanged;
    }

    /// <summary>
    /// Turns a switch on: what was good before and has not run out meanwhile is good again. False when it was on.
    /// </summary>
    public async Task<bool> TurnOnAsync(Party party, AuditEntry entry)
    {
        var isChanged = await db.WriteAsync(async unit =>
        {
            var wasOff = await SwitchStore.RemoveAsync(unit, party);
            if (wasOff)
            {
                unit.Announce(Kind, party.Tenant, $"{On}{party.Word} {party.Id}");
                audit.Write(unit, entry);
            }

            return wasOff;
        });
        await reload.NowAsync(CancellationToken.None);
        return isChanged;
    }

    /// <summary>Tells all nodes that somebody belongs to another organization now.</summary>
    public static void NoteMembers(Unit unit, TenantId tenant) => unit.Announce(Kind, tenant, Moved);

    public void Dispose() => reload.Dispose();

    private string? WhyOff(Grant grant) => WhyOff(grant.Tenant, grant.Client) ?? grant switch
    {
        { IsOwn: false } when IsOff(Party.Of(grant.Tenant, grant.Subject)) => "the person is switched off",
        { ApprovedBy: { } issuer } when IsOff(new(grant.Tenant, PartyKind.IdentityProvider, issuer)) =>
            "the issuer who agreed is switched off",
        _ => null,
    };

    private async ValueTask<string?> WhyOffAsync(TenantId tenant, GrantId parent, CancellationToken stop) =>
        await grants.FindAsync(tenant, parent, stop) is { } grant
            ? await WhyOffAsync(grant, null, stop)
            : "what the grant came from is not there";

    private void Hear(Change change)
    {
        if (change.Kind is not (Kind or Changes.Everything))
        {
            return;
        }

        lock (publishing)
        {
            heard++;
            if (Named(change) is { } party)
            {
                Volatile.Write(ref off, off.Append(new(party, clock.GetUtcNow()))
                    .DistinctBy(one => one.Key).ToFrozenDictionary());
            }
        }

        Array.ForEach(watchers, watcher => watcher());
        reload.Soon();
    }

    // Whom a change has switched off; what it switched on is read again instead, since an older change may come later.
    private static Party? Named(Change change) =>
        change.Key.StartsWith(Off, StringComparison.Ordinal)
        && change.Key[Off.Length..].Split(' ', 2) is [var word, var id]
        && Party.KindOf(word) is { } kind
            ? new(change.Tenant, kind, id)
            : null;

    private async Task ReadAsync(CancellationToken stop)
    {
        var before = Interlocked.Read(ref heard);
        var read = (await store.AllAsync(null, stop)).Concat(await store.MembersAsync(stop))
            .Select(one => KeyValuePair.Create(one.Party, one.Since));
        bool isMore;
        lock (publishing)
        {
            // What was heard meanwhile may not have been read: it stays off until the next reading, which is due.
            var all = (heard == before ? read : read.Concat(off)).DistinctBy(one => one.Key).ToFrozenDictionary();
            isMore = all.Keys.Any(party => !off.ContainsKey(party));
            Volatile.Write(ref off, all);
        }

        // Every open stream is looked at: only when there may be one to cut.
        if (isMore)
        {
            Array.ForEach(watchers, watcher => watcher());
        }
    }
}
