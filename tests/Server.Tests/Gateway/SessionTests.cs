using System.Net;
using Microsoft.AspNetCore.Http;
using Postern.Gateway.Relay;
using Postern.Gateway.Sessions;
using Postern.Platform.Database;
using static Postern.Tests.Gateway.GatewayHost;

namespace Postern.Tests.Gateway;

public sealed class SessionTests : BothEras
{
    [Theory]
    [InlineData("modern", "2025-11-25")]
    [InlineData("legacy", "2025-06-18")]
    public async Task The_handshake_tells_what_the_server_says_of_itself(string server, string version)
    {
        var token = await host.TokenAsync(server);
        using var answer = await host.HelloAsync(server, token);

        var result = (await JsonOf(answer))["result"]!;
        Assert.Equal(version, (string?)result["protocolVersion"]);
        Assert.Equal("behind", (string?)result["serverInfo"]!["name"]);
        Assert.Equal("Be kind.", (string?)result["instructions"]);
        Assert.NotNull(result["capabilities"]!["tools"]);
        Assert.Null(result["resultType"]);
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task Discovery_works_at_a_server_of_either_era(string server)
    {
        var token = await host.TokenAsync(server);
        using var answer = await host.ModernAsync(server, token, "server/discover");

        var result = (await JsonOf(answer))["result"]!;
        Assert.Contains("2026-07-28", result["supportedVersions"]!.AsArray().Select(v => (string?)v));
        Assert.Equal("behind", (string?)result["_meta"]!["io.modelcontextprotocol/serverInfo"]!["name"]);
        Assert.Equal("private", (string?)result["cacheScope"]);
        Assert.Equal("Be kind.", (string?)result["instructions"]);
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task A_call_without_an_identifier_is_no_call_and_reaches_no_server(string server)
    {
        var token = await host.TokenAsync(server);
        var session = await host.InitializeAsync(server, token);
        using var told = await host.LegacyAsync(
            server, token, session, "tools/call", """{"name":"wipe","arguments":{}}""", id: null);
        using var other = await host.LegacyAsync(server, token, session, "notifications/vendor", id: null);
        using var heard = await host.LegacyAsync(
            server, token, session, "notifications/roots/list_changed", id: null);

        Assert.Equal(HttpStatusCode.Accepted, told.StatusCode);
        var behind = BehindOf(server);
        Assert.DoesNotContain(behind.Seen, seen => seen.Body.Contains("wipe", StringComparison.Ordinal));
        Assert.DoesNotContain(behind.Seen, seen => seen.Body.Contains("vendor", StringComparison.Ordinal));
        Assert.Equal(
            server is "legacy",
            behind.Seen.Any(seen => seen.Body.Contains("roots/list_changed", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_client_that_drops_its_stream_before_the_first_byte_lets_go_of_the_servers_too()
    {
        var token = await host.TokenAsync("legacy");
        var session = await host.InitializeAsync("legacy", token);
        legacy.LetGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var leaving = new CancellationTokenSource();
        var stream = host.GetAsync("legacy", token, session, leaving.Token);
        await legacy.Started.Task.WaitAsync(Patience);
        await leaving.CancelAsync();

        await legacy.LetGo.Task.WaitAsync(Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream);
    }

    [Fact]
    public async Task A_second_stream_that_the_server_does_not_give_is_refused_in_words()
    {
        var token = await host.TokenAsync("legacy");
        var session = await host.InitializeAsync("legacy", token);
        legacy.HasStream = true;
        using var answer = await host.GetAsync("legacy", token, session);

        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Contains("stream", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_of_somebody_else_is_as_unknown_as_one_that_never_was_and_goes_on_living()
    {
        var ada = await host.TokenAsync("legacy", subject: "ada");
        var bob = await host.TokenAsync("legacy", subject: "bob");
        var session = await host.InitializeAsync("legacy", ada);
        foreach (var verb in new[] { "POST", "GET", "DELETE" })
        {
            Assert.Equal(404, await StatusAsync(verb, "legacy", bob, session));
            Assert.Equal(404, await StatusAsync(verb, "legacy", ada, session[..^1] + (session[^1] is 'A' ? 'B' : 'A')));
            Assert.Equal(401, await StatusAsync(verb, "legacy", null, session));
        }

        using var still = await host.LegacyAsync("legacy", ada, session, "ping");
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }

    [Fact]
    public async Task A_session_is_good_at_its_server_alone_and_ends_when_its_client_says_so()
    {
        var (here, there) = (await host.TokenAsync("legacy"), await host.TokenAsync("modern"));
        var session = await host.InitializeAsync("legacy", here);

        Assert.Equal(404, await StatusAsync("POST", "modern", there, session));
        Assert.Equal(204, await StatusAsync("DELETE", "legacy", here, session));
        Assert.Equal(404, await StatusAsync("POST", "legacy", here, session));
        Assert.Contains(legacy.Seen, seen => seen.Verb is "DELETE");
    }

    [Fact]
    public async Task Sessions_of_one_owner_are_bounded_and_the_oldest_makes_room()
    {
        var token = await host.TokenAsync("modern");
        var made = new List<string>();
        for (var i = 0; i <= SessionBook.MostPerOwner; i++)
        {
            made.Add(new Secret(await host.InitializeAsync("modern", token)).Hash());
            await SeenAsync(made[^1], i);
        }

        var alive = await host.Get<Db>().AllAsync(
            $"select id from gateway_sessions limit 100", row => row.GetString(0), default);
        Assert.Equal(made.Skip(1).Order(), alive.Order());

        Task SeenAsync(string id, long at) => host.Get<Db>().WriteAsync(
            async unit => await unit.RunAsync($"update gateway_sessions set seen_at = {at} where id = {id}"));
    }

    [Fact]
    public async Task A_session_that_another_node_has_served_is_not_idle_here()
    {
        var token = await host.TokenAsync("modern");
        var handle = await host.InitializeAsync("modern", token);
        var id = new Secret(handle).Hash();
        var line = await host.Get<Db>().AllAsync(
            $"select subject, client, grant_id from gateway_sessions where id = {id}",
            row => new Principal(TenantId.Default, new(row.GetString(0)), new(row.GetString(1)), new(row.GetString(2))),
            default);
        var session = await host.Get<SessionBook>().FindAsync(handle, line.Single(), "modern", default);
        session!.SeenAt -= TimeSpan.FromHours(13); // as this node remembers it; the row says otherwise
        var served = await StatusAsync("POST", "modern", token, handle);
        session.SeenAt -= TimeSpan.FromHours(13);
        await host.Get<Db>().WriteAsync(
            async unit => await unit.RunAsync($"update gateway_sessions set seen_at = 0 where id = {id}"));

        Assert.Equal(200, served);
        Assert.Equal(404, await StatusAsync("POST", "modern", token, handle));
    }

    [Fact]
    public async Task A_list_that_cannot_be_had_leaves_no_session_at_the_server()
    {
        await host.ToolsOfAsync("legacy");
        var asked = legacy.Seen.Count(IsList);
        legacy.HidesTools = true;
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        await host.ToolsOfAsync("legacy");

        Assert.Equal(asked + 1, legacy.Seen.Count(IsList));
        await Eventually.TrueAsync(() => legacy.Sessions.IsEmpty);

        static bool IsList((string, IHeaderDictionary, string Body) seen) =>
            seen.Body.Contains("tools/list", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_the_server_lost_is_lost_for_the_client_too()
    {
        var token = await host.TokenAsync("legacy");
        var session = await host.InitializeAsync("legacy", token);
        legacy.Sessions.Clear();
        using var answer = await host.LegacyAsync("legacy", token, session, "tools/list");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task What_a_legacy_server_says_of_its_own_accord_is_heard_until_the_grant_ends()
    {
        var grant = await host.GrantAsync("legacy");
        var token = host.Token(grant);
        var session = await host.InitializeAsync("legacy", token);
        using var answer = await host.GetAsync("legacy", token, session);
        using var events = await StreamOf(answer);
        var said = await NextAsync(events);
        await host.RevokeAsync(grant);

        Assert.Equal("notifications/tools/list_changed", (string?)said!["method"]);
        Assert.Null(await NextAsync(events));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("DELETE")]
    public async Task Without_a_session_there_is_nothing_to_get_or_end(string verb) =>
        Assert.Equal(405, await StatusAsync(verb, "modern", await host.TokenAsync("modern"), null));

    private async Task<int> StatusAsync(string verb, string server, string? token, string? session)
    {
        (string, string)[] named = session is null ? [] : [("Mcp-Session-Id", session)];
        using var answer = await host.SendAsync(
            new(verb),
            server,
            token,
            verb is "POST" ? """{"jsonrpc":"2.0","id":1,"method":"ping"}""" : null,
            headers: named);
        return (int)answer.StatusCode;
    }
}
