using System.Globalization;
using System.Net;
using Postern.Grants;

namespace Postern.Tests.OAuth;

/// <summary>How what was passed on ends: by itself, with anything it came from, everywhere, and for good.</summary>
public sealed class DelegationEndTests
{
    [Theory, OnBoth]
    public async Task Whoever_ends_a_grant_ends_all_that_was_passed_on_from_it(On on)
    {
        await using var server = await TestServer.StartAsync(ExchangeTests.House.Yaml, on);
        using var ada = new Person(server);
        var (app, watch) = (App.Web(server), App.Watch(server));
        var first = await app.LetInAsync(ada);
        var second = await ExchangeTests.ExchangeAsync(server, "desk", first.AccessToken);
        var third = await ExchangeTests.ExchangeAsync(server, "sub", second.AccessToken);
        var fourth = await ExchangeTests.ExchangeAsync(server, "helper", third.AccessToken);
        var beside = await app.LetInAsync(ada);
        var besideSecond = await ExchangeTests.ExchangeAsync(server, "desk", beside.AccessToken);

        await app.RevokeAsync(first.RefreshToken);

        foreach (var over in (Reply[])[first, second, third, fourth])
        {
            Assert.False(await watch.IsAliveAsync(over.AccessToken));
            Assert.Equal(HttpStatusCode.Unauthorized, await app.CallAsync(over.AccessToken));
        }

        Assert.True(await watch.IsAliveAsync(besideSecond.AccessToken));
        TokenTests.Refused(
            await ExchangeTests.ExchangeAsync(server, "desk", first.AccessToken), "invalid_request");
        TokenTests.Refused(
            await ExchangeTests.ExchangeAsync(server, "sub", second.AccessToken), "invalid_request");
    }

    [Theory, OnBoth, Rfc(7009, "2.1")]
    public async Task What_came_of_a_token_ends_when_it_is_handed_back(On on)
    {
        await using var server = await TestServer.StartAsync(
            ExchangeTests.House.Yaml.Replace(
                "{ name: echo, http: http://127.0.0.1:9/mcp }",
                "{ name: echo, http: http://127.0.0.1:9/mcp, token: { status_list: true } }",
                StringComparison.Ordinal),
            on);
        using var ada = new Person(server);
        var (app, watch) = (App.Web(server), App.Watch(server));
        var first = await app.LetInAsync(ada);
        var second = await ExchangeTests.ExchangeAsync(server, "desk", first.AccessToken);
        var third = await ExchangeTests.ExchangeAsync(server, "sub", second.AccessToken);
        var beside = await app.RefreshAsync(first.RefreshToken);

        await app.RevokeAsync(first.AccessToken);

        foreach (var over in (Reply[])[first, second, third])
        {
            Assert.False(await watch.IsAliveAsync(over.AccessToken));
            Assert.Equal(HttpStatusCode.Unauthorized, await app.CallAsync(over.AccessToken));
            Assert.Contains(
                over.Claims.GetProperty("status").GetProperty("status_list").GetProperty("idx").GetInt32(),
                await server.Get<StatusPlaces>().EndedAsync(TenantId.Default, ListOf(over), default));
        }

        TokenTests.Refused(
            await ExchangeTests.ExchangeAsync(server, "helper", third.AccessToken), "invalid_request");
        Assert.True(await watch.IsAliveAsync(beside.AccessToken));

        static long ListOf(Reply reply) => long.Parse(
            reply.Claims.GetProperty("status").GetProperty("status_list").GetProperty("uri").GetString()!
                .Split('/')[^1],
            CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task A_link_in_the_middle_ends_with_what_is_behind_it_and_stays_ended()
    {
        await using var server = await TestServer.StartAsync(ExchangeTests.House.Yaml);
        using var ada = new Person(server);
        var watch = App.Watch(server);
        var first = await App.Web(server).LetInAsync(ada);
        var second = await ExchangeTests.ExchangeAsync(server, "desk", first.AccessToken);
        var third = await ExchangeTests.ExchangeAsync(server, "sub", second.AccessToken);
        var page = await ada.OpenAsync("/me");
        var id = second.Claims.GetProperty("grant_id").GetString()!;
        var form = page.Page!.QuerySelector($"input[value={id}]")!.ParentElement!;
        var token = form.QuerySelector("input[name=form]")!.GetAttribute("value")!;

        using var ended = await ada.SendAsync(
            "/me/grants/end", new() { ["id"] = [id], ["form"] = [token] });

        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
        Assert.True(await watch.IsAliveAsync(first.AccessToken));
        Assert.False(await watch.IsAliveAsync(second.AccessToken));
        Assert.False(await watch.IsAliveAsync(third.AccessToken));
        // The person's word holds as long as the grant does.
        TokenTests.Refused(
            await ExchangeTests.ExchangeAsync(server, "desk", first.AccessToken), "invalid_grant");
    }

    [Fact, Rfc(8693, "2.2.1")]
    public async Task A_token_ends_no_later_than_the_one_it_was_exchanged_for()
    {
        await using var server = await TestServer.StartAsync(ExchangeTests.House.Yaml);
        using var ada = new Person(server);
        var first = await App.Web(server).LetInAsync(ada);
        server.Clock.Advance(TimeSpan.FromMinutes(7));

        var second = await ExchangeTests.ExchangeAsync(server, "desk", first.AccessToken);
        var third = await ExchangeTests.ExchangeAsync(server, "sub", second.AccessToken);

        Assert.InRange(second.Json.GetProperty("expires_in").GetInt64(), 179, 180);
        Assert.InRange(third.Json.GetProperty("expires_in").GetInt64(), 179, 180);
        Assert.Equal(
            first.Claims.GetProperty("exp").GetInt64(), third.Claims.GetProperty("exp").GetInt64());
        server.Clock.Advance(TimeSpan.FromMinutes(3));
        TokenTests.Refused(
            await ExchangeTests.ExchangeAsync(server, "desk", first.AccessToken), "invalid_request");
    }

    [Fact]
    public async Task A_token_that_was_handed_back_is_no_subject_any_more()
    {
        await using var server = await TestServer.StartAsync(ExchangeTests.House.Yaml);
        using var ada = new Person(server);
        var first = await App.Web(server).LetInAsync(ada);

        await App.Web(server).RevokeAsync(first.AccessToken);

        TokenTests.Refused(
            await ExchangeTests.ExchangeAsync(server, "desk", first.AccessToken), "invalid_request");
    }

    [Fact]
    public async Task On_two_nodes_nothing_that_was_passed_on_outlives_what_it_came_from_also_in_a_race()
    {
        await using var one = await TestServer.StartAsync(ExchangeTests.House.Yaml, On.Postgres);
        await using var two = await TestServer.StartAsync(ExchangeTests.House.Yaml, like: one);
        using var ada = new Person(one);
        for (var round = 0; round < 5; round++)
        {
            var first = await App.Web(one).LetInAsync(ada);
            var second = await ExchangeTests.ExchangeAsync(two, "desk", first.AccessToken);

            var racing = Enumerable.Range(0, 10).Select(i => i is 5
                ? App.Web(one).RevokeAsync(first.RefreshToken)
                : ExchangeTests.ExchangeAsync(i % 2 is 0 ? one : two, "sub", second.AccessToken, Scope(i))).ToArray();
            var replies = await Task.WhenAll(racing);

            foreach (var token in replies.Select(reply => reply.Member("access_token")).OfType<string>()
                .Append(second.AccessToken))
            {
                await Eventually.TrueAsync(async () => !await App.Watch(one).IsAliveAsync(token));
                await Eventually.TrueAsync(async () => !await App.Watch(two).IsAliveAsync(token));
            }
        }

        static (string, string?) Scope(int i) => ("scope", i % 3 is 0 ? "mcp:read" : "mcp:read mcp:write");
    }
}
