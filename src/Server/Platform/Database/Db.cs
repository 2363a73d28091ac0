using System.Data.Common;

namespace Postern.Platform.Database;

/// <summary>
/// The only door to SQL. Reads take a connection of their own; writes are units that the one writer of this node
/// folds into common transactions. Holes of an interpolated string are always parameters.
/// </summary>
public sealed class Db : IAsyncDisposable
{
    private readonly GroupWriter writer;

    public Db(DatabaseAddress address, ILogger<Db> logger)
    {
        Address = address;
        Engine = Engine.For(address);
        writer = new(Engine, logger);
    }

    public DatabaseAddress Address { get; }

    internal Engine Engine { get; }

    /// <summary>Runs at the end of each transaction, just before it commits.</summary>
    internal void AtCommit(CommitStep step, BeforeCommit act) => writer.AtCommit(step, act);

    /// <summary>Hears of each committed transaction, before its callers do.</summary>
    internal List<Action<IReadOnlyList<Change>>> AfterCommit => writer.AfterCommit;

    /// <summary>The first row, or null.</summary>
    public async Task<T?> FirstAsync<T>(FormattableString sql, Func<DbDataReader, T> read, CancellationToken stop)
        where T : class =>
        await AllAsync(sql, read, 1, stop) is [var first, ..] ? first : null;

    /// <summary>Every row; statements carry their own <c>limit</c>.</summary>
    public Task<List<T>> AllAsync<T>(FormattableString sql, Func<DbDataReader, T> read, CancellationToken stop)
        where T : class =>
        AllAsync(sql, read, int.MaxValue, stop);

    /// <summary>
    /// Runs a unit of work: its changes and the entries that record them are committed together or not at all.
    /// Returns when they are durable. The unit may run again when something that ran beside it was in its way or
    /// the connection was cut, so it changes nothing but the database.
    /// </summary>
    /// <exception cref="DatabaseUnavailableException">
    /// The database is away, full or read-only, or the queue is full.
    /// </exception>
    public Task<T> WriteAsync<T>(Func<Unit, ValueTask<T>> work) => writer.WriteAsync(work);

    /// <inheritdoc cref="WriteAsync{T}(Func{Unit, ValueTask{T}})"/>
    public Task WriteAsync(Func<Unit, ValueTask> work) => writer.WriteAsync(async unit =>
    {
        await work(unit);
        return true;
    });

    /// <summary>
    /// A unit that only hands <paramref name="item"/> to those who act at the end of the transaction.
    /// </summary>
    /// <inheritdoc cref="WriteAsync{T}(Func{Unit, ValueTask{T}})"/>
    internal Task AttachAsync(object item) => writer.AttachAsync(item);

    /// <summary>
    /// The same for what nobody waits for: it goes with the next transaction, within a twentieth of a second.
    /// </summary>
    internal void AttachSoon(object item) => writer.AttachSoon(item);

    /// <summary>Throws unless the database answers.</summary>
    public Task PingAsync(CancellationToken stop) => FirstAsync($"select '1'", row => row.GetString(0), stop);

    /// <summary>Lets what waits be written, then closes.</summary>
    public async ValueTask DisposeAsync()
    {
        await writer.DisposeAsync();
        await Engine.DisposeAsync();
    }

    private async Task<List<T>> AllAsync<T>(
        FormattableString sql, Func<DbDataReader, T> read, int most, CancellationToken stop)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                return await ReadAsync(sql, read, most, stop);
            }
            catch (Exception failure) when (isFirst && Engine.IsCut(failure))
            {
                // A database that was away has cut the connections of the pool; reading again changes nothing.
            }
            catch (Exception failure) when (Engine.Outage(failure) is { } outage)
            {
                throw new DatabaseUnavailableException(outage, failure);
            }
        }
    }

    private async Task<List<T>> ReadAsync<T>(
        FormattableString sql, Func<DbDataReader, T> read, int most, CancellationToken stop)
    {
        await using var connection = await Engine.OpenAsync(stop);
        await using var command = connection.CreateCommand();
        command.CommandText = Sql.Text(sql);
        Sql.Bind(command, sql);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var rows = new List<T>();
        while (rows.Count < most && await reader.ReadAsync(stop))
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
