using System.Security.Cryptography;
using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.Approvals;

/// <summary>
/// The questions that wait and those just answered, in memory: a poll reads no table. The change feed drops one that
/// was answered, on this node before the person sees that it was.
/// </summary>
internal sealed class AskBook
{
    /// <summary>How long a person has, and the client with the answer.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>Questions that may wait at one time: in a tenant, of one client, from one network.</summary>
    public const int Most = 10_000, PerClient = 1000, PerNetwork = 100;

    private const string Kind = "ask";
    private const int Capacity = 20_000, Tries = 5;

    private readonly Db db;
    private readonly TimeProvider clock;
    private readonly RandomNumberGenerator random;
    private readonly Cache<(TenantId, GrantId), Ask> asks;

    public AskBook(AskStore store, Db db, Changes changes, TimeProvider clock, RandomNumberGenerator random)
    {
        (this.db, this.clock, this.random) = (db, clock, random);
        asks = new(Capacity, (key, stop) => store.FindAsync(key.Item1, key.Item2, stop));
        changes.Subscribe(Hear);
    }

    /// <summary>The question, answered or not; null when it is long over or never was.</summary>
    public ValueTask<Ask?> FindAsync(TenantId tenant, GrantId id, CancellationToken stop) =>
        asks.FindAsync((tenant, id), stop);

    /// <summary>Puts a question to whoever will bring its user code, which is made here.</summary>
    public async Task<Result<Ask>> OfferAsync(Ask ask)
    {
        for (var tries = 0; tries < Tries; tries++)
        {
            var coded = ask with { UserCode = UserCode.New(random) };
            if (await db.WriteAsync(unit => InsertAsync(unit, coded)) is { } outcome)
            {
                return outcome;
            }
        }

        return TooMany;
    }

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

    private static OAuthError TooMany =>
        OAuthError.TooMany("Too many requests wait for an answer; try again later.", TimeSpan.FromMinutes(1));

    // Null when the user code is taken.
    private async ValueTask<Result<Ask>?> InsertAsync(Unit unit, Ask ask)
    {
        var now = clock.GetUtcNow();
        await AskStore.PruneAsync(unit, now);
        if (await AskStore.CountAsync(unit, ask, now) is not
            { InAll: < Most, OfClient: < PerClient, OfNetwork: < PerNetwork })
        {
            return TooMany;
        }

        return await AskStore.InsertAsync(unit, ask) ? (Result<Ask>)ask : null;
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
