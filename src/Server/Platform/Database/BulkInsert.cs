using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;
using SQLitePCL;

namespace Postern.Platform.Database;

/// <summary>One column of rows that are inserted together: its name, and a value for each row.</summary>
internal abstract record Cells(string Column)
{
    public sealed record Numbers(string Column, long[] Values) : Cells(Column);

    public sealed record Texts(string Column, string?[] Values) : Cells(Column);

    /// <summary>Text that is UTF-8 already.</summary>
    public sealed record Utf8(string Column, ReadOnlyMemory<byte>[] Values) : Cells(Column);

    public sealed record Bytes(string Column, byte[][] Values) : Cells(Column);
}

/// <summary>
/// Inserts any number of rows into one table with one prepared statement, always of the same columns.
/// </summary>
internal abstract class BulkInsert : IAsyncDisposable
{
    public abstract ValueTask RunAsync(int rows, params IReadOnlyList<Cells> columns);

    public abstract ValueTask DisposeAsync();
}

/// <summary>
/// A step for each row. The library's own commands look up each parameter by name, which costs more than the row.
/// </summary>
internal sealed class SqliteBulkInsert(SqliteConnection connection, string table) : BulkInsert
{
    private sqlite3_stmt? statement;

    public override ValueTask RunAsync(int rows, params IReadOnlyList<Cells> columns)
    {
        statement ??= Prepare(columns);
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < columns.Count; i++)
            {
                Check(Bind(i + 1, columns[i], row));
            }

            var result = raw.sqlite3_step(statement);
            raw.sqlite3_reset(statement);
            Check(result);
        }

        raw.sqlite3_clear_bindings(statement);
        return default;
    }

    public override ValueTask DisposeAsync()
    {
        statement?.Dispose();
        return default;
    }

    private sqlite3_stmt Prepare(IReadOnlyList<Cells> columns)
    {
        var names = string.Join(", ", columns.Select(column => column.Column));
        var holes = string.Join(", ", columns.Select(_ => "?"));
        var text = $"insert into {table} ({names}) values ({holes})";
        Check(raw.sqlite3_prepare_v2(connection.Handle, text, out var prepared));
        return prepared;
    }

    private int Bind(int index, Cells cells, int row) => cells switch
    {
        Cells.Numbers numbers => raw.sqlite3_bind_int64(statement, index, numbers.Values[row]),
        Cells.Texts { Values: var texts } when texts[row] is null => raw.sqlite3_bind_null(statement, index),
        Cells.Texts texts => raw.sqlite3_bind_text(statement, index, texts.Values[row]),
        Cells.Utf8 texts => raw.sqlite3_bind_text(statement, index, texts.Values[row].Span),
        Cells.Bytes bytes => raw.sqlite3_bind_blob(statement, index, bytes.Values[row]),
        _ => throw new NotSupportedException(),
    };

    private void Check(int result)
    {
        if (result is not (raw.SQLITE_OK or raw.SQLITE_DONE))
        {
            SqliteException.ThrowExceptionForRC(result, connection.Handle);
        }
    }
}

/// <summary>One array for each column.</summary>
internal sealed class PostgresBulkInsert(NpgsqlConnection connection, string table) : BulkInsert
{
    private NpgsqlCommand? command;

    public override async ValueTask RunAsync(int rows, params IReadOnlyList<Cells> columns)
    {
        command ??= Prepare(columns);
        for (var i = 0; i < columns.Count; i++)
        {
            command.Parameters[i].Value = Values(columns[i]);
        }

        await command.ExecuteNonQueryAsync();
    }

    public override ValueTask DisposeAsync() => command?.DisposeAsync() ?? default;

    private NpgsqlCommand Prepare(IReadOnlyList<Cells> columns)
    {
        var names = string.Join(", ", columns.Select(column => column.Column));
        var holes = string.Join(", ", Enumerable.Range(1, columns.Count).Select(i =>
            string.Create(CultureInfo.InvariantCulture, $"${i}")));
#pragma warning disable CA2100 // Names of this program's own columns.
        var prepared = new NpgsqlCommand($"insert into {table} ({names}) select * from unnest({holes})", connection);
#pragma warning restore CA2100
        foreach (var column in columns)
        {
            prepared.Parameters.Add(new() { NpgsqlDbType = NpgsqlDbType.Array | TypeOf(column) });
        }

        return prepared;
    }

    private static NpgsqlDbType TypeOf(Cells column) => column switch
    {
        Cells.Numbers => NpgsqlDbType.Bigint,
        Cells.Bytes => NpgsqlDbType.Bytea,
        _ => NpgsqlDbType.Text,
    };

    private static object Values(Cells column) => column switch
    {
        Cells.Numbers numbers => numbers.Values,
        Cells.Texts texts => texts.Values,
        Cells.Utf8 texts => Array.ConvertAll(texts.Values, text => Encoding.UTF8.GetString(text.Span)),
        Cells.Bytes bytes => bytes.Values,
        _ => throw new NotSupportedException(),
    };
}
