using System.Globalization;
using Postern.Audit;
using Postern.Platform.Database;

namespace Postern.Policy;

/// <summary>
/// Counts calls and money of grants whose person set a number to them. A row is locked by the statement that reads it,
/// so no two nodes both make the last call or spend the last of it. Money is taken before a call leaves.
/// </summary>
internal sealed class Ledger : IDisposable
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromHours(1);

    private readonly Db db;
    private readonly AuditLog audit;
    private readonly TimeProvider clock;
    private readonly ITimer sweeping;

    public Ledger(Db db, AuditLog audit, TimeProvider clock)
    {
        (this.db, this.audit, this.clock) = (db, audit, clock);
        sweeping = clock.CreateTimer(_ => _ = SweepAsync(), null, SweepEvery, SweepEvery);
    }

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>
    /// Takes what a call costs, if all of it is left, and records the decision; both or neither. Durable when it
    /// returns.
    /// </summary>
    /// <param name="question">The call.</param>
    /// <param name="ruling">What it would take.</param>
    /// <param name="entry">The decision but for its effect.</param>
    public async ValueTask<Taken> TakeAsync(Question question, Ruling ruling, AuditEntry entry)
    {
        if (entry.User is { } user)
        {
            await audit.PrepareAsync(entry.Tenant, user);
        }

        return await db.WriteAsync(async unit =>
        {
            var taken = await TakeAsync(unit, question, ruling);
            var id = audit.Write(
                unit,
                entry with { Effect = taken.Because is null ? "allow" : "deny", Reason = taken.Because });
            return taken with { Entry = id };
        });
    }

    /// <summary>Gives back what a call took that certainly never left, and records how it ended.</summary>
    public Task GiveBackAsync(Permit permit, AuditEntry outcome) => db.WriteAsync(async unit =>
    {
        var tenant = permit.Question.Grant.Tenant;
        foreach (var sum in permit.Sums)
        {
            if (await LockAsync(unit, tenant, sum.Grant, sum.Place) is { } spent)
            {
                await SetAsync(unit, tenant, sum, Math.Max(0, spent - permit.Charge!.Amount));
            }
        }

        audit.Write(unit, outcome);
    });

    /// <summary>What was spent of a grant, by the places of its details.</summary>
    public async Task<IReadOnlyDictionary<long, decimal>> SpentAsync(Grant grant, CancellationToken stop) =>
        (await db.AllAsync(
            $"""
            select detail, spent from spend_totals
            where tenant = {grant.Tenant.Value} and grant_id = {grant.Id.Value} limit {(long)Details.MaxCount}
            """,
            row => Tuple.Create(row.GetInt64(0), Parse(row.GetString(1))),
            stop)).ToDictionary(row => row.Item1, row => row.Item2);

    public void Dispose() => sweeping.Dispose();

    // The money is looked at first and written last: a call that is refused for its number costs nothing.
    private async ValueTask<Taken> TakeAsync(Unit unit, Question question, Ruling ruling)
    {
        var (sums, refused) = await RoomAsync(unit, question, ruling);
        if (refused is null && ruling.Rates is not [])
        {
            refused = await CallAsync(unit, question, ruling);
        }

        if (refused is not null)
        {
            return refused;
        }

        foreach (var sum in sums)
        {
            await SetAsync(unit, question.Grant.Tenant, sum, sum.Spent);
        }

        return new(null, null) { Sums = sums };
    }

    // The first that has enough left.
    private async ValueTask<(IReadOnlyList<Sum> Sums, Taken? Refused)> RoomAsync(
        Unit unit, Question question, Ruling ruling)
    {
        Overrun? over = null;
        foreach (var purse in ruling.Purses)
        {
            (var sums, over) = await RoomAsync(unit, question, purse, ruling.Charge!);
            if (sums is not null)
            {
                return (sums, null);
            }
        }

        return ([], ruling.Purses is [] ? null : over is null
            ? new("what was agreed to cannot be counted for it any more", null)
            : new("it costs more than is left of what was agreed to", over));
    }

    // Where it was passed on, it counts with each it was passed on from; the first of the chain is locked first.
    private async ValueTask<(IReadOnlyList<Sum>? Sums, Overrun? Over)> RoomAsync(
        Unit unit, Question question, Detail purse, Charge charge)
    {
        var sums = new List<Sum>();
        foreach (var grant in question.Chain)
        {
            if (grant.Details?.PlaceOf(purse) is not (>= 0 and var place)
                || await LockAsync(unit, grant.Tenant, grant.Id, place) is not { } spent)
            {
                return (null, null);
            }

            // A token for less is held to its own total, by what its grant has spent.
            var agreed = ReferenceEquals(grant, question.Chain[^1]) ? purse : grant.Details.All[place];
            var most = agreed.Most(Overrun.InAll)!.Value;
            if (spent + charge.Amount > most)
            {
                var left = Math.Max(0, most - spent);
                return (null, new(Detail.Spend, Overrun.InAll, most, left, charge.Amount)
                {
                    Currency = charge.Currency,
                });
            }

            sums.Add(new(grant.Id, place, spent + charge.Amount));
        }

        return (sums.Count is 0 ? null : sums, null);
    }

    // Null when one was left, which is taken: where the chain begins, so that a token with the same detail twice makes
    // no more calls.
    private async ValueTask<Taken?> CallAsync(Unit unit, Question question, Ruling ruling)
    {
        foreach (var detail in ruling.Rates)
        {
            if (question.Chain is [{ Details: { } counted } root, ..] && counted.PlaceOf(detail) is >= 0 and var place
                && await CallAsync(unit, root, place, detail.Rate!))
            {
                return null;
            }
        }

        var rate = ruling.Rates[^1].Rate!;
        return new(
            $"the calls agreed to are used up for this {rate.Word}",
            new(Detail.McpTool, Detail.Calls, rate.Calls, 0, 1)
            {
                Per = rate.Word,
                Resets = DateTimeOffset.FromUnixTimeSeconds(rate.Begin(Now)) + rate.Per,
            });
    }

    private async ValueTask<bool> CallAsync(Unit unit, Grant root, int place, Limit.Rate rate)
    {
        var began = rate.Begin(Now);
        return await unit.RunAsync(
            $"""
            insert into call_counts (tenant, grant_id, detail, began_at, calls)
            values ({root.Tenant.Value}, {root.Id.Value}, {(long)place}, {began}, {1L})
            on conflict (tenant, grant_id, detail) do update set
              began_at = excluded.began_at,
              calls = case when call_counts.began_at = excluded.began_at then call_counts.calls + 1 else 1 end
            where call_counts.began_at < excluded.began_at
              or (call_counts.began_at = excluded.began_at and call_counts.calls < {rate.Calls})
            """) is 1;
    }

    // Null for a grant that is over. Whoever reads it next waits until this transaction ends.
    private async ValueTask<decimal?> LockAsync(Unit unit, TenantId tenant, GrantId grant, long place) =>
        await unit.FirstAsync(
            $"""
            insert into spend_totals (tenant, grant_id, detail, spent)
            select tenant, id, {place}, '0' from grants
            where tenant = {tenant.Value} and id = {grant.Value}
              and revoked_at is null and expires_at > {Now.ToUnixTimeSeconds()}
            on conflict (tenant, grant_id, detail) do update set spent = spend_totals.spent
            returning spent
            """,
            row => row.GetString(0)) is { } text ? Parse(text) : null;

    private static async ValueTask SetAsync(Unit unit, TenantId tenant, Sum sum, decimal spent) => await unit.RunAsync(
        $"""
        update spend_totals set spent = {Detail.Plain(spent)}
        where tenant = {tenant.Value} and grant_id = {sum.Grant.Value} and detail = {sum.Place}
        """);

    private static decimal Parse(string text) =>
        decimal.Parse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);

    // What belongs to grants that are over; a call under way may have left a row behind its grant.
    internal async Task SweepAsync()
    {
        var now = Now.ToUnixTimeSeconds();
        try
        {
            await db.WriteAsync(async unit =>
            {
                await unit.RunAsync(
                    $"""
                    delete from spend_totals where not exists (
                      select 1 from grants g where g.tenant = spend_totals.tenant and g.id = spend_totals.grant_id
                        and g.revoked_at is null and g.expires_at > {now})
                    """);
                await unit.RunAsync(
                    $"""
                    delete from call_counts where not exists (
                      select 1 from grants g where g.tenant = call_counts.tenant and g.id = call_counts.grant_id
                        and g.revoked_at is null and g.expires_at > {now})
                    """);
            });
        }
        catch (DatabaseUnavailableException)
        {
            // The next sweep finds the same rows; nobody can use them.
        }
    }
}

/// <summary>What came of taking; <see cref="Because"/> says why nothing was.</summary>
internal sealed record Taken(string? Because, Overrun? Over)
{
    public string Entry { get; init; } = "";

    public IReadOnlyList<Sum> Sums { get; init; } = [];
}

/// <summary>What is spent of a detail with a call.</summary>
internal sealed record Sum(GrantId Grant, long Place, decimal Spent);
