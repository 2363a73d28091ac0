using System.Data.Common;

namespace Postern.Platform.Database;

/// <summary>The writer's connection with its statements kept prepared.</summary>
internal sealed class WriterConnection(DbConnection connection) : IAsyncDisposable
{
    private readonly Dictionary<string, DbCommand> commands = new(StringComparer.Ordinal);

    public DbCommand Command(FormattableString sql)
    {
        var command = Fixed(Sql.Text(sql));
        Sql.Bind(command, sql);
        return command;
    }

    /// <summary>A statement without holes, or with <paramref name="parameters"/> that the caller binds by position.</summary>
    public DbCommand Fixed(string sql, int parameters = 0)
    {
        if (commands.TryGetValue(sql, out var command))
        {
            return command;
        }

        command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are literals of this program; values are parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        for (var i = 0; i < parameters; i++)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = $"@p{i}";
            command.Parameters.Add(parameter);
        }

        commands.Add(sql, command);
        return command;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in commands.Values)
        {
            await command.DisposeAsync();
        }

        await connection.DisposeAsync();
    }
}
