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
            Assert.NotEmpty(new Answer((await ada.OpenAsync(silent)).Left!).Code);
        }

        var grants = await Grants.OfAsync(server, Person.Ada);
        Assert.InRange(grants.Count, 1, 3);
        await server.Get<Postern.Grants.GrantBook>().RevokeAsync(
            grants[0], new() { Tenant = TenantId.Default, Kind = Postern.Audit.AuditKinds.GrantRevoked });

        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
        Assert.Equal("consent_required", new Answer((await ada.OpenAsync(silent)).Left!)["error"]);
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
