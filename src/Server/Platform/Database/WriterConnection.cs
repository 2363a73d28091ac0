using System.Data.Common;

namespace Postern.Platform.Database;

/// <summary>The writer's connection with its statements kept prepared.</summary>
internal sealed class WriterConnection(Engine engine, DbConnection connection) : IAsyncDisposable
{
    private readonly Dictionary<string, DbCommand> commands = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BulkInsert> inserts = new(StringComparer.Ordinal);

    public DbCommand Command(FormattableString sql)
    {
        var command = Fixed(Sql.Text(sql));
        Sql.Bind(command, sql);
        return command;
    }

    /// <summary>A statement without holes.</summary>
    public DbCommand Fixed(string sql)
    {
        if (commands.TryGetValue(sql, out var command))
        {
            return command;
        }

        command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are literals of this program; values are parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        commands.Add(sql, command);
        return command;
    }

    public BulkInsert Bulk(string table)
    {
        if (!inserts.TryGetValue(table, out var insert))
        {
            inserts.Add(table, insert = engine.Bulk(connection, table));
        }

        return insert;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var insert in inserts.Values)
        {
            await insert.DisposeAsync();
        }

        foreach (var command in commands.Values)
        {
            await command.DisposeAsync();
        }

        await connection.DisposeAsync();
    }
}
