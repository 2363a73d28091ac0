using Postern.Platform.Database;

namespace Postern.Platform;

/// <summary>Remembers values that are good once, on all nodes, until they would have expired anyway.</summary>
internal sealed class Once(Db db, TimeProvider clock)
{
    /// <summary>True for the first caller who brings this value, false for everybody after.</summary>
    public Task<bool> TakeAsync(TenantId tenant, string purpose, string value, DateTimeOffset expires) =>
        db.WriteAsync(unit => TakeAsync(unit, tenant, purpose, value, expires));

    /// <summary>The same in a unit that does what may be done once.</summary>
    public async ValueTask<bool> TakeAsync(
        Unit unit, TenantId tenant, string purpose, string value, DateTimeOffset expires)
    {
        var key = new Secret(value).Hash();
        await unit.RunAsync($"delete from used_once where expires_at < {clock.GetUtcNow().ToUnixTimeSeconds()}");
        return await unit.RunAsync(
            $"""
            insert into used_once (tenant, purpose, value, expires_at)
            values ({tenant.Value}, {purpose}, {key}, {expires.ToUnixTimeSeconds()}) on conflict do nothing
            """) is 1;
    }
}
