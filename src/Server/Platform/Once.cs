using Postern.Platform.Database;

namespace Postern.Platform;

/// <summary>Remembers values that are good once, on all nodes, until they would have expired anyway.</summary>
internal sealed class Once(Db db, TimeProvider clock)
{
    private readonly Sweep sweep = new(clock);

    /// <summary>True for the first caller who brings this value, false for everybody after.</summary>
    public Task<bool> TakeAsync(TenantId tenant, string purpose, string value, DateTimeOffset expires) =>
        db.WriteAsync(unit => TakeAsync(unit, tenant, purpose, value, expires));

    /// <summary>Whether somebody has brought it already.</summary>
    public async ValueTask<bool> HasAsync(TenantId tenant, string purpose, string value, CancellationToken stop)
    {
        var (key, now) = (new Secret(value).Hash(), clock.GetUtcNow().ToUnixTimeSeconds());
        return await db.FirstAsync(
            $"""
            select value from used_once
            where tenant = {tenant.Value} and purpose = {purpose} and value = {key} and expires_at >= {now}
            """,
            row => row.GetString(0),
            stop) is not null;
    }

    /// <summary>Takes it in a unit that does what may be done once.</summary>
    public async ValueTask<bool> TakeAsync(
        Unit unit, TenantId tenant, string purpose, string value, DateTimeOffset expires)
    {
        var key = new Secret(value).Hash();
        if (sweep.IsDue(out var now))
        {
            await unit.RunAsync($"delete from used_once where expires_at < {now}");
        }

        // What would have expired is as good as never brought.
        return await unit.RunAsync(
            $"""
            insert into used_once (tenant, purpose, value, expires_at)
            values ({tenant.Value}, {purpose}, {key}, {expires.ToUnixTimeSeconds()})
            on conflict (tenant, purpose, value) do update set expires_at = excluded.expires_at
            where used_once.expires_at < {now}
            """) is 1;
    }
}
