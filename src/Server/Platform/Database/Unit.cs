using System.Data.Common;

namespace Postern.Platform.Database;

/// <summary>
/// Something other nodes, and other rooms of this one, must know: a thing of this kind and key is not what it was.
/// </summary>
public sealed record Change(string Kind, TenantId Tenant, string Key);

/// <summary>What runs at the end of a transaction, with everything its units attached.</summary>
internal delegate ValueTask BeforeCommit(Unit last, IReadOnlyList<object> attached, IReadOnlyList<Change> changes);

/// <summary>
/// What runs at the end of a transaction, in this order: all nodes lock in one, so that no two wait for each other (ADR
/// 0002).
/// </summary>
internal enum CommitStep
{
    /// <summary>Proofs that are used up; no row of theirs is locked by all.</summary>
    Proofs,

    /// <summary>The log, whose end all nodes lock.</summary>
    Log,

    /// <summary>The change feed, whose head all nodes lock.</summary>
    Feed,
}

/// <summary>
/// A unit of work inside the writer's transaction: atomic by savepoint. It holds no lock while waiting for anything
/// but the database, so it must not call out of the process.
/// </summary>
public sealed class Unit
{
    private readonly WriterConnection connection;
    private bool isMarked;

    internal Unit(WriterConnection connection) => this.connection = connection;

    /// <summary>What is done for the transaction as a whole; when it fails there is nothing else to keep.</summary>
    internal static Unit Whole(WriterConnection connection) => new(connection) { isMarked = true };

    internal List<object> Attached { get; } = [];

    internal List<Change> Changes { get; } = [];

    /// <summary>
    /// Hands something to those who act at the end of the transaction; the audit log takes its entries so.
    /// </summary>
    public void Attach(object item) => Attached.Add(item);

    /// <summary>Tells caches everywhere, once this is committed.</summary>
    public void Announce(string kind, TenantId tenant, string key) => Changes.Add(new(kind, tenant, key));

    /// <summary>Runs a statement; answers how many rows it touched.</summary>
    public async ValueTask<int> RunAsync(FormattableString sql)
    {
        await MarkAsync();
        return await connection.Command(sql).ExecuteNonQueryAsync();
    }

    /// <summary>The first row of a query or of a <c>returning</c> clause, or null.</summary>
    public async ValueTask<T?> FirstAsync<T>(FormattableString sql, Func<DbDataReader, T> read)
        where T : class =>
        await AllAsync(sql, read) is [var first, ..] ? first : null;

    /// <inheritdoc cref="FirstAsync{T}"/>
    public async ValueTask<List<T>> AllAsync<T>(FormattableString sql, Func<DbDataReader, T> read)
    {
        await MarkAsync();
        await using var reader = await connection.Command(sql).ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    internal async ValueTask RunTextAsync(string sql)
    {
        await MarkAsync();
        await connection.Fixed(sql).ExecuteNonQueryAsync();
    }

    /// <summary>
    /// Inserts <paramref name="rows"/> rows into <paramref name="table"/>, always with the same columns.
    /// </summary>
    internal async ValueTask InsertAsync(string table, int rows, params IReadOnlyList<Cells> columns)
    {
        await MarkAsync();
        await connection.Bulk(table).RunAsync(rows, columns);
    }

    internal ValueTask KeepAsync() => isMarked ? Discard(connection.Fixed("release savepoint unit")) : default;

    internal async ValueTask UndoAsync()
    {
        if (isMarked)
        {
            await Discard(connection.Fixed("rollback to savepoint unit"));
            await Discard(connection.Fixed("release savepoint unit"));
        }
    }

    // A unit that only attaches entries needs no savepoint: there is nothing of its own to take back.
    private ValueTask MarkAsync()
    {
        if (isMarked)
        {
            return default;
        }

        isMarked = true;
        return Discard(connection.Fixed("savepoint unit"));
    }

    private static async ValueTask Discard(DbCommand command) => await command.ExecuteNonQueryAsync();
}
