using System.Net;
using System.Text;

namespace Postern.Tests.OAuth;

/// <summary>Requests that the client hands over itself (RFC 9126).</summary>
public sealed class PushTests(Town town) : IClassFixture<Town>
{
    private TestServer Server => town.Server;

    [Theory, InlineData(true), InlineData(false)]
    [Rfc(9126, "2.2"), Rfc(9126, "4")]
    public async Task A_pushed_request_leads_to_the_question_and_to_a_token(bool isPublic)
    {
        var app = isPublic ? App.Native(Server) : App.Web(Server);

        var pushed = await app.PushAsync();
        var answer = await town.Ada.AllowAsync(app.Pushed(pushed));
        var tokens = await app.RedeemAsync(answer.Code);

        Assert.Equal(HttpStatusCode.Created, pushed.Status);
        Assert.Equal(60, pushed.Json.GetProperty("expires_in").GetInt64());
        Assert.StartsWith("urn:ietf:params:oauth:request_uri:", pushed.Member("request_uri")!);
        Assert.Equal("no-store", pushed.Headers.CacheControl!.ToString());
        Assert.Equal("the state + of it", answer["state"]);
        Assert.Equal(HttpStatusCode.OK, tokens.Status);
    }

    public static TheoryData<string, string?, string> Faults => new()
    {
        { "response_type", null, "invalid_request" },
        { "response_type", "", "invalid_request" },
        { "response_type", "token", "unsupported_response_type" },
        { "response_type", "code id_token", "unsupported_response_type" },
        { "response_mode", "fragment", "invalid_request" },
        { "redirect_uri", "https://evil.example/cb", "invalid_request" },
        { "redirect_uri", "https://peer.example/cb", "invalid_request" },
        { "redirect_uri", new string('u', 3001), "invalid_request" },
        { "code_challenge", null, "invalid_request" },
        { "code_challenge", "", "invalid_request" },
        { "code_challenge", "short", "invalid_request" },
        { "code_challenge_method", null, "invalid_request" },
        { "code_challenge_method", "plain", "invalid_request" },
        { "resource", null, "invalid_target" },
        { "resource", "https://elsewhere.example/mcp", "invalid_target" },
        { "resource", "echo", "invalid_target" },
        { "scope", "admin", "invalid_scope" },
        { "scope", "mcp:read  mcp:write", "invalid_scope" },
        { "scope", "\"", "invalid_scope" },
        { "state", "two\r\nlines", "invalid_request" },
        { "state", "\0", "invalid_request" },
        { "state", "ä", "invalid_request" },
        { "state", new string('s', 3001), "invalid_request" },
        { "max_age", "soon", "invalid_request" },
        { "prompt", "none login", "invalid_request" },
        { "request_uri", "urn:ietf:params:oauth:request_uri:x", "invalid_request" },
        { "request_uri", "https://elsewhere.example/request", "invalid_request" },
        { "client_id", "peer", "invalid_client" },
        { "client_id", "nobody", "invalid_client" },
        { "client_id", null, "invalid_client" },
        { "client_id", "", "invalid_client" },
        { "client_secret", null, "invalid_client" },
        { "client_secret", "", "invalid_client" },
        { "client_secret", "wrong", "invalid_client" },
        { "client_assertion", "x", "invalid_client" },
    };

    [Theory, MemberData(nameof(Faults))]
    [Rfc(9126, "2.1"), Rfc(9126, "2.3"), Rfc(7636, "4.4.1")]
    public async Task What_the_authorization_endpoint_would_refuse_is_refused_when_it_is_pushed(
        string parameter, string? value, string error)
    {
        var reply = await App.Web(Server).PushAsync((parameter, value));

        Assert.Equal(error, reply.Error);
        Assert.Equal(
            error is "invalid_client" ? HttpStatusCode.Unauthorized
                : value?.Length > 3000 ? HttpStatusCode.RequestEntityTooLarge : HttpStatusCode.BadRequest,
            reply.Status);
        Assert.Equal("no-store", reply.Headers.CacheControl!.ToString());
    }

    [Fact, Rfc(9126, "2.1")]
    public async Task A_parameter_comes_once_and_in_the_body()
    {
        var app = App.Web(Server);
        foreach (var (name, value) in app.Usual)
        {
            var twice = await app.PushAsync((name, value), (name, value));
            var split = await app.PostAsync(
                "/par", [.. app.Usual, ("client_secret", App.WebSecret)], query: $"?{name}=x");

            Assert.Equal(name is "resource" ? "invalid_target" : "invalid_request", twice.Error);
            Assert.Equal(name is "resource" ? "invalid_target" : "invalid_request", split.Error);
        }
    }

    [Fact, Rfc(9126, "2.1")]
    public async Task A_secret_may_come_in_the_header_and_then_names_the_client()
    {
        var app = App.Web(Server);

        var pushed = await app.PostAsync(
            "/par",
            app.Usual.Where(field => field.Name is not "client_id"),
            App.Basic("web", App.WebSecret));
        var other = await app.PostAsync("/par", app.Usual, App.Basic("peer", App.PeerSecret));

        Assert.Equal(HttpStatusCode.Created, pushed.Status);
        Assert.NotNull((await town.Ada.AskedAsync(app.Pushed(pushed))).Form);
        Assert.Equal("invalid_request", other.Error);
    }

    [Fact, Rfc(9126, "2.3")]
    public async Task Another_verb_is_405_and_a_body_without_bounds_413()
    {
        using var get = await Server.Http.GetAsync(new Uri("/par?client_id=native", UriKind.Relative));
        using var content = new StringContent(
            "client_id=native&state=" + new string('s', 70_000), Encoding.UTF8, "application/x-www-form-urlencoded");
        using var post = await Server.Http.PostAsync(new Uri("/par", UriKind.Relative), content);
        using var json = new StringContent("{}", Encoding.UTF8, "application/json");
        using var other = await Server.Http.PostAsync(new Uri("/par", UriKind.Relative), json);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, post.StatusCode);
        Assert.Equal("invalid_request", (await Reply.ReadAsync(post)).Error);
        Assert.Equal(HttpStatusCode.BadRequest, other.StatusCode);
    }

    [Fact, Rfc(9126, "4")]
    public async Task A_reference_is_good_until_somebody_answers_and_never_after()
    {
        var app = App.Web(Server);
        var address = app.Pushed(await app.PushAsync());

        var first = await town.Ada.AskedAsync(address);
        var reloaded = await town.Ada.AskedAsync(address);
        var answer = await town.Ada.AnswerAsync(first, "allow");

        Assert.NotNull(new Answer(answer.Left!).Code);
        await IsShownAsync(address);
        var late = await town.Ada.AnswerAsync(
            reloaded, "allow", fields => fields["tool"] = ["Everything that can read"]);
        Assert.Equal(HttpStatusCode.BadRequest, late.Status);
        Assert.Null(late.Left);
    }

    [Fact, Rfc(9126, "4")]
    public async Task A_no_is_an_answer_too()
    {
        var app = App.Web(Server);
        var address = app.Pushed(await app.PushAsync());
        var second = await town.Ada.AskedAsync(address);

        var answer = await town.Ada.DenyAsync(address);

        Assert.Equal("access_denied", answer["error"]);
        await IsShownAsync(address);
        Assert.Null((await town.Ada.AnswerAsync(second, "allow")).Left);
    }

    [Fact, Rfc(9126, "2.2")]
    public async Task A_reference_ends_after_a_minute_and_what_it_began_goes_on()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var app = App.Web(server);
        var address = app.Pushed(await app.PushAsync());
        server.Clock.Advance(TimeSpan.FromSeconds(59));
        var question = await ada.AskedAsync(address);
        server.Clock.Advance(TimeSpan.FromSeconds(1));

        var late = await ada.OpenAsync(address);
        var answer = await ada.AnswerAsync(question, "allow");

        Assert.Equal((HttpStatusCode.BadRequest, null), (late.Status, late.Left));
        Assert.NotNull(new Answer(answer.Left!).Code);
    }

    [Fact, Rfc(9126, "2.2"), Rfc(9126, "4")]
    public async Task A_reference_is_of_the_client_that_pushed_and_stands_alone()
    {
        var app = App.Web(Server);
        var pushed = await app.PushAsync();
        var reference = pushed.Member("request_uri")!;

        await IsShownAsync(app.Pushed(pushed, ("client_id", "peer")));
        await IsShownAsync(app.Pushed(pushed, ("client_id", null)));
        await IsShownAsync(app.Pushed(pushed, ("request_uri", reference[..^1])));
        await IsShownAsync(app.Pushed(pushed, ("request_uri", reference + "A")));
        await IsShownAsync(app.Pushed(pushed, ("request_uri", reference[..^4] + "AAAA")));
        await IsShownAsync(app.Pushed(pushed, ("request_uri", reference), ("request_uri", reference)));
        foreach (var (name, value) in app.Usual.Where(field => field.Name is not "client_id"))
        {
            await IsShownAsync(app.Pushed(pushed, (name, value)));
        }

        Assert.NotNull((await town.Ada.AskedAsync(app.Pushed(pushed, ("unheard_of", "x")))).Form);
    }

    [Fact]
    public async Task What_is_pushed_can_be_read_nowhere_on_the_way()
    {
        var app = App.Web(Server);
        var address = app.Pushed(await app.PushAsync(("state", "a-state-that-stands-out")));

        using var begun = await town.Ada.GetAsync(address);
        var question = await town.Ada.AskedAsync(address);

        Assert.DoesNotContain("stands-out", address, StringComparison.Ordinal);
        Assert.DoesNotContain("stands-out", begun.Headers.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("stands-out", question.Page.Source.Text, StringComparison.Ordinal);
    }

    [Fact, Rfc(9126, "7.1")]
    public async Task Pushing_stores_nothing_and_no_two_references_are_alike()
    {
        var before = await RowsAsync();

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => App.Native(Server).PushAsync()));

        Assert.Equal(50, replies.Select(reply => reply.Member("request_uri")).Distinct().Count());
        Assert.Equal(before, await RowsAsync());
    }

    [Theory, OnBoth, Rfc(9126, "4")]
    public async Task Of_fifty_who_complete_one_reference_at_once_one_does(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        await ada.SignInAsync();
        var app = App.Web(server);
        var address = app.Pushed(await app.PushAsync());
        var questions = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => ada.AskedAsync(address)));

        // Each another answer, so that none is taken for a second click on the same button.
        var answers = await Task.WhenAll(questions.Select((question, i) => ada.AnswerAsync(
            question,
            i % 2 is 0 ? "allow" : "deny",
            fields => fields["until"] = [i % 4 is 0 ? "86400" : "604800"])));

        var grants = await Grants.OfAsync(server, Person.Ada);
        var left = answers.Where(answer => answer.Left is not null).Select(answer => new Answer(answer.Left!)).ToList();
        Assert.True(grants.Count <= 1);
        Assert.NotEmpty(left);
        // Those who answered as the first did are told the same; nobody who said otherwise is told anything.
        Assert.Single(left.Select(answer => answer["error"] ?? "code").Distinct());
        Assert.Equal(left[0]["error"] is null ? 1 : 0, grants.Count);
    }

    [Theory, InlineData(true), InlineData(false), Rfc(9126, "5"), Rfc(9126, "6")]
    public async Task Where_pushing_is_required_another_request_is_refused(bool byAll)
    {
        var yaml = byAll
            ? "require_pushed_authorization_requests: true\n" + App.Town
            : App.Town.Replace(
                "{ client_id: web,",
                "{ client_id: web, require_pushed_authorization_requests: true,",
                StringComparison.Ordinal);
        await using var server = await TestServer.StartAsync(yaml);
        using var ada = new Person(server);
        var (web, peer) = (App.Web(server), App.Peer(server));

        var plain = await ada.OpenAsync(web.Authorize());
        var ofAnother = await ada.OpenAsync(peer.Authorize());
        var pushed = await ada.AllowAsync(web.Pushed(await web.PushAsync()));
        var metadata = await server.Http.GetStringAsync(
            new Uri("/.well-known/oauth-authorization-server", UriKind.Relative));

        Assert.Equal("invalid_request", new Answer(plain.Left!)["error"]);
        Assert.Equal(byAll, ofAnother.Left is not null);
        Assert.NotNull(pushed.Code);
        Assert.Contains(
            $"\"require_pushed_authorization_requests\":{(byAll ? "true" : "false")}",
            metadata,
            StringComparison.Ordinal);
    }

    [Fact, Rfc(9126, "6")]
    public async Task A_client_that_registers_itself_may_ask_to_be_held_to_it()
    {
        var registered = await Registered.PostAsync(Server, """
            {"redirect_uris":["https://self.example/cb"],"token_endpoint_auth_method":"none",
             "require_pushed_authorization_requests":true}
            """);
        var wrong = await Registered.PostAsync(Server, """
            {"redirect_uris":["https://self.example/cb"],"require_pushed_authorization_requests":"yes"}
            """);
        var app = new App(Server, registered.Member("client_id")!, "https://self.example/cb");

        Assert.True(registered.Json.GetProperty("require_pushed_authorization_requests").GetBoolean());
        Assert.Equal("invalid_client_metadata", wrong.Error);
        Assert.Null((await town.Ada.OpenAsync(app.Authorize())).Page!.QuerySelector("form.consent"));
        Assert.NotNull((await town.Ada.AskedAsync(app.Pushed(await app.PushAsync()))).Form);
    }

    private async Task IsShownAsync(string address)
    {
        var stop = await town.Ada.OpenAsync(address);
        Assert.Equal((HttpStatusCode.BadRequest, null), (stop.Status, stop.Left));
        Assert.Null(stop.Page!.QuerySelector("form.consent"));
    }

    private async Task<long> RowsAsync() => (await Server.Db.FirstAsync(
        $"""
        select (select count(*) from grants) + (select count(*) from clients) + (select count(*) from used_once)
          + (select count(*) from audit_entries) + (select count(*) from sessions)
        """,
        row => Tuple.Create(row.GetInt64(0)),
        default))!.Item1;
}
