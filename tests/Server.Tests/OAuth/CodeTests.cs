using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>The authorization code: bound to everything it was asked with, and good once.</summary>
public sealed class CodeTests
{
    [Theory, OnBoth, Rfc(9700, "4.5"), Rfc(6749, "4.1.2")]
    public async Task Of_fifty_redemptions_at_once_one_wins_and_the_replays_end_the_grant(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        var app = App.Web(server);
        var code = (await ada.AllowAsync(app.Authorize())).Code;

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => app.RedeemAsync(code)));

        var winner = Assert.Single(replies, reply => reply.Status is HttpStatusCode.OK);
        Assert.All(replies.Where(reply => reply != winner), reply => TokenTests.Refused(reply, "invalid_grant"));
        Assert.False(await app.IsAliveAsync(winner.AccessToken));
        TokenTests.Refused(await app.RefreshAsync(winner.RefreshToken), "invalid_grant");
    }

    [Theory, OnBoth, Rfc(6749, "4.1.2"), Rfc(9700, "4.5")]
    public async Task A_code_used_again_after_half_a_minute_kills_every_token_that_came_of_it(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        var app = App.Native(server);
        var code = (await ada.AllowAsync(app.Authorize())).Code;
        var first = await app.RedeemAsync(code);
        var second = await app.RefreshAsync(first.RefreshToken);
        var web = App.Watch(server);
        Assert.True(await web.IsAliveAsync(second.AccessToken));

        server.Clock.Advance(TimeSpan.FromSeconds(30));
        var replay = await app.RedeemAsync(code);

        TokenTests.Refused(replay, "invalid_grant");
        Assert.False(await web.IsAliveAsync(first.AccessToken));
        Assert.False(await web.IsAliveAsync(second.AccessToken));
        TokenTests.Refused(await app.RefreshAsync(second.RefreshToken), "invalid_grant");
    }

    [Fact]
    public async Task A_code_is_over_after_a_minute()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Native(server);
        var early = (await ada.AllowAsync(app.Authorize())).Code;
        var late = (await ada.AllowAsync(app.Authorize())).Code;

        server.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(early)).Status);
        server.Clock.Advance(TimeSpan.FromSeconds(1));

        TokenTests.Refused(await app.RedeemAsync(late), "invalid_grant");
    }

    [Fact]
    public async Task A_code_is_no_good_to_another_client_and_stays_good_to_its_own()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        App[] apps = [App.Web(server), App.Peer(server), App.Native(server)];
        foreach (var owner in apps)
        {
            var code = (await ada.AllowAsync(owner.Authorize())).Code;
            foreach (var thief in apps.Where(app => app != owner))
            {
                // The thief knows all that the owner knows, but for the owner's secret.
                var stolen = await thief.RedeemAsync(code, ("code_verifier", owner.Verifier), ("redirect_uri", null));
                TokenTests.Refused(stolen, "invalid_grant");
            }

            Assert.Equal(HttpStatusCode.OK, (await owner.RedeemAsync(code)).Status);
        }
    }

    [Theory, Rfc(7636, "4.6")]
    [InlineData("the challenge itself")]
    [InlineData("with a blank")]
    [InlineData("too long")]
    [InlineData("another's")]
    [Rfc(7636, "4.4"), Rfc(9700, "4.8")]
    public async Task Only_the_verifier_redeems(string what)
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Web(server);
        var code = (await ada.AllowAsync(app.Authorize())).Code;
        var wrong = what switch
        {
            "the challenge itself" => app.Challenge,
            "with a blank" => app.Verifier + " ",
            "too long" => app.Verifier.PadRight(129, 'a'),
            _ => App.Web(server).Verifier,
        };

        TokenTests.Refused(await app.RedeemAsync(code, ("code_verifier", wrong)), "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(code)).Status);
    }

    [Fact]
    public async Task A_code_opens_in_one_spelling_only()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Web(server);
        var code = (await ada.AllowAsync(app.Authorize())).Code;
        // One bit of every character of the code in turn.
        var altered = Enumerable.Range(0, code.Length).Select(at =>
            code[..at] + (code[at] is 'A' ? 'B' : code[at] is 'B' ? 'A' : 'B') + code[(at + 1)..]);

        foreach (var text in altered.Concat(
            [code + "A", code + "=", code + " ", " " + code, code[..^1], code.ToUpperInvariant()]))
        {
            TokenTests.Refused(await app.RedeemAsync(text), "invalid_grant");
        }

        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(code)).Status);
    }

    [Fact]
    public async Task A_client_that_may_not_refresh_gets_no_refresh_token()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = new App(server, "once", "https://once.example/cb");

        var reply = await app.RedeemAsync((await ada.AllowAsync(app.Authorize())).Code);

        Assert.False(reply.Json.TryGetProperty("refresh_token", out _));
    }

    [Fact]
    public async Task A_grant_ended_between_consent_and_redemption_gives_no_token()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Native(server);
        var code = (await ada.AllowAsync(app.Authorize())).Code;
        var grant = Assert.Single(await Grants.OfAsync(server, Person.Ada));

        await server.Get<Postern.Grants.GrantBook>().RevokeAsync(
            grant, new() { Tenant = TenantId.Default, Kind = Postern.Audit.AuditKinds.GrantRevoked });

        TokenTests.Refused(await app.RedeemAsync(code), "invalid_grant");
    }
}
