using System.Net;
using Postern.Platform;
using Postern.Platform.Outbound;

namespace Postern.Tests.OAuth;

/// <summary>People sign out by way of an app, and every app that knew them in that session hears of it.</summary>
public sealed class LogoutTests
{
    private const string Initiated = "OpenID Connect RP-Initiated Logout", Back = "OpenID Connect Back-Channel Logout";

    private const string Bye = "https://site.example/bye";

    [Theory, Rfc(Initiated, "2"), Rfc(Initiated, "3"), Rfc(Initiated, "4")]
    // With her ID token she is signed out at once, and goes where the client registered.
    [InlineData("hint uri state", "out, away")]
    [InlineData("hint uri", "out, away")]
    [InlineData("hint", "out")]
    [InlineData("hint uri state client", "out, away")]
    // An ID token that is over still says who is meant, and what is not served changes nothing.
    [InlineData("expired-hint uri state", "out, away")]
    [InlineData("hint uri locales known", "out, away")]
    // Anything less is a question.
    [InlineData("", "asked")]
    [InlineData("state", "asked")]
    [InlineData("client uri state", "asked")]
    [InlineData("old-hint uri", "asked")]
    // Nobody is sent to what was not registered.
    [InlineData("uri", "refused")]
    [InlineData("hint other-uri", "refused")]
    [InlineData("hint uri-with-query", "refused")]
    [InlineData("hint other-client uri", "refused")]
    [InlineData("unsigned-hint uri", "refused")]
    [InlineData("altered-hint uri", "refused")]
    [InlineData("foreign-hint uri", "refused")]
    [InlineData("unknown-client uri", "refused")]
    [InlineData("hint hint uri", "refused")]
    [InlineData("hint uri long-state", "refused")]
    public async Task A_client_sends_a_person_to_sign_out(string parameters, string expected)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        var app = RelyingTown.Site(server);
        var old = (await app.LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!;
        server.Clock.Advance(TimeSpan.FromHours(1));
        var hint = parameters.Contains("old", StringComparison.Ordinal)
            ? old
            : (await app.LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!;
        if (parameters.Contains("old", StringComparison.Ordinal))
        {
            await app.LetInAsync(ada, RelyingTown.Identity("openid", ("prompt", "login")));
        }

        if (parameters.Contains("expired", StringComparison.Ordinal))
        {
            server.Clock.Advance(TimeSpan.FromMinutes(11));
        }

        var query = App.Encode(parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word switch
        {
            "hint" or "old-hint" or "expired-hint" => ("id_token_hint", (string?)hint),
            "foreign-hint" => ("id_token_hint", new Signer("k").SignLike(hint)),
            "locales" => ("ui_locales", "fr-CA xx"),
            "known" => ("logout_hint", Person.Ada),
            "unsigned-hint" => ("id_token_hint", "eyJhbGciOiJub25lIn0." + hint.Split('.')[1] + "."),
            "altered-hint" => ("id_token_hint", hint[..^4] + "AAAA"),
            "uri" => ("post_logout_redirect_uri", Bye),
            "other-uri" => ("post_logout_redirect_uri", "https://site.example/cb"),
            "uri-with-query" => ("post_logout_redirect_uri", Bye + "?a=b"),
            "state" => ("state", "a b&c"),
            "long-state" => ("state", new string('a', 4000)),
            "client" => ("client_id", "site"),
            "other-client" => ("client_id", "pair"),
            _ => ("client_id", "nobody"),
        }));
        var stop = await ada.OpenAsync("/logout?" + query);

        Assert.Equal(
            expected is "refused" ? HttpStatusCode.BadRequest
                : stop.Left is null ? HttpStatusCode.OK
                : HttpStatusCode.SeeOther,
            stop.Status);
        var away = parameters.Contains("state", StringComparison.Ordinal) ? Bye + "?state=a%20b%26c" : Bye;
        Assert.Equal(
            expected.Contains("away", StringComparison.Ordinal) ? away : null,
            stop.Left?.AbsoluteUri.Replace("+", "%20", StringComparison.Ordinal));
        Assert.Equal(expected is "asked", stop.Page?.QuerySelector("form[action^='/logout/confirm']") is not null);
        using var me = await ada.GetAsync("/me");
        Assert.Equal(expected.StartsWith("out", StringComparison.Ordinal), me.StatusCode is HttpStatusCode.SeeOther);
        if (expected.StartsWith("out", StringComparison.Ordinal))
        {
            var silent = await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid", ("prompt", "none"))));
            Assert.Equal("login_required", new Answer(silent.Left!)["error"]);
        }
    }

    [Fact, Rfc(Initiated, "2"), Rfc(Initiated, "3")]
    public async Task Who_is_asked_signs_out_by_our_own_form_alone()
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        await ada.SignInAsync();
        var stop = await ada.OpenAsync(
            $"/logout?client_id=site&post_logout_redirect_uri={Uri.EscapeDataString(Bye)}&state=x");
        var action = stop.Page!.Forms[0].GetAttribute("action")!;
        var fields = new Dictionary<string, List<string>>
        {
            ["form"] = [stop.Page.QuerySelector("input[name=form]")!.GetAttribute("value")!],
        };

        using var foreign = await ada.SendAsync(action, fields, "https://evil.example");
        using var altered = await ada.SendAsync(action.Replace("state=x", "state=y", StringComparison.Ordinal), fields);
        using var empty = await ada.SendAsync(action, []);
        using var still = await ada.GetAsync("/me");
        using var own = await ada.SendAsync(action, fields);

        Assert.All([foreign, altered, empty], refused => Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode));
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
        Assert.Equal(Bye + "?state=x", own.Headers.Location!.AbsoluteUri);
        using var gone = await ada.GetAsync("/me");
        Assert.Equal(HttpStatusCode.SeeOther, gone.StatusCode);
    }

    [Fact, Rfc(Initiated, "2")]
    public async Task A_form_of_the_client_becomes_a_link_and_signs_nobody_out_by_itself()
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        var hint = (await RelyingTown.Site(server).LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!;

        using var sent = await ada.SendAsync(
            "/logout", new() { ["id_token_hint"] = [hint] }, "https://site.example");
        using var still = await ada.GetAsync("/me");

        Assert.Equal(HttpStatusCode.SeeOther, sent.StatusCode);
        Assert.Equal("/logout?id_token_hint=" + hint, sent.Headers.Location!.OriginalString);
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }

    [Theory, OnBoth, Rfc(Back, "2.4"), Rfc(Back, "2.5"), Rfc(Back, "2.1")]
    public async Task Every_client_of_a_session_hears_of_its_end_before_the_browser_goes_on(On on)
    {
        await using var site = new LogoutPeer("HTTP/1.1 200 OK");
        await using var server = await TestServer.StartAsync(site.Settings, on);
        using var ada = new Person(server);
        var (one, two) = (Peer(server, "one"), Peer(server, "two"));
        var first = Jwt.Claims((await one.LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!);
        var hint = (await two.LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!;

        await ada.OpenAsync($"/logout?id_token_hint={hint}");

        Assert.Equal(2, site.Heard.Count);
        foreach (var token in site.Heard)
        {
            var (header, claims) = await Jwt.ReadAsync(server, token);
            var known = claims.GetProperty("aud").GetString() is "one" ? first : Jwt.Claims(hint);
            Assert.Equal("logout+jwt", header.GetProperty("typ").GetString());
            Assert.Equal(server.Issuer, claims.GetProperty("iss").GetString());
            Assert.Equal(known.GetProperty("sub").GetString(), claims.GetProperty("sub").GetString());
            Assert.Equal(known.GetProperty("sid").GetString(), claims.GetProperty("sid").GetString());
            Assert.Equal("{}", claims.GetProperty("events")
                .GetProperty("http://schemas.openid.net/event/backchannel-logout").GetRawText());
            Assert.NotEmpty(claims.GetProperty("jti").GetString()!);
            Assert.True(claims.GetProperty("exp").GetInt64() > claims.GetProperty("iat").GetInt64());
            Assert.False(claims.TryGetProperty("nonce", out _));
        }
    }

    [Fact, Rfc(Back, "2.5"), Rfc(Back, "2.8")]
    public async Task A_client_that_does_not_answer_is_told_again_and_once_it_answers_no_more()
    {
        await using var site = new LogoutPeer("HTTP/1.1 503 Service Unavailable");
        await using var server = await TestServer.StartAsync(site.Settings);
        using var ada = new Person(server);
        var hint = (await Peer(server, "one").LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!;
        var sender = server.Get<Postern.OAuth.Logout.LogoutSender>();

        await ada.OpenAsync($"/logout?id_token_hint={hint}");
        Assert.Single(site.Heard);
        await sender.NowAsync(default);
        Assert.Single(site.Heard);
        site.Say("HTTP/1.1 204 No Content");
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        await sender.NowAsync(default);
        server.Clock.Advance(TimeSpan.FromDays(1));
        await sender.NowAsync(default);

        Assert.Equal(2, site.Heard.Count);
        Assert.NotEqual(
            Jwt.Claims(site.Heard[0]).GetProperty("jti").GetString(),
            Jwt.Claims(site.Heard[^1]).GetProperty("jti").GetString());
    }

    [Theory, Rfc(Back, "2.5"), Rfc(Back, "2.8")]
    [InlineData("200 OK", 1), InlineData("204 No Content", 1), InlineData("400 Bad Request", 1)]
    [InlineData("404 Not Found", 2), InlineData("500 Internal Server Error", 2)]
    [InlineData("302 Found\r\nLocation: /two", 2)]
    public async Task A_client_is_told_again_unless_it_said_that_it_did_or_that_it_cannot(string says, int times)
    {
        await using var site = new LogoutPeer($"HTTP/1.1 {says}");
        await using var server = await TestServer.StartAsync(site.Settings);
        using var ada = new Person(server);
        var hint = (await Peer(server, "one").LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!;

        await ada.OpenAsync($"/logout?id_token_hint={hint}");
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        await server.Get<Postern.OAuth.Logout.LogoutSender>().NowAsync(default);

        Assert.Equal(times, site.Heard.Count);
    }

    [Theory, Rfc(Back, "2.8")]
    [InlineData("200 OK\r\nContent-Encoding: gzip", 0), InlineData("200 OK", 20_000)]
    [InlineData("400 Bad Request\r\nContent-Encoding: br", 0), InlineData("400 Bad Request", 20_000)]
    public async Task A_client_that_answered_is_told_no_more_whatever_else_it_says(string says, int more)
    {
        await using var site = new LogoutPeer($"HTTP/1.1 {says}", new('x', more));
        await using var server = await TestServer.StartAsync(site.Settings);
        using var ada = new Person(server);
        var hint = (await Peer(server, "one").LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!;

        await ada.OpenAsync($"/logout?id_token_hint={hint}");
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        await server.Get<Postern.OAuth.Logout.LogoutSender>().NowAsync(default);

        Assert.Single(site.Heard);
    }

    [Fact]
    public async Task Where_a_self_registered_client_is_told_does_not_close_a_host_to_those_an_operator_knows()
    {
        await using var host = new DocumentHost();
        host.Put("/keys", "{}");
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var made = await Registered.PostAsync(
            server,
            """
            {"redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"none",
             "backchannel_logout_uri":"https://127.0.0.1:1/out"}
            """);
        var app = new App(server, made.Member("client_id")!, "https://a.example/cb");
        var hint = (await app.LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!;

        await ada.OpenAsync($"/logout?id_token_hint={hint}");
        for (var told = 1; told < HostBudgets.MaxFailures; told++)
        {
            server.Clock.Advance(TimeSpan.FromHours(1));
            await server.Get<Postern.OAuth.Logout.LogoutSender>().NowAsync(default);
        }

        Assert.IsType<FetchOutcome.Answered>(
            await server.Get<SafeHttp>().GetAsync(host.At("/keys"), FetchRules.Json, default));
    }

    [Theory, Rfc(Back, "2.2")]
    [InlineData("http://one.example/out"), InlineData("/out"), InlineData("https://one.example/out#x")]
    public async Task Where_a_client_is_told_is_an_https_address_without_fragment(string address)
    {
        var refused = await Assert.ThrowsAsync<SetupException>(() => TestServer.StartAsync($$"""
            clients:
              - { client_id: x, redirect_uris: [https://x.example/cb], backchannel_logout_uri: "{{address}}" }
            """));

        Assert.Contains("backchannel_logout_uri", refused.Message, StringComparison.Ordinal);
    }

    [Fact, Rfc(Back, "2.1")]
    public async Task A_session_that_is_ended_elsewhere_is_told_and_one_that_only_signs_in_again_goes_on()
    {
        await using var site = new LogoutPeer("HTTP/1.1 200 OK");
        await using var server = await TestServer.StartAsync(site.Settings);
        using var ada = new Person(server);
        var app = Peer(server, "one");
        var first = Jwt.Claims((await app.LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        await app.LetInAsync(ada, RelyingTown.Identity("openid", ("prompt", "login")));
        await server.Get<Postern.OAuth.Logout.LogoutSender>().NowAsync(default);
        Assert.Empty(site.Heard);

        // Somebody else signs in in this browser: hers is over, under both of its names.
        using var bob = new Person(server.Issuer, server.Http.BaseAddress!, Person.Bob, like: ada);
        await bob.SignInAsync();
        await server.Get<Postern.OAuth.Logout.LogoutSender>().NowAsync(default);

        Assert.Contains(site.Heard, token =>
            Jwt.Claims(token).GetProperty("sid").GetString() == first.GetProperty("sid").GetString());
        Assert.Equal(2, site.Heard.Count);
    }

    private static App Peer(TestServer server, string name) =>
        new(server, name, $"https://{name}.example/cb", App.WebSecret);
}
