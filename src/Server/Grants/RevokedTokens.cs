using System.Collections.Concurrent;
using Postern.Audit;
using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>
/// Access tokens that were handed back before their time, in memory on every node until they would have expired. Only a
/// valid token gets in, so there are never more than tokens of the last hour.
/// </summary>
internal sealed class RevokedTokens : IDisposable
{
    private const string Kind = "token";

    /// <summary>Longer than any access token lives, by whatever the clocks of two nodes differ.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromMinutes(65);

    private readonly Db db;
    private readonly AuditLog audit;
    private readonly TimeProvider clock;
    private readonly Sweep sweep, forget;
    private readonly Reload reload;
    private readonly ConcurrentDictionary<(TenantId, string), long> revoked = new();
    private Action<TenantId, string, string>[] watchers = [];

    public RevokedTokens(Db db, Changes changes, AuditLog audit, TimeProvider clock, ILogger<RevokedTokens> logger)
    {
        (this.db, this.audit, this.clock, sweep, forget) = (db, audit, clock, new(clock), new(clock));
        reload = new("revoked tokens", ReadAsync, clock, logger);
        changes.Subscribe(Hear);
    }

    public bool Has(TenantId tenant, string tokenId) => !revoked.IsEmpty && revoked.ContainsKey((tenant, tokenId));

    /// <summary>
    /// Calls back, with its name and its resource, when a token has been handed back, here or on another node.
    /// </summary>
    public void Watch(Action<TenantId, string, string> watcher) => watchers = [.. watchers, watcher];

    /// <summary>Those of a resource that have not expired, in pages by name.</summary>
    public Task<List<string>> OfResourceAsync(
        TenantId tenant, string resource, string after, int limit, CancellationToken stop) => db.AllAsync(
        $"""
        select token_id from revoked_tokens
        where tenant = {tenant.Value} and resource = {resource} and token_id > {after}
          and expires_at > {clock.GetUtcNow().ToUnixTimeSeconds()}
        order by token_id limit {(long)limit}
        """,
        row => row.GetString(0),
        stop);

    public async Task AddAsync(
        TenantId tenant, string tokenId, string resource, DateTimeOffset expires, AuditEntry entry)
    {
        var until = expires.ToUnixTimeSeconds();
        await db.WriteAsync(async unit =>
        {
            if (sweep.IsDue(out var now))
            {
                await unit.RunAsync($"delete from revoked_tokens where expires_at < {now - 60}");
            }

            var added = await unit.RunAsync(
                $"""
                insert into revoked_tokens (tenant, token_id, expires_at, resource)
                values ({tenant.Value}, {tokenId}, {until}, {resource}) on conflict do nothing
                """);
            if (added is 1)
            {
                unit.Announce(Kind, tenant, $"{tokenId} {resource}");
                audit.Write(unit, entry);
            }
        });
    }

    /// <summary>Reads what was revoked, before the first request is served.</summary>
    public Task LoadAsync(CancellationToken stop) => reload.NowAsync(stop);

    public void Dispose() => reload.Dispose();

    private async Task ReadAsync(CancellationToken stop)
    {
        var since = clock.GetUtcNow().ToUnixTimeSeconds() - 60;
        foreach (var row in await db.AllAsync(
            $"select tenant, token_id, expires_at from revoked_tokens where expires_at > {since}",
            row => Tuple.Create(row.GetString(0), row.GetString(1), row.GetInt64(2)),
            stop))
        {
            revoked[(new(row.Item1), row.Item2)] = row.Item3;
        }
    }

    private void Hear(Change change)
    {
        if (change.Kind is Kind)
        {
            var key = change.Key.Split(' ', 2);
            // When it expires is the token's own matter.
            revoked[(change.Tenant, key[0])] = (clock.GetUtcNow() + Kept).ToUnixTimeSeconds();
            Forget();
            Array.ForEach(watchers, watcher => watcher(change.Tenant, key[0], key[^1]));
        }
        else if (change.Kind is Changes.Everything)
        {
            reload.Soon();
        }
    }

    // A walk over all of them, so not with each.
    private void Forget()
    {
        if (!forget.IsDue(out var now))
        {
            return;
        }

        foreach (var token in revoked.Where(token => token.Value < now))
        {
            revoked.TryRemove(token);
        }
    }
}
