using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
[assembly: AssemblyFixture(typeof(Postern.Tests.Postgres))]

namespace Postern.Tests;

/// <summary>
/// A real PostgreSQL from Debian's package, started once for the run on a free port with a data directory of its own;
/// each test that asks gets a fresh database in it.
/// </summary>
public sealed class Postgres : IAsyncLifetime
{
    private const string User = "postgres";

    // Below the range from which the system takes the ports of connections.
    private const int FirstPort = 20_000, Ports = 12_000;

    private static readonly SemaphoreSlim Starting = new(1);
    private static Process? server;
    private static string folder = "";
    private static int port;
    private static uint portsGiven = (uint)Random.Shared.Next(Ports);

    // The database that is there from the start, in which the others are made.
    private static string First => $"Host=127.0.0.1;Port={port};Username={User};Database=postgres";

    /// <summary>The address of a new, empty database.</summary>
    public static async Task<string> NewDatabaseAsync()
    {
        await EnsureAsync();
        var name = $"t{Guid.NewGuid():N}";
        await using var connection =
            new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username={User};Database=postgres");
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"create database {name}", connection);
        await create.ExecuteNonQueryAsync();
        return $"postgres://{User}@127.0.0.1:{port}/{name}";
    }

    /// <summary>
    /// Takes a database away from everybody who is connected to it, or gives it back; returns when they are cut off.
    /// </summary>
    public static async Task AllowAsync(string database, bool isAllowed)
    {
        var name = new Uri(database).AbsolutePath[1..];
        await using var connection = new NpgsqlConnection(First);
        await connection.OpenAsync();
        await using var act = new NpgsqlCommand(
            $"""
            alter database {name} with allow_connections {isAllowed};
            select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = '{name}';
            """,
            connection);
        await act.ExecuteNonQueryAsync();
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (server is null)
        {
            return;
        }

        // SIGINT is PostgreSQL's fast shutdown.
        using (var stop = Process.Start(
            "kill", ["-INT", File.ReadLines(Path.Combine(folder, "data", "postmaster.pid")).First()]))
        {
            await stop.WaitForExitAsync();
        }

        await server.WaitForExitAsync();
        server.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static async Task EnsureAsync()
    {
        await Starting.WaitAsync();
        try
        {
            if (server is null)
            {
                await StartAsync();
            }
        }
        finally
        {
            Starting.Release();
        }
    }

    private static async Task StartAsync()
    {
        var programs = Directory.EnumerateDirectories("/usr/lib/postgresql").Order().Last() + "/bin";
        folder = Directory.CreateTempSubdirectory("postern-pg-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        var data = Path.Combine(folder, "data");
        port = FreePort();
        using (var made = AsPostgres(
            $"{programs}/initdb", "-D", data, "-U", User, "-A", "trust", "-E", "UTF8", "--no-sync"))
        {
            await made.WaitForExitAsync();
        }

        server = AsPostgres(
            $"{programs}/postgres", "-D", data, "-p", $"{port}", "-k", folder, "-c", "listen_addresses=127.0.0.1",
            "-c", "max_connections=300", "-c", "fsync=off");
        await ReadyAsync();
    }

    // It refuses to run as root.
    private static Process AsPostgres(string program, params string[] arguments)
    {
        string[] command = Environment.UserName is "root"
            ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", program, .. arguments]
            : [program, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    // The server says it is ready by answering; there is no other signal.
    private static async Task ReadyAsync()
    {
        for (var left = 1200; ; left--)
        {
            try
            {
                await using var connection =
                    new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username={User};Database=postgres;Pooling=false");
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (left > 0 && !server!.HasExited)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>
    /// Each port once: a server that is stopped, or killed, finds its own free when it comes back.
    /// </summary>
    internal static int FreePort()
    {
        while (true)
        {
            var next = FirstPort + (int)(Interlocked.Increment(ref portsGiven) % Ports);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, next);
                listener.Start();
                return next;
            }
            catch (SocketException)
            {
                // Another program has it.
            }
        }
    }
}
