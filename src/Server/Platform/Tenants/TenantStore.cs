using System.Data.Common;
using System.Runtime.CompilerServices;
using Postern.Platform.Database;

namespace Postern.Platform.Tenants;

/// <summary>
/// The only place that reads and writes the table <c>tenants</c>, and the one that takes a removed tenant's rows out of
/// every other.
/// </summary>
internal sealed class TenantStore(Db db, TimeProvider clock)
{
    /// <summary>Rows of one table that go in one transaction, so that others are written between.</summary>
    private const long Piece = 1000;

    // The change feed numbers its own rows; the log is kept, and nothing but its place in it says whose it was.
    private static readonly string[] Kept = ["audit_heads", "changes", "tenants"];

    public Task<List<KeptTenant>> AllAsync(CancellationToken stop) => db.AllAsync(
        $"select * from tenants where removed_at is null", Read, stop);

    /// <summary>Adds one; false when its name or host is taken, or there are as many as there may be.</summary>
    public async ValueTask<bool> InsertAsync(Unit unit, Tenant tenant, string? host, long most)
    {
        // One at a time on all nodes: what is counted and numbered here must not change meanwhile.
        if (db.Engine.MigrationLock is { } alone)
        {
            await unit.RunTextAsync(alone);
        }

        return await unit.RunAsync(
            $"""
            insert into tenants (tenant, name, host, access_lifetime, refresh_idle, refresh_absolute, most_servers,
              most_clients, created_at)
            select {tenant.Id.Value}, {tenant.Name}, {host}, {(long)tenant.AccessLifetime.TotalSeconds},
              {(long)tenant.RefreshIdle.TotalSeconds}, {(long)tenant.RefreshAbsolute.TotalSeconds},
              {(long)tenant.MostServers}, {(long)tenant.MostClients}, {clock.GetUtcNow().ToUnixTimeSeconds()}
            where (select count(*) from tenants where removed_at is null) < {most}
            on conflict do nothing
            """) is 1;
    }

    /// <summary>Ends one; false when it is over already.</summary>
    public async ValueTask<bool> RemoveAsync(Unit unit, TenantId tenant) => await unit.RunAsync(
        $"""
        update tenants set removed_at = {clock.GetUtcNow().ToUnixTimeSeconds()}
        where tenant = {tenant.Value} and removed_at is null
        """) is 1;

    /// <summary>
    /// Deletes what removed tenants have left, and, once nothing can have been under way in one, its row as well.
    /// </summary>
    public async Task PurgeAsync(TimeSpan after, CancellationToken stop)
    {
        var gone = await db.AllAsync(
            $"select tenant from tenants where removed_at is not null", row => row.GetString(0), stop);
        if (gone.Count is 0)
        {
            return;
        }

        var before = (clock.GetUtcNow() - after).ToUnixTimeSeconds();
        var tables = await db.AllAsync(db.Engine.TablesOfTenants, row => row.GetString(0), stop);
        foreach (var tenant in gone)
        {
            foreach (var table in tables.Except(Kept))
            {
                await PurgeAsync(table, tenant, stop);
            }

            await db.WriteAsync(async unit => await unit.RunAsync(
                $"delete from tenants where tenant = {tenant} and removed_at <= {before}"));
        }
    }

    private async Task PurgeAsync(string table, string tenant, CancellationToken stop)
    {
        // The table's name comes from the schema, the row's from the engine, and nothing else is text.
        var row = db.Engine.RowName;
        var statement =
            $"delete from {table} where {row} in (select {row} from {table} where tenant = {{0}} limit {{1}})";
        while (await db.WriteAsync(unit =>
            unit.RunAsync(FormattableStringFactory.Create(statement, tenant, Piece))) == Piece)
        {
            stop.ThrowIfCancellationRequested();
        }
    }

    private static KeptTenant Read(DbDataReader row) => new(
        new(row.GetString(row.GetOrdinal("tenant"))),
        new()
        {
            Name = row.GetString(row.GetOrdinal("name")),
            Host = row.GetOrdinal("host") is var host && row.IsDBNull(host) ? null : row.GetString(host),
            AccessLifetime = Span(row, "access_lifetime"),
            RefreshIdle = Span(row, "refresh_idle"),
            RefreshAbsolute = Span(row, "refresh_absolute"),
            Servers = (int)row.GetInt64(row.GetOrdinal("most_servers")),
            Clients = (int)row.GetInt64(row.GetOrdinal("most_clients")),
        });

    private static TimeSpan Span(DbDataReader row, string column) =>
        TimeSpan.FromSeconds(row.GetInt64(row.GetOrdinal(column)));
}

/// <summary>A tenant as it stands in the database.</summary>
internal sealed record KeptTenant(TenantId Id, NewTenant Tenant);
