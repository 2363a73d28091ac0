using System.Data.Common;
using System.Globalization;
using System.Reflection;

namespace Postern.Platform.Database;

/// <summary>
/// Moves the schema forward by the numbered files of <c>Platform/Migrations</c>, each once, in order, all or nothing.
/// </summary>
internal sealed partial class Migrations(Db db, TimeProvider clock, ILogger<Migrations> logger)
{
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await using var connection = await db.Engine.OpenWriterAsync(stop);
            await ExecuteAsync(connection, db.Engine.Begin, stop);
            if (db.Engine.MigrationLock is { } alone)
            {
                await ExecuteAsync(connection, alone, stop);
            }

            await ExecuteAsync(
                connection,
                "create table if not exists migrations "
                + "(number bigint primary key, name text not null, applied_at bigint not null)",
                stop);
            var done = await AppliedAsync(connection, stop);
            foreach (var (number, name, text) in All().Where(step => !done.Contains(step.Number)))
            {
                await ExecuteAsync(connection, db.Engine.Schema(text), stop);
                await ExecuteAsync(
                    connection,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"insert into migrations values ({number}, '{name}', {clock.GetUtcNow().ToUnixTimeSeconds()})"),
                    stop);
                Log.Applied(logger, name);
            }

            await ExecuteAsync(connection, "commit", stop);
        }
        catch (Exception failure) when (db.Engine.Outage(failure) is { } outage)
        {
            throw new DatabaseUnavailableException($"{outage} It is {db.Address}.", failure);
        }
    }

    /// <summary>The steps in order; their names are those of the files.</summary>
    public static IEnumerable<(long Number, string Name, string Text)> All()
    {
        var assembly = typeof(Migrations).Assembly;
        return
            from file in assembly.GetManifestResourceNames()
            where file.StartsWith("migrations/", StringComparison.Ordinal)
            orderby file
            let name = Path.GetFileNameWithoutExtension(file)
            select (long.Parse(name[..4], CultureInfo.InvariantCulture), name, Read(assembly, file));
    }

    private static async Task<HashSet<long>> AppliedAsync(DbConnection connection, CancellationToken stop)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "select number from migrations";
        await using var reader = await command.ExecuteReaderAsync(stop);
        var numbers = new HashSet<long>();
        while (await reader.ReadAsync(stop))
        {
            numbers.Add(reader.GetInt64(0));
        }

        return numbers;
    }

    private static async Task ExecuteAsync(DbConnection connection, string sql, CancellationToken stop)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are files of this program.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(stop);
    }

    private static string Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Schema moved to {Name}")]
        public static partial void Applied(ILogger logger, string name);
    }
}
