using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.Approvals;

/// <summary>
/// The questions that wait and those just answered, in memory: a poll reads no table. The change feed drops one that
/// was answered, on this node before the person sees that it was.
/// </summary>
internal sealed class AskBook
{
    private const string Kind = "ask";
    private const int Capacity = 20_000;

    private readonly AskStore store;
    private readonly Db db;
    private readonly TimeProvider clock;
    private readonly Cache<(TenantId, GrantId), Ask> asks;

    public AskBook(AskStore store, Db db, Changes changes, TimeProvider clock)
    {
        (this.store, this.db, this.clock) = (store, db, clock);
        asks = new(Capacity, (key, stop) => store.FindAsync(key.Item1, key.Item2, stop));
        changes.Subscribe(Hear);
    }

    /// <summary>The question, answered or not; null when it is long over or never was.</summary>
    public ValueTask<Ask?> FindAsync(TenantId tenant, GrantId id, CancellationToken stop) =>
        asks.FindAsync((tenant, id), stop);

    /// <summary>What waits for a person in this browser, the newest first.</summary>
    public async Task<List<Ask>> WaitingAsync(Caller caller, CancellationToken stop) =>
        [.. (await store.OfSubjectAsync(caller.Tenant, caller.Subject, clock.GetUtcNow(), stop))
            .Where(ask => ask.IsFor(caller))];

    /// <summary>
    /// The question of a user code, which is this caller's from now on; null when it is nobody's or another's.
    /// </summary>
    public async Task<Ask?> ClaimAsync(string userCode, Caller caller, CancellationToken stop)
    {
        var claimed = await db.WriteAsync(async unit =>
        {
            var id = await AskStore.ClaimAsync(unit, userCode, caller, clock.GetUtcNow());
            if (id is { } found)
            {
                unit.Announce(Kind, caller.Tenant, found.Value);
            }

            return id;
        });
        return claimed is { } found ? await FindAsync(caller.Tenant, found, stop) : null;
    }

    /// <summary>
    /// Answers a question in the unit that does what the answer says; false when that was done before.
    /// </summary>
    public async ValueTask<bool> DecideAsync(Unit unit, Ask ask, Caller caller, AskState state)
    {
        if (!await AskStore.DecideAsync(unit, ask, caller, state, clock.GetUtcNow()))
        {
            return false;
        }

        unit.Announce(Kind, ask.Tenant, ask.Id.Value);
        return true;
    }

    private void Hear(Change change)
    {
        if (change.Kind is Changes.Everything)
        {
            asks.Clear();
        }
        else if (change.Kind is Kind)
        {
            asks.Drop((change.Tenant, new(change.Key)));
        }
    }
}
