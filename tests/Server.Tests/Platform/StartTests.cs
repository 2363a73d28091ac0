using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Keys;
using Postern.Tests.Cli;

namespace Postern.Tests.Platform;

/// <summary>
/// The first minutes of a server: what it finds, what it refuses to start with, and when it is ready.
/// </summary>
public sealed class StartTests
{
    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Fact]
    public async Task The_folder_of_the_database_is_made_before_anybody_asks_for_it()
    {
        var folder = Directory.CreateTempSubdirectory("postern-").FullName;
        await using var app = Program.Build(
            ["--data", folder, "--database", $"sqlite:{folder}/new/place/x.db", "--listen", "http://127.0.0.1:7400"]);

        Assert.True(File.Exists($"{folder}/new/place/x.db.lock"));
        Assert.Equal(OwnersAlone | UnixFileMode.UserExecute, File.GetUnixFileMode($"{folder}/new/place"));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_database_is_its_owners_alone_also_in_a_folder_that_is_open_to_all()
    {
        var folder = Directory.CreateTempSubdirectory("postern-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        _ = DatabaseAddress.TryParse($"sqlite:{folder}/open.db", out var address);
        await using var db = new Db(address!, NullLogger<Db>.Instance);
        await db.WriteAsync(async unit => await unit.RunAsync($"create table t (x bigint)"));

        var files = Directory.EnumerateFiles(folder).ToList();

        Assert.Contains($"{folder}/open.db-wal", files);
        Assert.All(files, file => Assert.Equal(OwnersAlone, File.GetUnixFileMode(file)));
        Directory.Delete(folder, recursive: true);
    }

    [Theory, OnBoth]
    public async Task Of_two_first_starts_with_different_master_keys_one_is_refused(On on)
    {
        await using var server = await TestServer.StartAsync(on: on);
        await server.Db.WriteAsync(async unit => await unit.RunAsync($"delete from master_keys"));

        var starts = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => ProveAsync(server, $"first{i:d3}")));

        Assert.Single(starts, refusal => refusal is null);
        Assert.All(
            starts.OfType<string>(),
            refusal => Assert.Contains("The database was sealed with", refusal, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_taken_port_ends_the_start_with_what_to_do()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";
        using var postern = new PosternCommand();

        var said = await postern.RunAsync("serve", "--data", Path.Combine(postern.Home, "data"), "--listen", address);

        Assert.NotEqual(0, said.Code);
        Assert.Contains("Stop what listens there, or start with --listen", said.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_process_on_one_SQLite_database_is_refused()
    {
        await using var server = await TestServer.StartAsync();

        var refused = Assert.Throws<SetupException>(() => Program.Build(
            ["--data", server.Folder, "--database", server.Database, "--listen", "http://127.0.0.1:7400"]));

        Assert.StartsWith("Another postern uses", refused.Message);
    }

    [Theory]
    [InlineData("postern.yaml:2: client `a`", "", "clients:\n  - { client_id: a, grant_types: [client_credentials] }")]
    [InlineData("The folder /proc/nowhere cannot be made", "--data=/proc/nowhere")]
    [InlineData("/proc/master.key cannot be kept", "--data=/proc")]
    [InlineData("/proc cannot be kept", "--database=sqlite:/proc")]
    [InlineData("The address of `listen` cannot be used", "--listen=http://192.0.2.1:7400")]
    [InlineData("It is postgres://ada@127.0.0.1:1/postern.", "--database=postgres://ada:hush@127.0.0.1:1/postern")]
    public async Task What_cannot_start_says_why_in_one_line(string why, string option, string yaml = "")
    {
        using var postern = new PosternCommand();
        await File.WriteAllTextAsync(Path.Combine(postern.Home, "postern.yaml"), yaml);
        string[] usual = ["serve", "--issuer=http://127.0.0.1:1", $"--listen=http://127.0.0.1:{Postgres.FreePort()}"];

        var said = await postern.RunAsync([.. usual, .. option is "" ? Array.Empty<string>() : [option]]);

        Assert.Equal(1, said.Code);
        Assert.Contains(why, said.Errors.Split('\n').Single(line => line.StartsWith("postern: ")));
        Assert.DoesNotContain("   at ", said.Errors);
        Assert.DoesNotContain("hush", said.Errors);
    }

    [Fact]
    public async Task While_the_database_is_away_nothing_is_acknowledged_and_afterwards_everything_goes_on()
    {
        await using var server = await TestServer.StartAsync(on: On.Postgres);
        var before = await RegisterAsync(server);

        await Postgres.AllowAsync(server.Database, isAllowed: false);
        var meanwhile = await RegisterAsync(server);
        await Postgres.AllowAsync(server.Database, isAllowed: true);
        var after = await RegisterAsync(server);

        Assert.Equal(HttpStatusCode.Created, before.Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, meanwhile.Status);
        Assert.Contains("temporarily_unavailable", meanwhile.Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Created, after.Status);
        var kept = await server.Db.AllAsync(
            $"select id from clients order by created_at, id", row => row.GetString(0), default);
        Assert.Equal(2, kept.Count);
        Assert.All(
            [before, after],
            answer => Assert.Contains(kept, id => answer.Body.Contains(id, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task No_read_fails_for_the_connections_that_an_outage_has_cut()
    {
        var database = await Postgres.NewDatabaseAsync();
        _ = DatabaseAddress.TryParse(database, out var address);
        await using var db = new Db(address!, NullLogger<Db>.Instance);
        // Each takes its time, so that all have a connection of their own.
        Task<string?[]> ReadAsync() => Task.WhenAll(Enumerable.Range(0, 16).Select(_ =>
            db.FirstAsync($"select 'x' from pg_sleep(0.1)", row => row.GetString(0), default)));
        await ReadAsync();

        await Postgres.AllowAsync(database, isAllowed: false);
        await Postgres.AllowAsync(database, isAllowed: true);

        Assert.All(await ReadAsync(), read => Assert.Equal("x", read));
    }

    [Fact]
    public async Task What_is_cut_off_at_its_commit_is_not_done_again()
    {
        await using var server = await TestServer.StartAsync(on: On.Postgres);
        await server.Db.WriteAsync(async unit => await unit.RunAsync(
            $"""
            create table fragile (x bigint);
            create function cut() returns trigger language plpgsql as
              'begin perform pg_terminate_backend(pg_backend_pid()); return null; end';
            create constraint trigger at_commit after insert on fragile
              deferrable initially deferred for each row execute function cut();
            """));
        var runs = 0;

        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => server.Db.WriteAsync(async unit =>
        {
            runs++;
            await unit.RunAsync($"insert into fragile values (1)");
        }));

        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task The_address_of_a_caller_is_found_behind_a_row_of_proxies()
    {
        await using var server = await TestServer.StartAsync("proxies: [127.0.0.0/8, 10.0.0.0/8]");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/register", UriKind.Relative));
        request.Headers.Add("X-Forwarded-For", "203.0.113.9, 10.1.2.3");
        request.Content = new StringContent(
            """{"redirect_uris":["https://a.example/cb"]}""", null, "application/json");

        using var answer = await server.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var entries = await server.Get<Postern.Audit.AuditLog>().AfterAsync(TenantId.Default, -1, 100, default);
        Assert.Contains(entries, entry => entry.Record.Contains("203.0.113.0/24", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_that_hears_of_no_changes_says_that_it_is_not_ready()
    {
        await using var server = await TestServer.StartAsync(on: On.Postgres);
        Assert.Equal(HttpStatusCode.OK, await ReadyAsync(server));
        await server.Db.WriteAsync(async unit => await unit.RunAsync($"alter table changes rename to away"));

        await Eventually.TrueAsync(
            () => server.Log.All.Any(line => line.Contains("change feed", StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.OK, await ReadyAsync(server));
        server.Clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ReadyAsync(server));
        Assert.Equal("ok\n", await server.Http.GetStringAsync(new Uri("/healthz", UriKind.Relative)));
        await server.Db.WriteAsync(async unit => await unit.RunAsync($"alter table away rename to changes"));

        await Eventually.TrueAsync(async () => await ReadyAsync(server) is HttpStatusCode.OK);
    }

    private static async Task<HttpStatusCode> ReadyAsync(TestServer server)
    {
        using var answer = await server.Http.GetAsync(new Uri("/readyz", UriKind.Relative));
        return answer.StatusCode;
    }

    // Each as a node of its own: a writer of its own, so that only the database can tell who was first.
    private static async Task<string?> ProveAsync(TestServer server, string id)
    {
        var random = server.Get<RandomNumberGenerator>();
        var master = MasterKey.Load($"{id}:{Base64Url.EncodeToString(random.Bytes(32))}", "", random);
        _ = DatabaseAddress.TryParse(server.Database, out var address);
        await using var db = new Db(address!, NullLogger<Db>.Instance);
        try
        {
            await master.ProveAsync(db, new Sealer(master, random), server.Clock);
            return null;
        }
        catch (SetupException refused)
        {
            return refused.Message;
        }
    }

    private static async Task<(HttpStatusCode Status, string Body)> RegisterAsync(TestServer server)
    {
        using var content = new StringContent(
            """{"redirect_uris":["https://a.example/cb"]}""", null, "application/json");
        using var answer = await server.Http.PostAsync(new Uri("/register", UriKind.Relative), content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
