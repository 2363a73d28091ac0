using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Postern.Platform.Database;

/// <summary>
/// Everything in which the two databases differ. All other SQL of the product is one text that both understand.
/// </summary>
internal abstract class Engine : IAsyncDisposable
{
    public static Engine For(DatabaseAddress address) =>
        address.Path is { } path ? new SqliteEngine(path) : new PostgresEngine(address.Connection!);

    public abstract string Name { get; }

    /// <summary>
    /// Begins the transaction of the one writer, with the write lock held from the start where there is one.
    /// </summary>
    public abstract string Begin { get; }

    /// <summary>The tables that have a column <c>tenant</c>.</summary>
    public abstract FormattableString TablesOfTenants { get; }

    /// <summary>What names a row of any table, for as long as a statement runs.</summary>
    public abstract string RowName { get; }

    /// <summary>Keeps other nodes out while the schema is moved; null where a node is always alone.</summary>
    public abstract string? MigrationLock { get; }

    /// <summary>Wakes other nodes when the transaction commits; null where a node is always alone.</summary>
    public abstract string? Notify { get; }

    /// <summary>A connection for reading, from a pool.</summary>
    public abstract Task<DbConnection> OpenAsync(CancellationToken stop);

    /// <summary>The connection of the one writer.</summary>
    public abstract Task<DbConnection> OpenWriterAsync(CancellationToken stop);

    /// <summary>A way to insert many rows at once with the writer's connection.</summary>
    public abstract BulkInsert Bulk(DbConnection writer, string table);

    /// <summary>A step of the schema, in this database's words for what has no common one.</summary>
    public virtual string Schema(string step) => step;

    /// <summary>
    /// Whether the transaction failed only because of what ran beside it, so that running it again is right.
    /// </summary>
    public abstract bool IsConflict(Exception failure);

    /// <summary>
    /// Whether the connection was cut: a new one may well serve. Never so when the time ran out, or the second try
    /// would take as long again.
    /// </summary>
    public abstract bool IsCut(Exception failure);

    /// <summary>
    /// Whether the database itself is out of order (away, full, read-only), in words for an operator; null if not.
    /// </summary>
    public abstract string? Outage(Exception failure);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

internal sealed class SqliteEngine : Engine
{
    private readonly string connection;

    static SqliteEngine() => SQLitePCL.Batteries_V2.Init();

    public SqliteEngine(string path)
    {
        // Before SQLite makes it for everybody to read. The files it keeps beside it get the same mode.
        PrivateFile.Ensure(path);
        connection = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 5 }.ConnectionString;
    }

    public override string Name => "SQLite";

    public override string Begin => "begin immediate";

    public override FormattableString TablesOfTenants =>
        $"""
        select t.name from sqlite_master t join pragma_table_info(t.name) c on c.name = 'tenant'
        where t.type = 'table' order by t.name
        """;

    public override string RowName => "rowid";

    public override string? MigrationLock => null;

    public override string? Notify => null;

    public override Task<DbConnection> OpenAsync(CancellationToken stop) => OpenAsync("pragma query_only = on", stop);

    // FULL: a commit that was acknowledged survives the loss of power. The checkpoint size keeps
    // the WAL bounded. The log is written two pages for each one that changed, and most of what
    // changes is its end: fewer pages are fewer writes.
    public override Task<DbConnection> OpenWriterAsync(CancellationToken stop) => OpenAsync(
        """
        pragma query_only = off;
        pragma page_size = 8192;
        pragma journal_mode = wal;
        pragma synchronous = full;
        pragma wal_autocheckpoint = 2000;
        pragma foreign_keys = off;
        pragma temp_store = memory;
        pragma cache_size = -65536;
        """,
        stop);

    public override BulkInsert Bulk(DbConnection writer, string table) =>
        new SqliteBulkInsert((SqliteConnection)writer, table);

    // Its one writer has nobody beside it.
    public override bool IsConflict(Exception failure) => false;

    public override bool IsCut(Exception failure) => false;

    public override string? Outage(Exception failure) => (failure as SqliteException)?.SqliteErrorCode switch
    {
        8 => "The database file is read-only.",
        10 => "The disk gave an input or output error.",
        11 or 26 => "The database file is damaged.",
        13 => "The disk is full.",
        14 => "The database file cannot be opened.",
        5 or 6 => "The database file is locked by another program.",
        _ => null,
    };

    private async Task<DbConnection> OpenAsync(string pragmas, CancellationToken stop)
    {
        var opened = new SqliteConnection(connection);
        try
        {
            await opened.OpenAsync(stop);
            await using var command = opened.CreateCommand();
            command.CommandText = pragmas;
            await command.ExecuteNonQueryAsync(stop);
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }
}

internal sealed class PostgresEngine(string connection) : Engine
{
    /// <summary>The channel of LISTEN and NOTIFY.</summary>
    public const string Channel = "postern_changes";

    private readonly NpgsqlDataSource source = NpgsqlDataSource.Create(connection);

    public override string Name => "PostgreSQL";

    public override string Begin => "begin";

    public override FormattableString TablesOfTenants =>
        $"""
        select table_name::text from information_schema.columns
        where column_name = 'tenant' and table_schema = current_schema() order by table_name
        """;

    public override string RowName => "ctid";

    public override string? MigrationLock => "select pg_advisory_xact_lock(7400)";

    public override string? Notify => $"notify {Channel}";

    public override async Task<DbConnection> OpenAsync(CancellationToken stop) =>
        await source.OpenConnectionAsync(stop);

    public override Task<DbConnection> OpenWriterAsync(CancellationToken stop) => OpenAsync(stop);

    public override BulkInsert Bulk(DbConnection writer, string table) =>
        new PostgresBulkInsert((NpgsqlConnection)writer, table);

    // SQLite keeps a table in the order of its key under this name only, and means 64 bits by it.
    public override string Schema(string step) =>
        step.Replace("integer primary key", "bigint primary key", StringComparison.Ordinal);

    public override bool IsConflict(Exception failure) => failure is PostgresException { SqlState: "40001" or "40P01" };

    // The source of connections has by then let go of all that were open beside it.
    public override bool IsCut(Exception failure) => failure switch
    {
        PostgresException { SqlState: "57P01" or "57P02" or "57P05" } => true,
        PostgresException => false,
        NpgsqlException { InnerException: not TimeoutException } => true,
        _ => false,
    };

    public override string? Outage(Exception failure) => failure switch
    {
        PostgresException { SqlState: "53100" } => "The disk of the database is full.",
        PostgresException { SqlState: "25006" } => "The database is read-only.",
        PostgresException { SqlState: "53300" } => "The database accepts no more connections.",
        PostgresException { SqlState: "55000" } => "The database accepts no connections at all.",
        PostgresException { SqlState: "57P01" or "57P02" or "57P03" } => "The database is shutting down or starting.",
        PostgresException { SqlState: "57P05" } => "The database has closed an idle connection.",
        PostgresException { SqlState: "28P01" or "28000" } => "The database refused user or password.",
        PostgresException { SqlState: "3D000" } => "There is no database of that name.",
        PostgresException => null,
        NpgsqlException or TimeoutException or System.Net.Sockets.SocketException => "The database does not answer.",
        _ => null,
    };

    public override async ValueTask DisposeAsync()
    {
        await source.DisposeAsync();
        await base.DisposeAsync();
    }
}
