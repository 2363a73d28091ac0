using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>Refresh tokens: rotated at each use, forgiving to a lost answer, deadly to a thief.</summary>
public sealed class RefreshTests
{
    [Theory, OnBoth, Rfc(9700, "4.14.2")]
    public async Task Fifty_refreshes_at_once_bring_one_and_the_same_successor(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        var app = App.Native(server);
        var first = await app.LetInAsync(ada);

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => app.RefreshAsync(first.RefreshToken)));

        Assert.All(replies, reply => Assert.Equal(HttpStatusCode.OK, reply.Status));
        var successor = Assert.Single(replies.Select(reply => reply.RefreshToken).Distinct());
        Assert.NotEqual(first.RefreshToken, successor);
        Assert.Single(replies.Select(reply => reply.Claims.ToString()).Distinct());
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(successor)).Status);
    }

    [Fact]
    public async Task A_refresh_token_goes_by_the_clients_registration_and_not_by_a_scope()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);

        var unnamed = await App.Native(server).LetInAsync(ada, ("scope", "mcp:read"));
        var named = await App.Native(server).LetInAsync(ada, ("scope", "mcp:read offline_access"));
        var unregistered = await new App(server, "once", "https://once.example/cb").LetInAsync(
            ada, ("scope", "mcp:read offline_access"));

        Assert.NotNull(unnamed.Member("refresh_token"));
        Assert.NotNull(named.Member("refresh_token"));
        Assert.Null(unregistered.Member("refresh_token"));
        Assert.DoesNotContain(
            "offline_access", named.Claims.GetProperty("scope").GetString(), StringComparison.Ordinal);
    }

    [Theory, OnBoth]
    public async Task A_lost_answer_may_be_asked_for_again_for_half_a_minute(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        var app = App.Native(server);
        var first = await app.LetInAsync(ada);
        var second = await app.RefreshAsync(first.RefreshToken);

        server.Clock.Advance(TimeSpan.FromSeconds(30));
        var again = await app.RefreshAsync(first.RefreshToken);

        Assert.Equal(second.RefreshToken, again.RefreshToken);
        // The same token once more: it is not good for longer, and who ends one has ended both.
        Assert.Equal(second.Claims.ToString(), again.Claims.ToString());
        Assert.Equal(570, again.Json.GetProperty("expires_in").GetInt64());
        await app.RevokeAsync(again.AccessToken);
        Assert.False(await App.Watch(server).IsAliveAsync(second.AccessToken));
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(second.RefreshToken)).Status);
    }

    [Theory, Rfc(9700, "4.14.2")]
    [InlineData("scope", "mcp:read")]
    [InlineData("resource", "own")]
    public async Task Who_proves_nothing_repeats_the_same_request_or_is_a_thief(string name, string value)
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Native(server);
        var first = await app.LetInAsync(ada);
        var second = await app.RefreshAsync(first.RefreshToken);

        var other = await app.RefreshAsync(first.RefreshToken, (name, value is "own" ? app.Resource : value));

        TokenTests.Refused(other, "invalid_grant");
        Assert.False(await App.Watch(server).IsAliveAsync(second.AccessToken));
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact, Rfc(9700, "4.14.2")]
    public async Task Who_proves_itself_may_ask_for_something_else_and_gets_another_token()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Web(server);
        var first = await app.LetInAsync(ada);
        var all = await app.RefreshAsync(first.RefreshToken);

        var less = await app.RefreshAsync(first.RefreshToken, ("scope", "mcp:read"));

        Assert.Equal((all.RefreshToken, "mcp:read"), (less.RefreshToken, less.Scope));
        Assert.NotEqual(all.Claims.GetProperty("jti").GetString(), less.Claims.GetProperty("jti").GetString());
    }

    [Theory, OnBoth, Rfc(9700, "4.14.2")]
    public async Task An_answer_that_was_repeated_and_used_at_once_is_not_repeated_further(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        var (owner, thief) = (App.Native(server), App.Native(server));
        var first = await owner.LetInAsync(ada);
        var second = await owner.RefreshAsync(first.RefreshToken);
        var stolen = await thief.RefreshAsync(first.RefreshToken);
        var ahead = await thief.RefreshAsync(stolen.RefreshToken);

        var noticed = await owner.RefreshAsync(second.RefreshToken);

        Assert.Equal(HttpStatusCode.OK, ahead.Status);
        TokenTests.Refused(noticed, "invalid_grant");
        Assert.False(await App.Watch(server).IsAliveAsync(ahead.AccessToken));
        TokenTests.Refused(await thief.RefreshAsync(ahead.RefreshToken), "invalid_grant");
    }

    [Fact]
    public async Task Two_answers_that_are_lost_one_after_the_other_end_no_session()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Native(server);
        var token = (await app.LetInAsync(ada)).RefreshToken;

        for (var lost = 0; lost < 3; lost++)
        {
            await app.RefreshAsync(token);
            server.Clock.Advance(TimeSpan.FromSeconds(5));
            token = (await app.RefreshAsync(token)).RefreshToken;
            server.Clock.Advance(TimeSpan.FromMinutes(9));
        }

        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(token)).Status);
    }

    [Theory, OnBoth, Rfc(9700, "4.14.2")]
    public async Task An_older_token_ends_the_family_with_its_access_tokens(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        var (app, watch) = (App.Native(server), App.Watch(server));
        var first = await app.LetInAsync(ada);
        var second = await app.RefreshAsync(first.RefreshToken);
        var third = await app.RefreshAsync(second.RefreshToken);
        Assert.True(await watch.IsAliveAsync(third.AccessToken));
        Assert.NotEqual(HttpStatusCode.Unauthorized, await app.CallAsync(third.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await app.CallAsync(third.AccessToken, "files"));

        TokenTests.Refused(await app.RefreshAsync(first.RefreshToken), "invalid_grant");

        TokenTests.Refused(await app.RefreshAsync(third.RefreshToken), "invalid_grant");
        foreach (var reply in (Reply[])[first, second, third])
        {
            Assert.False(await watch.IsAliveAsync(reply.AccessToken));
            Assert.Equal(HttpStatusCode.Unauthorized, await app.CallAsync(reply.AccessToken));
        }
    }

    [Fact, Rfc(9700, "4.14.2")]
    public async Task A_repeat_after_the_window_ends_the_family()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Native(server);
        var first = await app.LetInAsync(ada);
        var second = await app.RefreshAsync(first.RefreshToken);

        server.Clock.Advance(TimeSpan.FromSeconds(31));

        TokenTests.Refused(await app.RefreshAsync(first.RefreshToken), "invalid_grant");
        TokenTests.Refused(await app.RefreshAsync(second.RefreshToken), "invalid_grant");
    }

    [Fact]
    public async Task A_repeat_from_another_network_is_theft_even_within_the_window()
    {
        await using var server = await TestServer.StartAsync($"proxies: [127.0.0.1/32]\n{App.Town}");
        using var ada = new Person(server);
        var app = App.Native(server);
        var first = await app.LetInAsync(ada);
        await app.RefreshAsync(first.RefreshToken);

        server.Http.DefaultRequestHeaders.Add("X-Forwarded-For", "198.51.100.7");
        var thief = await app.RefreshAsync(first.RefreshToken);

        TokenTests.Refused(thief, "invalid_grant");
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact, Rfc(6749, "6")]
    public async Task A_refresh_may_ask_for_less_and_the_next_one_for_all_again()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Native(server);
        var first = await app.LetInAsync(ada);

        var less = await app.RefreshAsync(first.RefreshToken, ("scope", "mcp:read"));
        var all = await app.RefreshAsync(less.RefreshToken);

        Assert.Equal("mcp:read", less.Scope);
        Assert.Equal("mcp:read", less.Claims.GetProperty("scope").GetString());
        Assert.Equal(first.Scope, all.Scope);
    }

    [Fact]
    public async Task A_token_that_somebody_made_up_is_refused_and_ends_nothing()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Native(server);
        var (first, other) = (await app.LetInAsync(ada), await app.LetInAsync(ada));
        var second = await app.RefreshAsync(first.RefreshToken);
        var (family, mac, foreign) = (Part(second, 0), Part(second, 2), Part(other, 2));

        foreach (var token in (string[])
            [$"{family}.1.{mac}", $"{family}.2.{foreign}", $"{family}.3.{mac}", $"{family}.2.{new string('A', 43)}"])
        {
            TokenTests.Refused(await app.RefreshAsync(token), "invalid_grant");
            Assert.Equal(HttpStatusCode.OK, (await app.RevokeAsync(token)).Status);
        }

        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(second.RefreshToken)).Status);

        static string Part(Reply reply, int index) => reply.RefreshToken.Split('.')[index];
    }

    [Fact]
    public async Task A_refresh_token_is_no_good_to_another_client()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var (owner, thieves) = (App.Web(server), (App[])[App.Peer(server), App.Native(server)]);
        var token = (await owner.LetInAsync(ada)).RefreshToken;

        foreach (var thief in thieves)
        {
            TokenTests.Refused(await thief.RefreshAsync(token), "invalid_grant");
        }

        Assert.Equal(HttpStatusCode.OK, (await owner.RefreshAsync(token)).Status);
    }

    [Fact]
    public async Task A_token_that_rested_too_long_is_over_and_each_use_begins_its_rest_anew()
    {
        await using var server = await TestServer.StartAsync($"tokens: {{ refresh_idle: 10d }}\n{App.Town}");
        using var ada = new Person(server);
        var app = App.Native(server);
        var reply = await app.LetInAsync(ada);

        server.Clock.Advance(TimeSpan.FromDays(9));
        reply = await app.RefreshAsync(reply.RefreshToken);
        server.Clock.Advance(TimeSpan.FromDays(9));
        reply = await app.RefreshAsync(reply.RefreshToken);
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        server.Clock.Advance(TimeSpan.FromDays(10));

        TokenTests.Refused(await app.RefreshAsync(reply.RefreshToken), "invalid_grant");
    }

    [Fact, Rfc("Refresh Token Expiration", "5")]
    public async Task No_token_outlives_what_the_person_agreed_to()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var (app, watch) = (App.Native(server), App.Watch(server));
        var question = await ada.AskedAsync(app.Authorize());
        var stop = await ada.AnswerAsync(question, "allow", fields => fields["until"] = ["86400"]);
        var reply = await app.RedeemAsync(new Answer(stop.Left!).Code);

        server.Clock.Advance(TimeSpan.FromDays(1) - TimeSpan.FromMinutes(2));
        reply = await app.RefreshAsync(reply.RefreshToken);
        Assert.InRange(reply.Json.GetProperty("expires_in").GetInt64(), 118, 120);
        Assert.True(await watch.IsAliveAsync(reply.AccessToken));
        Assert.NotEqual(HttpStatusCode.Unauthorized, await app.CallAsync(reply.AccessToken));
        server.Clock.Advance(TimeSpan.FromMinutes(2));

        Assert.False(await watch.IsAliveAsync(reply.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await app.CallAsync(reply.AccessToken));
        TokenTests.Refused(await app.RefreshAsync(reply.RefreshToken), "invalid_grant");
    }

    [Theory, OnBoth, Rfc(7009, "2.1")]
    public async Task A_refresh_token_handed_back_ends_the_grant_and_an_access_token_only_itself(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        var (app, watch) = (App.Native(server), App.Watch(server));
        var first = await app.LetInAsync(ada);
        var second = await app.RefreshAsync(first.RefreshToken);

        await app.RevokeAsync(first.AccessToken);
        Assert.False(await watch.IsAliveAsync(first.AccessToken));
        Assert.True(await watch.IsAliveAsync(second.AccessToken));
        var third = await app.RefreshAsync(second.RefreshToken);
        Assert.Equal(HttpStatusCode.OK, third.Status);

        Assert.Equal(HttpStatusCode.OK, (await app.RevokeAsync(third.RefreshToken)).Status);
        Assert.False(await watch.IsAliveAsync(second.AccessToken));
        Assert.False(await watch.IsAliveAsync(third.AccessToken));
        TokenTests.Refused(await app.RefreshAsync(third.RefreshToken), "invalid_grant");
    }

    [Fact, Rfc(7009, "2.1"), Rfc(7662, "4")]
    public async Task Another_client_neither_revokes_nor_learns_anything()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var (owner, other) = (App.Web(server), App.Peer(server));
        var reply = await owner.LetInAsync(ada);

        foreach (var token in (string[])[reply.AccessToken, reply.RefreshToken, "nonsense"])
        {
            var revoked = await other.RevokeAsync(token);
            Assert.Equal((HttpStatusCode.OK, ""), (revoked.Status, revoked.Text));
            Assert.Equal("""{"active":false}""", (await other.IntrospectAsync(token)).Text);
        }

        Assert.True(await owner.IsAliveAsync(reply.AccessToken));
        Assert.Equal(HttpStatusCode.OK, (await owner.RefreshAsync(reply.RefreshToken)).Status);
    }

    [Theory, OnBoth]
    public async Task What_was_revoked_stays_revoked_when_the_server_starts_again(On on)
    {
        await using var before = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(before);
        var app = App.Native(before);
        var alone = await app.LetInAsync(ada);
        var whole = await app.LetInAsync(ada);
        await app.RevokeAsync(alone.AccessToken);
        await app.RevokeAsync(whole.RefreshToken);
        await before.StopAsync();

        await using var after = await TestServer.StartAsync(App.Town, like: before);
        var watch = App.Watch(after);

        Assert.False(await watch.IsAliveAsync(alone.AccessToken));
        Assert.False(await watch.IsAliveAsync(whole.AccessToken));
        TokenTests.Refused(await App.Native(after).RefreshAsync(whole.RefreshToken), "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, (await App.Native(after).RefreshAsync(alone.RefreshToken)).Status);
    }
}
