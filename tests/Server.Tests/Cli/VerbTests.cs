using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Postern.Tests.Cli;

/// <summary>The verbs against a running server: what they say, in which form, and with which exit code.</summary>
public sealed class VerbTests : IAsyncLifetime
{
    private readonly PosternCommand postern = new();
    private TestServer server = null!;

    public async ValueTask InitializeAsync() =>
        server = await TestServer.StartAsync("outbound: { allow: [127.0.0.2/32] }");

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        postern.Dispose();
    }

    private string Token => File.ReadAllText(Path.Combine(server.Folder, "admin.token")).Trim();

    [Fact]
    public async Task Logging_in_where_the_data_is_opens_the_other_verbs_and_shows_the_token_to_nobody()
    {
        File.Copy(Path.Combine(server.Folder, "admin.token"), Path.Combine(postern.Home, "data/admin.token"));

        var login = await postern.RunAsync("login", "--server", server.Issuer);
        var listed = await postern.RunAsync("server", "list");

        Assert.True(login.Code is 0, login.ToString());
        Assert.True(listed.Code is 0, listed.ToString());
        Assert.Contains($"{server.Issuer}/mcp/notes", listed.Words);
        Assert.DoesNotContain("\u001b", login.Words + listed.Words);
        Assert.DoesNotContain(Token, login + listed.ToString());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(postern.Credentials));
    }

    [Fact]
    public async Task A_token_that_the_server_does_not_take_is_not_kept()
    {
        var login = await postern.RunAsync("login", "--server", server.Issuer, "--token", "pad_wrong");

        Assert.Equal(1, login.Code);
        Assert.Contains("does not take this token", login.Errors);
        Assert.Empty(login.Words);
        Assert.False(File.Exists(postern.Credentials));
    }

    [Fact]
    public async Task The_token_comes_by_standard_input_too()
    {
        var login =
            await postern.RunAsync(Token + "\n", ["login", "--server", server.Issuer, "--token", "-", "--json"]);

        Assert.True(login.Code is 0, login.ToString());
        Assert.Equal(server.Issuer, login.Json.GetProperty("server").GetString());
        Assert.Equal(postern.Credentials, login.Json.GetProperty("credentials").GetString());
        Assert.DoesNotContain(Token, login.ToString());
    }

    [Fact]
    public async Task A_tenant_is_made_administered_and_removed()
    {
        await LogInAsync();

        var added = await postern.RunAsync("tenant", "add", "acme", "--access-lifetime", "5m", "--servers", "3");
        var listed = await postern.RunAsync("tenant", "list", "--json");
        var again = await postern.RunAsync("tenant", "setup", "acme");
        var servers = await postern.RunAsync("server", "list", "--tenant", "acme");
        var key = await postern.RunAsync("keys", "rotate", "--tenant", "acme", "--json");
        var unsure = await postern.RunAsync("tenant", "remove", "acme");
        var removed = await postern.RunAsync("tenant", "remove", "acme", "--yes", "--json");
        var gone = await postern.RunAsync("server", "list", "--tenant", "acme");

        Assert.True(added.Code is 0, added.ToString());
        Assert.Contains($"{server.Issuer}/t/acme/setup?link=", added.Words);
        Assert.Contains($"{server.Issuer}/t/acme/setup?link=", again.Words);
        Assert.Contains(
            listed.Json.GetProperty("tenants").EnumerateArray(),
            entry => entry.GetProperty("name").GetString() is "acme" && entry.GetProperty("servers").GetInt32() is 3);
        Assert.Contains($"{server.Issuer}/t/acme/mcp/notes", servers.Words);
        Assert.NotEmpty(key.Json.GetProperty("id").GetString()!);
        Assert.Equal(1, unsure.Code);
        Assert.Equal("""{"name":"acme","removed":true}""", removed.Words.Trim());
        Assert.Equal(1, gone.Code);
        Assert.Equal(2, (await postern.RunAsync("server", "list", "--tenant", "../api")).Code);
    }

    [Fact]
    public async Task An_agent_is_added_disabled_enabled_and_removed()
    {
        await using var borough = await TestServer.StartAsync(OAuth.Borough.Yaml);
        var token = (await File.ReadAllTextAsync(Path.Combine(borough.Folder, "admin.token"))).Trim();
        await postern.RunAsync(token + "\n", ["login", "--server", borough.Issuer, "--token", "-"]);

        var added = await postern.RunAsync(
            "agent", "add", "The clerk", "--owner", Person.Bob, "--purpose", "Files", "--ends", "2027-01-01", "--json");
        var id = added.Json.GetProperty("id").GetString()!;
        var off = await postern.RunAsync("agent", "disable", id, "--reason", "looked odd");
        var listed = await postern.RunAsync("agent", "list");
        var on = await postern.RunAsync("agent", "enable", id);
        var shown = await postern.RunAsync("agent", "show", id);
        var removed = await postern.RunAsync("agent", "remove", id, "--json");
        var person = await postern.RunAsync("user", "disable", Person.Ada, "--revoke", "--json");
        var nobody = await postern.RunAsync("client", "disable", "nobody");
        var clients = await postern.RunAsync("client", "list");
        var issuers = await postern.RunAsync("issuer", "list");
        var made = await postern.RunAsync("organization", "add", "later", "--name", "Later Ltd");
        var joined = await postern.RunAsync("organization", "join", "later", "agent", "clerk");
        var organizations = await postern.RunAsync("organization", "list");

        Assert.All([added, off, listed, on, shown, removed, person, clients, issuers, made, joined, organizations],
            said => Assert.True(said.Code is 0, said.ToString()));
        Assert.Contains("is disabled, after", off.Words);
        Assert.Contains("the agent is switched off", listed.Words);
        Assert.Contains("is enabled, after", on.Words);
        Assert.Contains(Person.Bob, shown.Words);
        Assert.Equal($$"""{"id":"{{id}}","removed":true}""", removed.Words.Trim());
        Assert.True(person.Json.GetProperty("changed").GetBoolean());
        Assert.Equal((1, true), (nobody.Code, nobody.Errors.Contains("nobody of that kind", StringComparison.Ordinal)));
        Assert.Contains("bench", clients.Words);
        Assert.Contains(OAuth.Borough.Idp, issuers.Words);
        Assert.Contains("Later Ltd", organizations.Words);
    }

    [Fact]
    public async Task A_server_is_added_listed_and_removed()
    {
        await LogInAsync();

        var added = await postern.RunAsync("server", "add", "wiki", "http://127.0.0.2:7000/mcp", "--title", "The wiki");
        var listed = await postern.RunAsync("server", "list", "--json");
        var guarded = await postern.RunAsync(
            "server", "protect", "wiki", "--require-dpop", "--require-acr", "phr", "--max-age", "15m", "--json");
        var unclear = await postern.RunAsync("server", "protect", "wiki", "--max-age", "soon");
        var removed = await postern.RunAsync("server", "remove", "wiki", "--json");
        var again = await postern.RunAsync("server", "remove", "wiki");

        Assert.True(added.Code is 0, added.ToString());
        Assert.Contains($"{server.Issuer}/mcp/wiki", added.Words);
        Assert.Contains(
            listed.Json.GetProperty("servers").EnumerateArray(),
            entry => entry.GetProperty("title").GetString() is "The wiki");
        Assert.True(guarded.Json.GetProperty("require_dpop").GetBoolean());
        Assert.Equal("15m", guarded.Json.GetProperty("require").GetProperty("max_age").GetString());
        Assert.Equal(1, unclear.Code);
        Assert.Contains("`max_age`", unclear.Errors);
        Assert.Equal("""{"name":"wiki","removed":true}""", removed.Words.Trim());
        Assert.Equal(1, again.Code);
        Assert.Contains("postern server list", again.Errors);
    }

    [Fact]
    public async Task A_refusal_is_one_sentence_and_with_json_one_document()
    {
        await LogInAsync();

        var words = await postern.RunAsync("server", "add", "inside", "https://127.0.0.1/mcp");
        var json = await postern.RunAsync("server", "add", "inside", "https://127.0.0.1/mcp", "--json");

        Assert.Equal((1, ""), (words.Code, words.Words));
        Assert.StartsWith("postern: `url` must be", words.Errors);
        Assert.Equal((1, ""), (json.Code, json.Words));
        Assert.Contains("postern.yaml", JsonDocument.Parse(json.Errors).RootElement.GetProperty("error").GetString());
    }

    [Fact]
    public async Task An_unknown_grant_is_a_refusal_and_none_are_no_error()
    {
        await LogInAsync();

        var list = await postern.RunAsync("grant", "list");
        var json = await postern.RunAsync("grant", "list", "--json");
        var revoke = await postern.RunAsync("grant", "revoke", "gr_00000000000000000000000000000000");
        var cursor = await postern.RunAsync("grant", "list", "--after", "nonsense");

        Assert.Equal(0, list.Code);
        Assert.Contains("No grant is alive", list.Words);
        Assert.Equal(JsonValueKind.Array, json.Json.GetProperty("grants").ValueKind);
        Assert.Equal(1, revoke.Code);
        Assert.Contains("There is no such grant", revoke.Errors);
        Assert.Equal(1, cursor.Code);
    }

    [Fact]
    public async Task A_grant_is_listed_and_ended()
    {
        await using var town = await TestServer.StartAsync(App.Town);
        using var ada = new Person(town);
        var reply = await App.Native(town).LetInAsync(ada);
        var grant = reply.Claims.GetProperty("grant_id").GetString()!;
        var token = await File.ReadAllTextAsync(Path.Combine(town.Folder, "admin.token"));
        await postern.RunAsync("login", "--server", town.Issuer, "--token", token.Trim());

        var listed = await postern.RunAsync("grant", "list");
        var ended = await postern.RunAsync("grant", "revoke", grant);
        var left = await postern.RunAsync("grant", "list");

        Assert.Contains(grant, listed.Words);
        Assert.Contains(Person.Ada, listed.Words);
        Assert.True(ended.Code is 0, ended.ToString());
        Assert.Contains($"{grant} is over", ended.Words);
        Assert.False(await App.Watch(town).IsAliveAsync(reply.AccessToken));
        Assert.Contains("No grant is alive", left.Words);
    }

    [Fact]
    public async Task All_of_a_person_is_ended_and_counted()
    {
        await using var town = await TestServer.StartAsync(App.Town);
        using var ada = new Person(town);
        var reply = await App.Native(town).LetInAsync(ada);
        var token = await File.ReadAllTextAsync(Path.Combine(town.Folder, "admin.token"));
        await postern.RunAsync("login", "--server", town.Issuer, "--token", token.Trim());

        var ended = await postern.RunAsync("grant", "revoke", "--user", Person.Ada);
        var again = await postern.RunAsync("grant", "revoke", "--client", "native", "--json");
        var both = await postern.RunAsync("grant", "revoke", "gr_1", "--user", Person.Ada);
        var nobody = await postern.RunAsync("grant", "revoke", "--user", "nobody@example.test");

        Assert.True(ended.Code is 0, ended.ToString());
        Assert.Contains("1 grants and 1 sessions are over", ended.Words);
        Assert.Equal(0, again.Json.GetProperty("grants").GetInt32());
        Assert.Equal(2, both.Code);
        Assert.Equal(1, nobody.Code);
        Assert.False(await App.Watch(town).IsAliveAsync(reply.AccessToken));
    }

    [Fact]
    public async Task A_key_is_rotated_ahead_of_its_time_or_at_once()
    {
        await LogInAsync();

        var later = await postern.RunAsync("keys", "rotate");
        var now = await postern.RunAsync("keys", "rotate", "--now", "--json");

        Assert.True(later.Code is 0, later.ToString());
        Assert.Contains("is published, and signs from", later.Words);
        Assert.True(now.Code is 0, now.ToString());
        var keys = await server.Http.GetStringAsync(new Uri("/jwks", UriKind.Relative));
        Assert.Contains(now.Json.GetProperty("id").GetString()!, keys);
    }

    [Fact]
    public async Task The_log_is_shown_as_lines_and_as_one_JSON_a_line()
    {
        await LogInAsync();

        var lines = await postern.RunAsync("audit", "tail");
        var json = await postern.RunAsync("audit", "tail", "--after", "-1", "--json");

        Assert.True(lines.Code is 0, lines.ToString());
        Assert.Contains("system.started", lines.Words);
        var entries = json.Words.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        Assert.Equal(Enumerable.Range(0, entries.Count), entries.Select(entry => entry.GetProperty("seq").GetInt32()));
        Assert.All(entries, entry => Assert.Equal(JsonValueKind.Object, entry.GetProperty("record").ValueKind));
    }

    [Fact]
    public async Task Following_shows_what_happens_then_and_ends_by_an_interrupt_as_done()
    {
        await LogInAsync();
        using var tail = postern.Start(["audit", "tail", "--follow", "--json"]);
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        await tail.StandardOutput.ReadLineAsync(deadline.Token);

        await server.Get<Postern.Audit.AuditLog>().WriteAsync(new()
        {
            Tenant = TenantId.Default,
            Kind = Postern.Audit.AuditKinds.AdminChanged,
            Reason = "seen while following",
        });
        string? line;
        do
        {
            line = await tail.StandardOutput.ReadLineAsync(deadline.Token);
        }
        while (line?.Contains("seen while following") is false);

        Assert.NotNull(line);
        using var interrupt = System.Diagnostics.Process.Start("kill", ["-INT", $"{tail.Id}"]);
        await tail.WaitForExitAsync(deadline.Token);
        Assert.Equal(0, tail.ExitCode);
    }

    [Fact]
    public async Task Without_a_login_every_verb_says_to_log_in()
    {
        foreach (var verb in new[] { "server list", "server remove x", "grant list", "grant revoke x", "audit tail" })
        {
            var said = await postern.RunAsync([.. verb.Split(' '), "--server", server.Issuer]);
            Assert.Equal(1, said.Code);
            Assert.Equal(
                $"postern: There is no login for {server.Issuer}. Run: postern login --server {server.Issuer}\n",
                said.Errors);
        }
    }

    [Fact]
    public async Task A_token_goes_to_the_server_it_was_given_for_and_to_no_other()
    {
        await LogInAsync();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();

        var said = await postern.RunAsync(
            "server", "list", "--server", $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}");

        Assert.Equal(1, said.Code);
        Assert.Contains("There is no login", said.Errors);
        Assert.False(other.Pending());
    }

    [Fact]
    public async Task A_token_is_not_sent_over_a_network_in_the_clear()
    {
        var said = await postern.RunAsync("login", "--server", "http://postern.example", "--token", "pad_x");

        Assert.Equal(1, said.Code);
        Assert.Contains("not encrypted", said.Errors);
    }

    [Fact]
    public async Task A_server_that_is_away_is_named()
    {
        await LogInAsync();
        await server.DisposeAsync();

        var said = await postern.RunAsync("server", "list");

        Assert.Equal(1, said.Code);
        Assert.Contains($"Nothing answers at {server.Issuer}", said.Errors);
        server = await TestServer.StartAsync();
    }

    [Theory]
    [InlineData("bogus")]
    [InlineData("server")]
    [InlineData("server add")]
    [InlineData("server add one")]
    [InlineData("server add one two three")]
    [InlineData("server list --nonsense")]
    [InlineData("grant revoke")]
    [InlineData("audit tail --after soon")]
    [InlineData("server list --server nowhere")]
    [InlineData("server list --server http://localhost:7400/path")]
    [InlineData("server list --server ftp://localhost")]
    public async Task What_is_not_understood_ends_with_2_and_says_where_the_help_is(string line)
    {
        var said = await postern.RunAsync(line.Split(' '));

        Assert.Equal((2, ""), (said.Code, said.Words));
        Assert.StartsWith("postern: ", said.Errors);
        Assert.Contains("postern help", said.Errors);
    }

    [Fact]
    public async Task Credentials_that_cannot_be_read_are_named()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(postern.Credentials)!);
        await File.WriteAllTextAsync(postern.Credentials, "{");

        var said = await postern.RunAsync("server", "list");

        Assert.Equal(1, said.Code);
        Assert.Contains(postern.Credentials, said.Errors);
    }

    [Fact]
    public async Task The_version_is_said() =>
        Assert.StartsWith("postern 0.", (await postern.RunAsync("--version")).Words);

    private async Task LogInAsync()
    {
        var said = await postern.RunAsync("login", "--server", server.Issuer, "--token", Token);
        Assert.True(said.Code is 0, said.ToString());
    }
}
