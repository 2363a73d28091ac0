using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;

namespace Postern.Platform.Database;

/// <summary>Turns an interpolated string into a command whose holes are parameters, never text.</summary>
internal static class Sql
{
    // Keyed by the literal of the source, of which there are as many as there are statements in the program.
    private static readonly ConcurrentDictionary<string, string> Texts = new(StringComparer.Ordinal);

    /// <summary>The statement with <c>@p0</c>, <c>@p1</c> … in its holes.</summary>
    public static string Text(FormattableString sql) =>
        Texts.TryGetValue(sql.Format, out var text) ? text : Texts.GetOrAdd(sql.Format, Render(sql));

    public static void Bind(DbCommand command, FormattableString sql)
    {
        for (var i = 0; i < sql.ArgumentCount; i++)
        {
            DbParameter parameter;
            if (i < command.Parameters.Count)
            {
                parameter = command.Parameters[i];
            }
            else
            {
                parameter = command.CreateParameter();
                parameter.ParameterName = Name(i);
                command.Parameters.Add(parameter);
            }

            parameter.Value = Value(sql.GetArgument(i));
        }
    }

    private static object Value(object? argument) => argument switch
    {
        null => DBNull.Value,
        DateTimeOffset => throw new NotSupportedException("Instants are stored as Unix seconds."),
        Secret => throw new NotSupportedException("A secret is stored as its hash."),
        string or long or int or bool or byte[] => argument,
        _ => throw new NotSupportedException($"A column cannot hold {argument.GetType().Name}."),
    };

    private static string Render(FormattableString sql) =>
        string.Format(
            CultureInfo.InvariantCulture,
            sql.Format,
            [.. Enumerable.Range(0, sql.ArgumentCount).Select(Name)]);

    private static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"@p{index}");
}
