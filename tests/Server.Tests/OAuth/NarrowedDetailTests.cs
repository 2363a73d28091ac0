using System.Net;
using System.Text.Json;
using Postern.Tests.Gateway;

namespace Postern.Tests.OAuth;

/// <summary>
/// A token for fewer details than were granted (RFC 9396 §6), in every way to a token: it says what it holds, and the
/// gateway keeps to it.
/// </summary>
public sealed class NarrowedDetailTests(NarrowedDetailTests.House house) : IClassFixture<NarrowedDetailTests.House>
{
    private const string
        Exchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        Twice = ""","constraints":{"max_calls":2,"per":"day"}""",
        Milk = ""","constraints":{"args":{"properties":{"title":{"enum":["Milk","Bread"]}}}}""";

    private static readonly string Yaml = $$"""
        users:
          - { email: {{Person.Ada}}, password: {{Person.AdasPassword}} }
        clients:
          - client_id: web
            client_secret: {{App.WebSecret}}
            redirect_uris: [https://web.example/cb]
            may_act: swap
          - { client_id: native, redirect_uris: [http://127.0.0.1:8765/callback] }
          - { client_id: bench, client_secret: {{App.BenchSecret}}, grant_types: [client_credentials],
              resources: [notes] }
          - client_id: swap
            client_secret: {{App.SwapSecret}}
            grant_types: ['{{Exchange}}']
            resources: [notes]
            actor: service
          - client_id: watch
            client_secret: {{App.WatchSecret}}
            grant_types: [client_credentials]
            introspects: [notes]
        """;

    private GatewayHost Host => house.Host;

    private string Notes => $"{Host.Issuer}/mcp/notes";

    private App Web => new(Host.Http, Host.Issuer, "web", "https://web.example/cb", App.WebSecret);

    [Fact, Rfc(9396, "6"), Rfc(9396, "7"), Rfc(9396, "9.1"), Rfc(9396, "9.2")]
    [Combines("secret", "RAR", "code", "refresh")]
    public async Task A_code_brings_a_token_for_less_and_a_refresh_one_for_all_again()
    {
        var (app, code) = await CodeAsync(Tool("read_note"), Tool("add_note", Milk));

        var first = await app.RedeemAsync(code, ("resource", null), Details(Tool("add_note", Milk)));
        var all = await app.RefreshAsync(first.RefreshToken);
        var less = await app.RefreshAsync(all.RefreshToken, Details(Tool("read_note")));

        foreach (var (reply, tools) in (IEnumerable<(Reply, string)>)
            [(first, "add_note"), (all, "add_note read_note"), (less, "read_note")])
        {
            Assert.Equal(tools, string.Join(' ', Tools(reply.Json).Order()));
            Assert.Equal(tools, string.Join(' ', Tools(reply.Claims).Order()));
            var watch = new App(Host.Http, Host.Issuer, "watch", "", App.WatchSecret);
            Assert.Equal(
                tools, string.Join(' ', Tools((await watch.IntrospectAsync(reply.AccessToken)).Json).Order()));
        }

        Assert.Equal(HttpStatusCode.OK, await CallAsync(first, "add_note", """{"title":"Milk","text":"x"}"""));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync(first, "read_note", """{"number":1}"""));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(less, "read_note", """{"number":1}"""));
        Assert.Equal(
            HttpStatusCode.Forbidden, await CallAsync(less, "add_note", """{"title":"Milk","text":"x"}"""));
        Assert.Equal(["read_note"], await ListAsync(less));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(all, "read_note", """{"number":1}"""));
    }

    [Theory, Rfc(9396, "5"), Rfc(9396, "6")]
    [InlineData("a tool that was not granted"), InlineData("a limit left out"), InlineData("a value more")]
    [InlineData("another place"), InlineData("another tenant's place"), InlineData("two places")]
    [InlineData("a count left out"), InlineData("a count of its own"), InlineData("a greater count")]
    [InlineData("another type"), InlineData("one within and one beyond"), InlineData("an unknown type")]
    [InlineData("an unknown member"), InlineData("an empty list"), InlineData("an object"), InlineData("no JSON")]
    [InlineData("too long"), InlineData("a member twice")]
    public async Task What_was_not_granted_is_refused_and_nothing_is_used_up(string what)
    {
        var (app, code) = await CodeAsync(Tool("read_note"), Tool("add_note", Milk), Tool("list_notes", Twice));
        var asked = what switch
        {
            "a tool that was not granted" => Tool("delete_note"),
            "a limit left out" => Tool("add_note"),
            "a value more" => Tool(
                "add_note", Milk.Replace("[\"Milk\"", "[\"Tea\",\"Milk\"", StringComparison.Ordinal)),
            "another place" => Tool("read_note").Replace(Notes, Host.Issuer + "/mcp/other", StringComparison.Ordinal),
            "another tenant's place" =>
                Tool("read_note").Replace(Notes, Host.Issuer + "/t/acme/mcp/notes", StringComparison.Ordinal),
            "two places" => Tool("read_note").Replace(
                $"[\"{Notes}\"]", $"[\"{Notes}\",\"https://elsewhere.example\"]", StringComparison.Ordinal),
            "a count left out" => Tool("list_notes"),
            "a count of its own" => Tool("read_note", Twice),
            "a greater count" => Tool("list_notes", Twice.Replace("2", "3", StringComparison.Ordinal)),
            "another type" => """{"type":"spend","currency":"EUR","max_total":1}""",
            "one within and one beyond" => Tool("read_note") + "," + Tool("delete_note"),
            "an unknown type" => """{"type":"unheard_of"}""",
            "an unknown member" => Tool("read_note", ",\"more\":1"),
            "an empty list" => "",
            "too long" => string.Join(',', Enumerable.Repeat(Tool("read_note", new string(' ', 300)), 10)),
            "a member twice" => Tool("read_note", ",\"type\":\"mcp_tool\""),
            _ => what,
        };
        var text = what is "an object" ? Tool("read_note") : what is "no JSON" ? "[" : $"[{asked}]";

        TokenTests.Refused(
            await app.RedeemAsync(code, ("resource", null), ("authorization_details", text)),
            "invalid_authorization_details");
        var tokens = await app.RedeemAsync(code, ("resource", null));
        Assert.Equal(HttpStatusCode.OK, tokens.Status);
        TokenTests.Refused(
            await app.RefreshAsync(tokens.RefreshToken, ("authorization_details", text)),
            "invalid_authorization_details");
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(tokens.RefreshToken)).Status);
    }

    [Fact, Rfc(9396, "6")]
    public async Task A_client_that_acts_as_itself_may_take_one_tool_along()
    {
        var bench = new App(Host.Http, Host.Issuer, "bench", "", App.BenchSecret);

        var one = await bench.AsItselfAsync(Details(Tool("list_notes")));
        var all = await bench.AsItselfAsync();
        var spend = await bench.AsItselfAsync(Details("""{"type":"spend","currency":"EUR","max_total":1}"""));
        var counted = await bench.AsItselfAsync(Details(Tool("list_notes", Twice)));

        Assert.Equal(["list_notes"], Tools(one.Claims));
        Assert.Equal(["list_notes"], await ListAsync(one));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(one, "list_notes", "{}"));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync(one, "add_note", """{"title":"a","text":"x"}"""));
        Assert.False(all.Json.TryGetProperty("authorization_details", out _));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(all, "add_note", """{"title":"a","text":"x"}"""));
        TokenTests.Refused(spend, "invalid_authorization_details");
        TokenTests.Refused(counted, "invalid_authorization_details");
    }

    [Fact, Rfc(8693, "2.1"), Rfc(9396, "6")]
    public async Task What_a_token_does_not_hold_is_not_passed_on()
    {
        var (app, code) = await CodeAsync(Tool("read_note"), Tool("list_notes"), Tool("add_note", Milk));
        var held = await app.RedeemAsync(code, ("resource", null), Details(Tool("read_note"), Tool("list_notes")));

        var passed = await ExchangeAsync(held.AccessToken);
        var less = await ExchangeAsync(held.AccessToken, Details(Tool("list_notes")));
        var again = await ExchangeAsync(held.AccessToken, Details(Tool("list_notes")));
        var more = await ExchangeAsync(held.AccessToken, Details(Tool("add_note", Milk)));

        Assert.Equal("list_notes read_note", string.Join(' ', Tools(passed.Claims).Order()));
        Assert.Equal(["list_notes"], Tools(less.Json));
        Assert.Equal(["list_notes"], Tools(less.Claims));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(less, "list_notes", "{}"));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync(less, "read_note", """{"number":1}"""));
        Assert.Equal(
            HttpStatusCode.Forbidden, await CallAsync(passed, "add_note", """{"title":"Milk","text":"x"}"""));
        TokenTests.Refused(more, "invalid_authorization_details");
        // The same is the same grant again; less is another.
        Assert.Equal(GrantOf(less), GrantOf(again));
        Assert.NotEqual(GrantOf(less), GrantOf(passed));
    }

    [Fact]
    public async Task However_a_limit_is_cut_up_and_passed_on_there_are_no_more_calls_than_were_agreed_to()
    {
        var (app, code) = await CodeAsync(Tool("read_note"), Tool("list_notes", Twice));
        var all = await app.RedeemAsync(code, ("resource", null));
        var doubled = await app.RefreshAsync(
            all.RefreshToken, Details(Tool("list_notes", Twice), Tool("list_notes", Twice)));
        var passed = await ExchangeAsync(
            all.AccessToken, Details(Tool("list_notes", Twice), Tool("list_notes", Twice), Tool("read_note")));

        var statuses = await Task.WhenAll(((Reply[])[all, doubled, passed])
            .SelectMany(reply => Enumerable.Range(0, 4).Select(_ => CallAsync(reply, "list_notes", "{}"))));

        Assert.Equal(2, statuses.Count(status => status is HttpStatusCode.OK));
    }

    [Fact]
    public async Task A_token_that_says_more_than_its_grant_reaches_no_tool()
    {
        await Host.ToolsOfAsync("notes");
        var grant = await Host.GrantAsync("notes", tools: ["list_notes"]);
        var token = Host.Token(grant with { Tools = ["list_notes", "read_note"] });

        using var beyond = await Host.CallAsync("notes", token, "read_note", """{"number":1}""");
        using var within = await Host.CallAsync("notes", token, "list_notes");
        using var good = await Host.CallAsync("notes", Host.Token(grant), "list_notes");

        Assert.Equal(HttpStatusCode.Forbidden, beyond.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, within.StatusCode);
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
    }

    [Fact, Rfc(9396, "10"), Rfc(9728, "2")]
    public async Task A_resource_names_the_type_that_is_kept_there()
    {
        var metadata = JsonElement.Parse(await Host.Http.GetStringAsync(
            new Uri("/.well-known/oauth-protected-resource/mcp/notes", UriKind.Relative)));

        Assert.Equal("""["mcp_tool"]""", metadata.GetProperty("authorization_details_types_supported").GetRawText());
    }

    private async Task<(App App, string Code)> CodeAsync(params string[] granted)
    {
        var app = Web;
        await Host.ToolsOfAsync("notes");
        var text = $"[{string.Join(',', granted)}]";
        var answer = await house.Ada.AllowAsync(
            app.Authorize(("resource", Notes), ("authorization_details", text)),
            [.. ((string[])["add_note", "list_notes", "read_note"]).Where(text.Contains)]);
        return (app, answer.Code);
    }

    private Task<Reply> ExchangeAsync(string token, params (string Name, string? Value)[] changes) => Web.PostAsync(
        "/token",
        App.With(
            changes,
            ("grant_type", Exchange),
            ("subject_token", token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("client_id", "swap"),
            ("client_secret", App.SwapSecret)));

    private string Tool(string name, string more = "") =>
        $$"""{"type":"mcp_tool","locations":["{{Notes}}"],"actions":["{{name}}"]{{more}}}""";

    private static (string Name, string? Value) Details(params string[] details) =>
        ("authorization_details", $"[{string.Join(',', details)}]");

    private async Task<HttpStatusCode> CallAsync(Reply reply, string tool, string arguments)
    {
        using var call = await Host.CallAsync("notes", reply.AccessToken, tool, arguments);
        return call.StatusCode;
    }

    private async Task<string[]> ListAsync(Reply reply)
    {
        using var list = await Host.ModernAsync("notes", reply.AccessToken, "tools/list");
        return [.. (await GatewayHost.JsonOf(list))["result"]!["tools"]!.AsArray()
            .Select(tool => (string)tool!["name"]!)];
    }

    private static string GrantOf(Reply reply) => reply.Claims.GetProperty("grant_id").GetString()!;

    private static string[] Tools(JsonElement json) =>
        [.. json.GetProperty("authorization_details").EnumerateArray()
            .SelectMany(detail => detail.GetProperty("actions").EnumerateArray())
            .Select(action => action.GetString()!)];

    /// <summary>One server with the notes, and a person.</summary>
    public sealed class House : IAsyncLifetime
    {
        internal GatewayHost Host { get; private set; } = null!;

        internal Person Ada { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Host = await GatewayHost.StartAsync("  []", Yaml);
            Ada = new(Host.Issuer, Host.Http.BaseAddress!);
            await Ada.SignInAsync();
        }

        public async ValueTask DisposeAsync()
        {
            Ada.Dispose();
            await Host.DisposeAsync();
        }
    }
}
