using System.Net;
using System.Text.Json;

namespace Postern.Tests.OAuth;

/// <summary>Who keeps a refresh token, how long one lasts, and what the client is told of it.</summary>
public sealed class RefreshProfileTests
{
    private const string Draft = "Refresh Token Expiration", Security = "FAPI 2.0 Security Profile";

    private const long Day = 86_400;

    private static readonly string Yaml = App.Town.Replace(
        "servers:",
        $$"""
          - client_id: brief
            client_secret: {{App.WebSecret}}
            redirect_uris: [https://brief.example/cb]
            refresh_idle: 1h
            refresh_absolute: 7d
        servers:
        """,
        StringComparison.Ordinal);

    [Theory, OnBoth, Rfc(Security, "5.3.2.1")]
    public async Task Who_proves_itself_and_its_key_has_one_refresh_token_also_when_fifty_race(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        using var app = DpopApp.Web(server);
        var first = await app.LetInAsync(ada);

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => app.RefreshAsync(first.RefreshToken)));
        server.Clock.Advance(TimeSpan.FromHours(1));
        var later = await app.RefreshAsync(first.RefreshToken);

        Assert.All([.. replies, later], reply => Assert.Equal(first.RefreshToken, reply.RefreshToken));
        Assert.Equal(50, replies.Select(reply => reply.Claims.GetProperty("jti").GetString()).Distinct().Count());
    }

    [Theory, OnBoth, Rfc(9700, "4.14.2")]
    public async Task With_another_key_it_is_a_new_one_and_the_old_one_ends_the_grant(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        using var app = DpopApp.Web(server);
        using var other = app.WithAnotherKey();

        // A thief who has the client's secret too, and no key of its.
        var first = await app.LetInAsync(ada);
        var stolen = await other.RefreshAsync(first.RefreshToken);
        TokenTests.Refused(await app.RefreshAsync(first.RefreshToken), "invalid_grant");
        TokenTests.Refused(await other.RefreshAsync(stolen.RefreshToken), "invalid_grant");

        Assert.NotEqual(first.RefreshToken, stolen.RefreshToken);
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Theory, OnBoth, Rfc(9449, "5"), Rfc(9700, "4.14.2")]
    public async Task What_began_with_a_key_goes_on_with_one_also_for_who_proves_itself(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        using var app = DpopApp.Web(server);
        using var next = app.WithAnotherKey();
        var first = await app.LetInAsync(ada);

        var bare = await app.App.RefreshAsync(first.RefreshToken);
        var kept = await app.RefreshAsync(first.RefreshToken);
        var moved = await next.RefreshAsync(first.RefreshToken);
        var later = await app.App.RefreshAsync(moved.RefreshToken);
        var bound = await next.RefreshAsync(moved.RefreshToken);

        TokenTests.Refused(bare, "invalid_grant");
        Assert.Equal(first.RefreshToken, kept.RefreshToken);
        Assert.Equal("DPoP", moved.Member("token_type"));
        TokenTests.Refused(later, "invalid_grant");
        Assert.Equal(moved.RefreshToken, bound.RefreshToken);
    }

    [Fact]
    public async Task A_client_without_a_key_has_a_new_one_at_each_use_secret_or_not()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        foreach (var app in (App[])[App.Web(server), App.Native(server)])
        {
            var first = await app.LetInAsync(ada);
            Assert.NotEqual(first.RefreshToken, (await app.RefreshAsync(first.RefreshToken)).RefreshToken);
        }
    }

    [Fact, Rfc(7009, "2.1")]
    public async Task A_token_that_is_kept_rests_no_longer_than_others_and_ends_when_it_is_handed_back()
    {
        await using var server = await TestServer.StartAsync($"tokens: {{ refresh_idle: 10d }}\n{App.Town}");
        using var ada = new Person(server);
        using var app = DpopApp.Web(server);
        var (one, two) = (await app.LetInAsync(ada), await app.LetInAsync(ada));

        server.Clock.Advance(TimeSpan.FromDays(9));
        await app.RefreshAsync(one.RefreshToken);
        await app.RefreshAsync(two.RefreshToken);
        server.Clock.Advance(TimeSpan.FromDays(9));
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(one.RefreshToken)).Status);
        await app.App.RevokeAsync(two.RefreshToken);
        TokenTests.Refused(await app.RefreshAsync(two.RefreshToken), "invalid_grant");
        server.Clock.Advance(TimeSpan.FromDays(10));

        TokenTests.Refused(await app.RefreshAsync(one.RefreshToken), "invalid_grant");
    }

    [Theory, InlineData(true), InlineData(false), Rfc(Draft, "6.1")]
    public async Task The_client_is_told_how_long_its_refresh_token_may_rest_and_how_long_it_is_let_in(bool isKept)
    {
        await using var server = await TestServer.StartAsync($"tokens: {{ refresh_idle: 10d }}\n{App.Town}");
        using var ada = new Person(server);
        using var app = DpopApp.Web(server);
        var reply = isKept ? await app.LetInAsync(ada) : await app.App.LetInAsync(ada);
        Assert.Equal((10 * Day, 30 * Day), Ends(reply));

        foreach (var (days, rest, whole) in (IEnumerable<(int, long, long)>)
            [(2, 10 * Day, 28 * Day), (9, 10 * Day, 19 * Day), (9, 10 * Day, 10 * Day), (7, 3 * Day, 3 * Day)])
        {
            server.Clock.Advance(TimeSpan.FromDays(days));
            reply = isKept
                ? await app.RefreshAsync(reply.RefreshToken)
                : await app.App.RefreshAsync(reply.RefreshToken);
            Assert.Equal((rest, whole), Ends(reply));
        }
    }

    [Fact, Rfc(Draft, "6.1")]
    public async Task A_repeated_answer_says_what_is_left_and_not_what_was()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Web(server);
        var first = await app.LetInAsync(ada);
        var second = await app.RefreshAsync(first.RefreshToken);

        server.Clock.Advance(TimeSpan.FromSeconds(20));
        var again = await app.RefreshAsync(first.RefreshToken);

        Assert.Equal(second.RefreshToken, again.RefreshToken);
        Assert.Equal(Ends(second).Idle - 20, Ends(again).Idle);
    }

    [Fact, Rfc(Draft, "6.1"), Rfc(Draft, "8")]
    public async Task Without_a_refresh_token_nothing_is_said_of_one_and_the_metadata_says_what_is_said()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var once = await new App(server, "once", "https://once.example/cb").LetInAsync(ada);
        var own = await App.Bench(server).AsItselfAsync();
        var metadata = JsonElement.Parse(await server.Http.GetStringAsync(
            new Uri("/.well-known/oauth-authorization-server", UriKind.Relative)));

        Assert.All([once, own], reply =>
        {
            Assert.False(reply.Json.TryGetProperty("refresh_token_timeout", out _));
            Assert.False(reply.Json.TryGetProperty("authorization_expires_in", out _));
        });
        Assert.Equal(
            """["authorization","token_timeout"]""",
            metadata.GetProperty("refresh_token_expiration_types_supported").GetRawText());
    }

    [Fact]
    public async Task A_client_may_have_less_time_than_its_tenant_gives()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        var app = new App(server, "brief", "https://brief.example/cb", App.WebSecret);

        var question = await ada.AskedAsync(app.Authorize());
        var terms = question.Form.QuerySelectorAll("input[name=until]").Select(dial => dial.GetAttribute("value"));
        var forged = await ada.AnswerAsync(question, "allow", fields => fields["until"] = ["2592000"]);
        var first = await app.LetInAsync(ada);
        server.Clock.Advance(TimeSpan.FromMinutes(59));
        var second = await app.RefreshAsync(first.RefreshToken);
        server.Clock.Advance(TimeSpan.FromMinutes(60));

        Assert.Equal(["86400", "604800"], terms);
        Assert.Null(forged.Left);
        Assert.Equal((3600, 7 * Day), Ends(first));
        Assert.Equal(HttpStatusCode.OK, second.Status);
        TokenTests.Refused(await app.RefreshAsync(second.RefreshToken), "invalid_grant");
    }

    private static (long Idle, long Whole) Ends(Reply reply) => (
        reply.Json.GetProperty("refresh_token_timeout").GetInt64(),
        reply.Json.GetProperty("authorization_expires_in").GetInt64());
}
