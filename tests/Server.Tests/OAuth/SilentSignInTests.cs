using System.Net;
using Postern.Grants;

namespace Postern.Tests.OAuth;

/// <summary>What a relying party may ask of the sign-in behind an answer, and when nobody is asked twice.</summary>
public sealed class SilentSignInTests
{
    private const string Core = "OpenID Connect Core";

    [Fact, Rfc(Core, "3.1.2.1"), Rfc(Core, "3.1.2.6"), Rfc(9207, "2")]
    public async Task Without_a_page_it_is_answered_what_is_missing_and_after_a_yes_nothing_is()
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        var app = RelyingTown.Site(server);
        var silent = app.Authorize(RelyingTown.Identity("openid email", ("prompt", "none")));

        var stranger = new Answer((await ada.OpenAsync(silent)).Left!);
        Assert.Equal(
            ("login_required", "the state + of it", server.Issuer),
            (stranger["error"], stranger["state"], stranger["iss"]));
        await ada.SignInAsync();
        Assert.Equal("consent_required", new Answer((await ada.OpenAsync(silent)).Left!)["error"]);

        var first = await app.LetInAsync(ada, RelyingTown.Identity("openid email"));
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        var second = await app.RedeemAsync(new Answer((await ada.OpenAsync(silent)).Left!).Code, ("resource", null));

        var (old, young) = (Jwt.Claims(first.Member("id_token")!), Jwt.Claims(second.Member("id_token")!));
        foreach (var same in (string[])["sub", "auth_time", "sid", "acr"])
        {
            Assert.Equal(old.GetProperty(same).ToString(), young.GetProperty(same).ToString());
        }

        Assert.Equal("openid email", second.Scope);
        // Whoever comes back as usual is not asked again either, and who asks for more is.
        Assert.NotNull((await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid")))).Left);
        Assert.Null((await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid profile")))).Left);
        Assert.Null((await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid", ("prompt", "consent"))))).Left);
        Assert.Null((await ada.OpenAsync(app.Authorize(RelyingTown.Identity(
            "openid", ("claims", """{"id_token":{"name":null}}"""))))).Left);
    }

    [Theory, OnBoth]
    public async Task An_agreement_is_found_however_many_the_person_has_beside_it(On on)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml, on);
        using var ada = new Person(server);
        var app = RelyingTown.Site(server);
        await app.LetInAsync(ada, RelyingTown.Identity("openid"));
        var grant = Assert.Single(await Grants.OfAsync(server, Person.Ada));
        await server.Db.WriteAsync(async unit =>
        {
            for (var i = 0; i < GrantStore.Page; i++)
            {
                await GrantStore.InsertAsync(
                    unit, grant with { Id = new($"{grant.Id.Value}{i}"), Client = new("native"), Sid = null });
            }

            return true;
        });

        var stop = await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid", ("prompt", "none"))));

        Assert.NotNull(new Answer(stop.Left!)["code"]);
    }

    [Theory, OnBoth]
    public async Task An_agreement_stands_in_its_session_for_its_client_until_the_person_ends_it(On on)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml, on);
        using var ada = new Person(server);
        using var elsewhere = new Person(server);
        using var bob = new Person(server, Person.Bob);
        var app = RelyingTown.Site(server);
        var silent = app.Authorize(RelyingTown.Identity("openid", ("prompt", "none")));
        await app.LetInAsync(ada, RelyingTown.Identity("openid"));
        await elsewhere.SignInAsync();
        await bob.SignInAsync();

        Assert.Equal("consent_required", new Answer((await elsewhere.OpenAsync(silent)).Left!)["error"]);
        Assert.Equal("consent_required", new Answer((await bob.OpenAsync(silent)).Left!)["error"]);
        for (var tabs = 0; tabs < 5; tabs++)
        {
            var code = new Answer((await ada.OpenAsync(silent)).Left!).Code;
            Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(code, ("resource", null))).Status);
        }

        var grants = await Grants.OfAsync(server, Person.Ada);
        Assert.InRange(grants.Count, 1, 3);
        await server.Get<Postern.Grants.GrantBook>().RevokeAsync(
            grants[0], new() { Tenant = TenantId.Default, Kind = Postern.Audit.AuditKinds.GrantRevoked });

        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
        Assert.Equal("consent_required", new Answer((await ada.OpenAsync(silent)).Left!)["error"]);
    }

    [Theory, OnBoth]
    public async Task What_another_site_starts_and_nobody_redeems_ends_nothing_and_leaves_nothing(On on)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml, on);
        using var ada = new Person(server);
        var (app, evil) = (RelyingTown.Site(server), RelyingTown.Site(server));
        var tokens = await app.LetInAsync(ada, RelyingTown.Identity("openid"));
        var waiting = new Answer((await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid")))).Left!).Code;
        var before = await RowsAsync(server);

        for (var navigations = 0; navigations < 10; navigations++)
        {
            Assert.NotNull((await ada.OpenAsync(evil.Authorize(RelyingTown.Identity("openid")))).Left);
            Assert.NotNull((await ada.OpenAsync(evil.Authorize(RelyingTown.Identity(
                "openid", ("prompt", "none"))))).Left);
        }

        Assert.Equal(before, await RowsAsync(server));
        Assert.Equal(HttpStatusCode.OK, await UserInfoAsync(server, tokens));
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(tokens.RefreshToken)).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(waiting, ("resource", null))).Status);
    }

    [Theory, OnBoth, Rfc(6749, "4.1.2")]
    public async Task Of_fifty_who_redeem_a_silent_code_one_wins_and_the_replays_end_the_agreement(On on)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml, on);
        using var ada = new Person(server);
        var app = RelyingTown.Site(server);
        await app.LetInAsync(ada, RelyingTown.Identity("openid"));
        var silent = app.Authorize(RelyingTown.Identity("openid", ("prompt", "none")));
        var code = new Answer((await ada.OpenAsync(silent)).Left!).Code;

        var replies = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => app.RedeemAsync(code, ("resource", null))));

        Assert.Single(replies, reply => reply.Status is HttpStatusCode.OK);
        Assert.Equal(49, replies.Count(reply => reply.Error is "invalid_grant"));
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Theory]
    [InlineData("signed out")]
    [InlineData("ended")]
    [InlineData("ended, and agreed again")]
    public async Task A_silent_code_is_worth_nothing_when_what_it_rests_on_is_over(string how)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        var app = RelyingTown.Site(server);
        var first = await app.LetInAsync(ada, RelyingTown.Identity("openid"));
        var silent = app.Authorize(RelyingTown.Identity("openid", ("prompt", "none")));
        var code = new Answer((await ada.OpenAsync(silent)).Left!).Code;

        if (how is "signed out")
        {
            await ada.OpenAsync($"/logout?id_token_hint={first.Member("id_token")}");
        }
        else
        {
            await app.RevokeAsync(first.RefreshToken);
        }

        if (how.Contains("again", StringComparison.Ordinal))
        {
            await app.LetInAsync(ada, RelyingTown.Identity("openid"));
        }

        TokenTests.Refused(await app.RedeemAsync(code, ("resource", null)), "invalid_grant");
    }

    [Fact, Rfc(9126, "4")]
    public async Task A_pushed_request_is_answered_silently_once()
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        var app = RelyingTown.Site(server);
        await app.LetInAsync(ada, RelyingTown.Identity("openid"));
        var address = app.Pushed(await app.PushAsync(RelyingTown.Identity("openid", ("prompt", "none"))));

        var stops = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ada.OpenAsync(address)));

        var code = new Answer(Assert.Single(stops, stop => stop.Left is not null).Left!).Code;
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(code, ("resource", null))).Status);
    }

    [Fact, Rfc(9700, "4.11.2")]
    public async Task A_client_that_registered_itself_is_let_in_by_a_person_each_time()
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        var reply = await Registered.PostAsync(server, """
            {"client_name":"Evil","redirect_uris":["https://evil.example/cb"],
            "token_endpoint_auth_method":"client_secret_post","post_logout_redirect_uris":["https://evil.example/out"]}
            """);
        var app = new App(
            server, reply.Member("client_id")!, "https://evil.example/cb", reply.Member("client_secret"));
        var tokens = await app.LetInAsync(ada, RelyingTown.Identity("openid"));

        var again = await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid")));
        var silent = await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid", ("prompt", "none"))));
        using var stranger = new Person(server);
        var hint = $"id_token_hint={tokens.Member("id_token")}";
        var away = await stranger.OpenAsync(
            $"/logout?{hint}&post_logout_redirect_uri={Uri.EscapeDataString("https://evil.example/out")}");

        Assert.NotNull(again.Page!.QuerySelector("form.consent"));
        Assert.Null(silent.Left);
        Assert.Null(away.Left);
        Assert.Equal(
            "https://evil.example/out", away.Page!.QuerySelector("a.button")!.GetAttribute("href"));
    }

    [Theory, Rfc(Core, "3.1.2.1"), InlineData("max_age", "0"), InlineData("prompt", "login")]
    public async Task A_sign_in_of_the_same_second_is_not_the_new_one_that_is_asked_for(string name, string value)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        var app = RelyingTown.Site(server);
        var first = await app.LetInAsync(ada, RelyingTown.Identity("openid"));

        var silent = name is "prompt"
            ? null
            : await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid", (name, value), ("prompt", "none"))));
        var again = await app.LetInAsync(ada, RelyingTown.Identity("openid", (name, value)));

        Assert.True(silent is null || new Answer(silent.Left!)["error"] is "login_required");
        Assert.NotEqual(Sid(first), Sid(again));

        static string? Sid(Reply reply) => Jwt.Claims(reply.Member("id_token")!).GetProperty("sid").GetString();
    }

    private static async Task<HttpStatusCode> UserInfoAsync(TestServer server, Reply tokens)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/userinfo", UriKind.Relative));
        request.Headers.Authorization = new("Bearer", tokens.AccessToken);
        using var answer = await server.Http.SendAsync(request);
        return answer.StatusCode;
    }

    // Of everything that a sign-in could write.
    private static async Task<string> RowsAsync(TestServer server)
    {
        var rows = await server.Db.AllAsync(
            $"""
            select (select count(*) from grants), (select count(*) from families), (select count(*) from used_once),
              (select count(*) from audit_entries)
            """,
            row => $"{row.GetInt64(0)} {row.GetInt64(1)} {row.GetInt64(2)} {row.GetInt64(3)}",
            default);
        return rows[0];
    }

    [Fact, Rfc(8252, "8.6")]
    [Rfc(6749, "10.2")]
    public async Task A_program_that_anybody_could_be_is_never_let_in_silently()
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        var app = new App(server, "native", "http://127.0.0.1:8765/callback");
        await app.LetInAsync(ada, RelyingTown.Identity("openid"));

        var again = await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid")));
        var silent = await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid", ("prompt", "none"))));
        var tools = await ada.OpenAsync(
            RelyingTown.Site(server).Authorize(("scope", "openid mcp:read"), ("prompt", "none")));

        Assert.Null(again.Left);
        Assert.Equal("consent_required", new Answer(silent.Left!)["error"]);
        Assert.Equal("interaction_required", new Answer(tools.Left!)["error"]);
    }

    [Theory, Rfc(Core, "3.1.2.1")]
    [InlineData("prompt", "login", true)]
    [InlineData("prompt", "select_account", true)]
    [InlineData("max_age", "1", true)]
    [InlineData("max_age", "0", true)]
    [InlineData("max_age", "10000", false)]
    [InlineData("display", "popup", false)]
    [InlineData("ui_locales", "fr-CA fr", false)]
    [InlineData("claims_locales", "fr", false)]
    [InlineData("login_hint", "ada@example.test", false)]
    [InlineData("login_hint", "Ådå", false)]
    [InlineData("acr_values", "0 1 nonsense", false)]
    [InlineData("acr_values", Acr.Password, false)]
    [InlineData("something", "else", false)]
    [Rfc("OpenID Connect Core", "3.1.2.3")]
    public async Task What_asks_for_a_new_sign_in_gets_one_and_nothing_else_does(string name, string value, bool isNew)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        var app = RelyingTown.Site(server);
        var first = Jwt.Claims((await app.LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!);
        server.Clock.Advance(TimeSpan.FromMinutes(1));

        var reply = await app.LetInAsync(ada, RelyingTown.Identity("openid", (name, value)));

        var again = Jwt.Claims(reply.Member("id_token")!);
        Assert.Equal(
            first.GetProperty("auth_time").GetInt64() + (isNew ? 60 : 0), again.GetProperty("auth_time").GetInt64());
        Assert.Equal(isNew, first.GetProperty("sid").GetString() != again.GetProperty("sid").GetString());
        Assert.Equal(first.GetProperty("sub").GetString(), again.GetProperty("sub").GetString());
    }

    [Theory, Rfc(9470, "5"), Rfc(Core, "5.5.1.1")]
    [InlineData("acr_values", "phr")]
    [InlineData("acr_values", "nonsense phr")]
    [InlineData("claims", """{"id_token":{"acr":{"essential":true,"values":["phr"]}}}""")]
    public async Task A_sign_in_that_cannot_be_as_strong_as_asked_is_no_sign_in(string name, string value)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        await ada.SignInAsync();
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        var app = RelyingTown.Site(server);

        // Signs in anew on the way, by password again.
        var stop = await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid", (name, value))));
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        var silent = await ada.OpenAsync(
            app.Authorize(RelyingTown.Identity("openid", (name, value), ("prompt", "none"))));

        Assert.Equal("unmet_authentication_requirements", new Answer(stop.Left!)["error"]);
        Assert.Equal("login_required", new Answer(silent.Left!)["error"]);
    }

    [Theory, Rfc(Core, "3.1.2.2"), Rfc(Core, "5.5.1")]
    [InlineData("her own", null)]
    [InlineData("another person's", "login_required")]
    public async Task A_request_for_one_person_is_answered_for_that_person_alone(string whose, string? error)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        using var bob = new Person(server, Person.Bob);
        var app = RelyingTown.Site(server);
        var own = await app.LetInAsync(ada, RelyingTown.Identity("openid"));
        var meant = whose is "her own" ? own : await app.LetInAsync(bob, RelyingTown.Identity("openid"));
        var sub = Jwt.Claims(meant.Member("id_token")!).GetProperty("sub").GetString();
        var claims = ("claims", $$"""{"id_token":{"sub":{"value":"{{sub}}" } } }""");
        server.Clock.Advance(TimeSpan.FromMinutes(1));

        var silent = await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid", ("prompt", "none"), claims)));
        // Signs in anew on the way where that may help, as herself again.
        var asked = await ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid", claims)));

        Assert.Equal(error, new Answer(silent.Left!)["error"]);
        Assert.Equal(
            error is null ? null : "unmet_authentication_requirements", new Answer(asked.Left!)["error"]);
        Assert.Equal(error is null, new Answer(asked.Left!)["code"] is not null);
    }

    [Fact, Rfc("OpenID Connect Registration", "2")]
    public async Task What_a_client_registered_of_sign_ins_holds_where_its_request_says_nothing()
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml.Replace(
            "post_logout_redirect_uris: [https://site.example/bye]", "default_max_age: 60", StringComparison.Ordinal));
        using var ada = new Person(server);
        var app = RelyingTown.Site(server);

        var first = await SignedInAtAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(61));
        var second = await SignedInAtAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(59));
        var third = await SignedInAtAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(61));
        var fourth = await SignedInAtAsync(("max_age", "10000"));

        Assert.Equal([first + 61, first + 61, first + 61], [second, third, fourth]);

        async Task<long> SignedInAtAsync(params (string, string?)[] more) =>
            Jwt.Claims((await app.LetInAsync(ada, RelyingTown.Identity("openid", more))).Member("id_token")!)
                .GetProperty("auth_time").GetInt64();
    }

    [Theory, Rfc(Core, "3.1.2.1"), Rfc(Core, "3.1.2.2")]
    [InlineData("her own", null)]
    [InlineData("her own, expired", null)]
    [InlineData("another person's", "login_required")]
    [InlineData("another client's", "invalid_request")]
    [InlineData("unsigned", "invalid_request")]
    [InlineData("altered", "invalid_request")]
    [InlineData("an access token", "invalid_request")]
    [InlineData("nonsense", "invalid_request")]
    public async Task A_hint_means_one_person_and_must_be_ours(string what, string? error)
    {
        await using var server = await TestServer.StartAsync(RelyingTown.Yaml);
        using var ada = new Person(server);
        using var bob = new Person(server, Person.Bob);
        var (app, other) = (RelyingTown.Site(server), RelyingTown.Pair(server, "pair"));
        var own = await app.LetInAsync(ada, RelyingTown.Identity("openid"));
        var hint = what switch
        {
            "another person's" => (await app.LetInAsync(bob, RelyingTown.Identity("openid"))).Member("id_token")!,
            "another client's" => (await other.LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!,
            "unsigned" => "eyJhbGciOiJub25lIn0." + own.Member("id_token")!.Split('.')[1] + ".",
            "altered" => own.Member("id_token")![..^4] + "AAAA",
            "an access token" => own.AccessToken,
            "nonsense" => "nonsense",
            _ => own.Member("id_token")!,
        };
        server.Clock.Advance(TimeSpan.FromMinutes(what.Contains("expired", StringComparison.Ordinal) ? 30 : 1));

        var stop = await ada.OpenAsync(app.Authorize(RelyingTown.Identity(
            "openid", ("prompt", "none"), ("id_token_hint", hint))));

        Assert.Equal(error, new Answer(stop.Left!)["error"]);
        Assert.Equal(error is null, new Answer(stop.Left!)["code"] is not null);
    }
}
