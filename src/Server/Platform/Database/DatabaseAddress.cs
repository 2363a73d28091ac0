using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Postern.Platform.Database;

/// <summary>Where the data lives: <c>sqlite:PATH</c> or <c>postgres://user:password@host:port/name</c>.</summary>
public sealed record DatabaseAddress
{
    public const string Expectation = "sqlite:./data/postern.db or postgres://user:password@host:5432/name";

    private DatabaseAddress(string? path, string? connection) => (Path, Connection) = (path, connection);

    /// <summary>The file of an embedded database; null on PostgreSQL.</summary>
    public string? Path { get; }

    /// <summary>
    /// The connection string of a PostgreSQL database; null on SQLite. Holds a password: never print it.
    /// </summary>
    internal string? Connection { get; }

    public static bool TryParse(string text, [NotNullWhen(true)] out DatabaseAddress? address)
    {
        address = null;
        if (text.StartsWith("sqlite:", StringComparison.Ordinal) && text.Length > "sqlite:".Length)
        {
            address = new(text["sqlite:".Length..], null);
            return true;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("postgres" or "postgresql")
            || uri.Host is "" || uri.AbsolutePath.Length < 2)
        {
            return false;
        }

        var (user, password) = uri.UserInfo.Split(':', 2) is [var name, var word] ? (name, word) : (uri.UserInfo, "");
        address = new(null, new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host,
            Port = uri.Port > 0 ? uri.Port : 5432,
            Username = Uri.UnescapeDataString(user),
            Password = Uri.UnescapeDataString(password),
            Database = Uri.UnescapeDataString(uri.AbsolutePath[1..]),
            ApplicationName = "postern",
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
            Timeout = 5,
            CommandTimeout = 15,
            MaxPoolSize = 32,
        }.ConnectionString);
        return true;
    }

    /// <summary>Without the password.</summary>
    public override string ToString()
    {
        if (Path is not null)
        {
            return $"sqlite:{Path}";
        }

        var pg = new NpgsqlConnectionStringBuilder(Connection);
        return $"postgres://{pg.Username}@{pg.Host}:{pg.Port}/{pg.Database}";
    }
}
