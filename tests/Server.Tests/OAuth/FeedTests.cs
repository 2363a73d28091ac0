using System.Net;
using Postern.AspNetCore.Revocations;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.OAuth.Feed;
using Postern.Platform.Database;

namespace Postern.Tests.OAuth;

/// <summary>Resource servers elsewhere hear what ended, and what is ended here is refused there.</summary>
public sealed class FeedTests
{
    private static readonly string Yaml = App.Town.Replace(
        "{ name: files, http: http://127.0.0.1:9/mcp }",
        "{ name: files, http: http://127.0.0.1:9/mcp, token: { format: opaque } }",
        StringComparison.Ordinal);

    [Theory, OnBoth]
    public async Task What_ends_here_is_refused_in_another_application_within_a_second(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        await using var shop = await Shop.OpenAsync(server, LateRevocations.Refuse);
        using var ada = new Person(server);
        var web = App.Web(server);
        var letIn = new Queue<(Reply Whole, Reply Alone)>();
        for (var i = 0; i < 5; i++)
        {
            letIn.Enqueue((await web.LetInAsync(ada), await web.LetInAsync(ada)));
            await Eventually.TrueAsync(async () =>
                await shop.AskAsync(letIn.Last().Whole.AccessToken) is HttpStatusCode.OK);
            Assert.Equal(HttpStatusCode.OK, await shop.AskAsync(letIn.Last().Alone.AccessToken));
        }

        var took = await Eventually.AtBestAsync(async () =>
        {
            var (whole, alone) = letIn.Dequeue();
            await web.RevokeAsync(whole.RefreshToken);
            await web.RevokeAsync(alone.AccessToken);
            await Eventually.TrueAsync(async () =>
                await shop.AskAsync(whole.AccessToken) is HttpStatusCode.Unauthorized);
            await Eventually.TrueAsync(async () =>
                await shop.AskAsync(alone.AccessToken) is HttpStatusCode.Unauthorized);
        });

        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task What_ends_on_one_node_is_told_by_the_other()
    {
        await using var one = await TestServer.StartAsync(Yaml, On.Postgres);
        await using var two = await TestServer.StartAsync(Yaml, like: one);
        using var ada = new Person(one);
        using var feed = await FeedReader.OpenAsync(one);
        await feed.UntilAsync("beat");
        var tokens = await App.Web(one).LetInAsync(ada);

        await App.Web(two).RevokeAsync(tokens.RefreshToken);

        Assert.Equal(GrantOf(tokens), await feed.UntilAsync("grant"));
    }

    [Theory, OnBoth]
    public async Task Whoever_comes_back_hears_what_it_missed_and_who_is_new_what_could_still_matter(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        using var ada = new Person(server);
        var web = App.Web(server);
        string beat;
        using (var feed = await FeedReader.OpenAsync(server))
        {
            await feed.UntilAsync("beat");
            beat = feed.LastId!;
        }

        var (whole, alone) = (await web.LetInAsync(ada), await web.LetInAsync(ada));
        await web.RevokeAsync(whole.RefreshToken);
        await web.RevokeAsync(alone.AccessToken);
        foreach (var since in new[] { beat, null, "nonsense", "99999999999", "-5" })
        {
            using var again = await FeedReader.OpenAsync(server, since: since);
            Assert.Equal(GrantOf(whole), await again.UntilAsync("grant"));
            Assert.Equal(alone.Claims.GetProperty("jti").GetString(), await again.UntilAsync("token"));
        }

        // An hour later no token of that time is alive, and it is told to nobody.
        server.Clock.Advance(TimeSpan.FromMinutes(70));
        await Eventually.TrueAsync(() => server.Get<Changes>().IsHearing);
        using var late = await FeedReader.OpenAsync(server, since: beat);
        await late.UntilAsync("beat");
        Assert.Equal(["event: on", "event: beat"], late.Heard.Where(line => line.StartsWith('e')));
    }

    [Fact]
    public async Task Of_another_resource_nobody_hears_anything()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        var web = App.Web(server);
        var files = await web.LetInAsync(ada, ("resource", $"{server.Issuer}/mcp/files"));
        var filesToo = await web.LetInAsync(ada, ("resource", $"{server.Issuer}/mcp/files"));
        var echo = await web.LetInAsync(ada);
        using var feed = await FeedReader.OpenAsync(server);
        await feed.UntilAsync("beat");

        await web.RevokeAsync(filesToo.AccessToken);
        await web.RevokeAsync(files.RefreshToken);
        await web.RevokeAsync(echo.RefreshToken);
        await feed.UntilAsync("grant");

        Assert.Equal(
            ["data: 0", $"data: {GrantOf(echo)}"],
            feed.Heard.Where(line => line.StartsWith("data: ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Only_a_server_of_the_resource_is_told_and_never_without_its_proof()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        var echo = $"{server.Issuer}/mcp/echo";
        (string? Authorization, string? Resource, HttpStatusCode Status)[] tries =
        [
            (null, echo, HttpStatusCode.Unauthorized),
            (App.Basic("watch", "wrong"), echo, HttpStatusCode.Unauthorized),
            (App.Basic("native", ""), echo, HttpStatusCode.Unauthorized),
            (App.Basic("web", App.WebSecret), echo, HttpStatusCode.Forbidden),
            (App.Basic("watch", App.WatchSecret), null, HttpStatusCode.Forbidden),
            (App.Basic("watch", App.WatchSecret), $"{server.Issuer}/mcp/other", HttpStatusCode.Forbidden),
            (App.Basic("watch", App.WatchSecret), $"{echo}&resource={echo}", HttpStatusCode.Forbidden),
        ];
        foreach (var (authorization, resource, status) in tries)
        {
            using var answer = await FeedReader.AskAsync(server, authorization, resource, null);
            Assert.Equal(status, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Those_who_follow_are_bounded_and_one_that_leaves_makes_room()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        var readers = new List<FeedReader>();
        for (var i = 0; i < RevocationFeed.MostOfClient; i++)
        {
            readers.Add(await FeedReader.OpenAsync(server));
            await readers[^1].UntilAsync("beat");
        }

        using var tooMany = await FeedReader.AskAsync(
            server, App.Basic("watch", App.WatchSecret), $"{server.Issuer}/mcp/echo", null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, tooMany.StatusCode);
        Assert.NotNull(tooMany.Headers.RetryAfter);

        readers[0].Dispose();
        await Eventually.TrueAsync(async () =>
        {
            using var next = await FeedReader.AskAsync(
                server, App.Basic("watch", App.WatchSecret), $"{server.Issuer}/mcp/echo", null);
            return next.StatusCode is HttpStatusCode.OK;
        });
        readers.ForEach(reader => reader.Dispose());
    }

    [Fact]
    public async Task Who_is_switched_off_follows_no_longer()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var feed = await FeedReader.OpenAsync(server);
        await feed.UntilAsync("beat");

        await Borough.OffAsync(server, PartyKind.Client, "watch");

        await Assert.ThrowsAsync<EndOfStreamException>(() => feed.UntilAsync("grant"));
    }

    [Fact]
    public async Task Those_who_follow_are_cut_off_when_an_end_cannot_be_read()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        var tokens = await App.Web(server).LetInAsync(ada);
        using var feed = await FeedReader.OpenAsync(server);
        await feed.UntilAsync("beat");

        await server.Db.WriteAsync(async unit =>
        {
            await unit.RunAsync($"update grants set resource = {"nonsense"}");
            unit.Announce(GrantBook.Kind, TenantId.Default, GrantOf(tokens));
        });

        await Assert.ThrowsAsync<EndOfStreamException>(() => feed.UntilAsync("grant"));
    }

    [Fact, Rfc(7662, "4")]
    public async Task Who_cannot_follow_asks_about_each_token_or_takes_none()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        var readers = new List<FeedReader>();
        for (var i = 0; i < RevocationFeed.MostOfClient; i++)
        {
            readers.Add(await FeedReader.OpenAsync(server));
        }

        await using var asking = await Shop.OpenAsync(server, LateRevocations.Introspect);
        await using var strict = await Shop.OpenAsync(server, LateRevocations.Refuse);
        var tokens = await App.Web(server).LetInAsync(ada);

        Assert.Equal(HttpStatusCode.OK, await asking.AskAsync(tokens.AccessToken));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await strict.AskAsync(tokens.AccessToken));
        await App.Web(server).RevokeAsync(tokens.RefreshToken);
        Assert.Equal(HttpStatusCode.Unauthorized, await asking.AskAsync(tokens.AccessToken));

        var others = await App.Web(server).LetInAsync(ada);
        readers.ForEach(reader => reader.Dispose());
        await Eventually.TrueAsync(async () => await strict.AskAsync(others.AccessToken) is HttpStatusCode.OK);
        await server.StopAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await asking.AskAsync(others.AccessToken));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await strict.AskAsync(others.AccessToken));
    }

    [Fact]
    public async Task After_a_restart_of_the_issuer_the_application_finds_its_way_back()
    {
        await using var first = await TestServer.StartAsync(Yaml);
        await using var shop = await Shop.OpenAsync(first, LateRevocations.Refuse);
        using var ada = new Person(first);
        var tokens = await App.Web(first).LetInAsync(ada);
        await Eventually.TrueAsync(async () => await shop.AskAsync(tokens.AccessToken) is HttpStatusCode.OK);
        await first.StopAsync();

        await using var second = await TestServer.StartAsync(Yaml, like: first, issuer: first.Issuer);
        await App.Web(second).RevokeAsync(tokens.RefreshToken);

        await Eventually.TrueAsync(async () => await shop.AskAsync(tokens.AccessToken) is HttpStatusCode.Unauthorized);
    }

    [Fact, Rfc(7662, "2.1")]
    public async Task An_application_takes_references_too_and_asks_what_they_mean()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        await using var shop = await Shop.OpenAsync(server, LateRevocations.Introspect, "files");
        using var ada = new Person(server);
        var files = ("resource", (string?)$"{server.Issuer}/mcp/files");
        var tokens = await App.Web(server).LetInAsync(ada, files);
        using var bound = DpopApp.Web(server);
        var others = await bound.LetInAsync(ada, files);

        Assert.StartsWith("pat_", tokens.AccessToken, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await shop.AskAsync(tokens.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await shop.AskAsync(others.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await shop.AskAsync("pat_" + new string('A', 64)));
        await App.Web(server).RevokeAsync(tokens.AccessToken);
        Assert.Equal(HttpStatusCode.Unauthorized, await shop.AskAsync(tokens.AccessToken));
    }

    private static string GrantOf(Reply reply) => reply.Claims.GetProperty("grant_id").GetString()!;
}
