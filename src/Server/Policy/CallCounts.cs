using Postern.Platform.Database;

namespace Postern.Policy;

/// <summary>
/// Counts the calls of grants whose person set a number to them. One statement decides, so no two nodes both make the
/// last call; whatever was passed on from a grant counts with it.
/// </summary>
internal sealed class CallCounts(Db db, TimeProvider clock)
{
    /// <summary>True when there was one left, which is taken.</summary>
    public async ValueTask<bool> TakeAsync(Grant grant, int detail, Limit.Rate rate)
    {
        var (id, began) = ((grant.Root ?? grant.Id).Value, rate.Begin(clock.GetUtcNow()));
        return await db.WriteAsync(async unit => await unit.RunAsync(
            $"""
            insert into call_counts (tenant, grant_id, detail, began_at, calls)
            values ({grant.Tenant.Value}, {id}, {(long)detail}, {began}, {1L})
            on conflict (tenant, grant_id, detail) do update set
              began_at = excluded.began_at,
              calls = case when call_counts.began_at = excluded.began_at then call_counts.calls + 1 else 1 end
            where call_counts.began_at < excluded.began_at
              or (call_counts.began_at = excluded.began_at and call_counts.calls < {rate.Calls})
            """)) is 1;
    }
}
