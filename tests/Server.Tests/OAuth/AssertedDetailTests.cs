using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Tests.Gateway;

namespace Postern.Tests.OAuth;

/// <summary>
/// Authorization details in what others assert, and in what is told to others (ID-JAG §3.1, RFC 9396): they narrow,
/// and what is not understood of them lets nobody in.
/// </summary>
public sealed class AssertedDetailTests(AssertedDetailTests.House house) : IClassFixture<AssertedDetailTests.House>
{
    private const string
        Secret = "connector-secret-connector-secret-conn",
        Elsewhere = "https://else.example",
        RefreshToken = "urn:ietf:params:oauth:token-type:refresh_token",
        AccessToken = "urn:ietf:params:oauth:token-type:access_token";

    private static readonly Outside Outside = new();

    private static readonly string Yaml = $$"""
        trust_domain: inside.example
        users:
          - { email: {{Person.Ada}}, password: {{Person.AdasPassword}} }
        clients:
          - { client_id: connector, client_secret: {{Secret}}, grant_types: ['{{Borough.JwtBearer}}'] }
          - client_id: web
            client_secret: {{App.WebSecret}}
            redirect_uris: [https://web.example/cb]
            grant_types: [authorization_code, refresh_token, '{{Borough.Exchange}}']
            introspects: [notes]
        trusted_issuers:
          - { issuer: https://idp.example, kind: idp, jwks: '{{Outside.Jwks}}', resources: [notes, bank],
              scope: mcp:read mcp:write, email_domains: [example.test] }
          - { issuer: https://as.example, kind: authorization_server, jwks: '{{Outside.Jwks}}',
              resources: [notes, bank], scope: mcp:read mcp:write, email_domains: [example.test] }
          - { issuer: https://platform.example, kind: workload, jwks: '{{Outside.Jwks}}', resources: [notes, bank],
              scope: mcp:read mcp:write }
        asserts_to:
          - { issuer: {{Elsewhere}}, resources: ['{{Elsewhere}}/mcp'], scope: mcp:read, clients: { web: there } }
        """;

    private GatewayHost Host => house.Host;

    private string Notes => $"{Host.Issuer}/mcp/notes";

    private App Web => new(Host.Http, Host.Issuer, "web", "https://web.example/cb", App.WebSecret);

    [Theory, Rfc("ID-JAG", "4.4.1"), Rfc(9396, "7"), Combines("assertion", "RAR", "secret")]
    [InlineData("https://idp.example"), InlineData("https://as.example"), InlineData("https://platform.example")]
    public async Task What_an_issuer_says_in_detail_is_all_that_it_lets_anybody_do(string issuer)
    {
        var reply = await PresentAsync(issuer, $"[{Tool("read_note")},{Tool("list_notes")}]");
        var all = await PresentAsync(issuer, null);
        var less = await PresentAsync(
            issuer,
            $"[{Tool("read_note")},{Tool("list_notes")}]",
            ("authorization_details", $"[{Tool("list_notes")}]"));

        Assert.Equal("list_notes read_note", Tools(reply.Json));
        Assert.Equal("list_notes read_note", Tools(reply.Claims));
        Assert.Equal("list_notes", Tools(less.Claims));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(reply, "list_notes", "{}"));
        Assert.NotEqual(HttpStatusCode.OK, await CallAsync(reply, "add_note", """{"title":"a","text":"x"}"""));
        Assert.NotEqual(HttpStatusCode.OK, await CallAsync(less, "read_note", """{"number":1}"""));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(all, "add_note", """{"title":"a","text":"x"}"""));
    }

    [Theory, Rfc("ID-JAG", "4.4.1"), Rfc(9396, "5")]
    [InlineData("an unknown type"), InlineData("an unknown member"), InlineData("another resource")]
    [InlineData("one of two at another resource"), InlineData("two places"), InlineData("none"), InlineData("a text")]
    [InlineData("an object"), InlineData("null"), InlineData("more than a token can hold")]
    public async Task What_is_not_understood_of_it_lets_nobody_in(string what)
    {
        var other = Tool("read_note").Replace(Notes, Host.Issuer + "/mcp/other", StringComparison.Ordinal);
        var said = what switch
        {
            "an unknown type" => """[{"type":"chat_read"}]""",
            "an unknown member" => $"[{Tool("read_note", ",\"more\":1")}]",
            "another resource" => $"[{other}]",
            "one of two at another resource" => $"[{Tool("read_note")},{other}]",
            "two places" => $"[{Tool("read_note").Replace($"\"{Notes}\"", $"\"{Notes}\",\"https://x.example\"")}]",
            "none" => "[]",
            "a text" => JsonSerializer.Serialize($"[{Tool("read_note")}]"),
            "an object" => Tool("read_note"),
            "null" => "null",
            _ => $"[{string.Join(',', Enumerable.Range(0, 16).Select(i => Tool(new string('t', 190) + i)))}]",
        };

        foreach (var issuer in (string[])["https://idp.example", "https://platform.example"])
        {
            TokenTests.Refused(await PresentAsync(issuer, said), "invalid_grant");
        }
    }

    [Theory, Rfc("ID-JAG", "4.4.1"), Rfc(9396, "5")]
    [InlineData("""{"type":"spend","currency":"EUR","max_total":5}""")]
    [InlineData("""{"type":"data_access","datatypes":["payments"]}""")]
    [InlineData("""{"type":"egress","upstream":"post","methods":["GET"],"path_templates":["/me","/boxes/*"]}""")]
    public async Task What_names_no_tool_brings_none_and_with_one_that_alone(string detail)
    {
        var place = $"{Host.Issuer}/mcp/bank";
        var tool = Tool("clock").Replace(Notes, place, StringComparison.Ordinal);
        foreach (var issuer in (string[])["https://idp.example", "https://as.example", "https://platform.example"])
        {
            TokenTests.Refused(await PresentAtAsync(place, issuer, $"[{detail}]"), "invalid_grant");
            var named = await PresentAtAsync(place, issuer, $"[{tool},{detail}]");

            using var clock = await Host.CallAsync("bank", named.AccessToken, "clock");
            using var payments = await Host.CallAsync("bank", named.AccessToken, "payments");
            Assert.Equal(HttpStatusCode.OK, clock.StatusCode);
            Assert.Contains("\"error\"", await payments.Content.ReadAsStringAsync());
        }
    }

    [Fact, Rfc("ID-JAG", "4.4.1")]
    public async Task A_client_takes_no_more_than_was_asserted_and_one_wide_word_makes_no_narrow_one_wider()
    {
        const string issuer = "https://idp.example";
        var more = await PresentAsync(
            issuer, $"[{Tool("read_note")}]", ("authorization_details", $"[{Tool("add_note")}]"));
        var narrow = await PresentAsync(issuer, $"[{Tool("read_note")}]");
        var wide = await PresentAsync(issuer, null);
        var again = await PresentAsync(issuer, $"[{Tool("read_note")}]");

        TokenTests.Refused(more, "invalid_authorization_details");
        Assert.NotEqual(GrantOf(narrow), GrantOf(wide));
        Assert.Equal(GrantOf(narrow), GrantOf(again));
        Assert.NotEqual(HttpStatusCode.OK, await CallAsync(narrow, "list_notes", "{}"));
    }

    [Fact, Rfc("ID-JAG", "4.4.1")]
    public async Task Calls_that_an_issuer_counts_are_counted_for_all_tokens_of_its_word()
    {
        var counted = $"[{Tool("list_notes", ""","constraints":{"max_calls":2,"per":"day"}""")}]";
        var (one, two) = (
            await PresentAsync("https://as.example", counted), await PresentAsync("https://as.example", counted));

        var statuses = await Task.WhenAll(((Reply[])[one, two])
            .SelectMany(reply => Enumerable.Range(0, 3).Select(_ => CallAsync(reply, "list_notes", "{}"))));

        Assert.Equal(2, statuses.Count(status => status is HttpStatusCode.OK));
    }

    [Fact, Rfc("ID-JAG", "4.3.1"), Rfc("ID-JAG", "4.3.3"), Combines("ID-JAG issued", "RAR", "refresh")]
    public async Task Others_are_told_of_tools_at_the_one_resource_and_of_nothing_else()
    {
        var tokens = await LetInAsync();
        var there = Tool("look").Replace(Notes, Elsewhere + "/mcp", StringComparison.Ordinal);

        var told = await TellAsync(tokens, $"[{there}]");
        var here = await TellAsync(tokens, $"[{Tool("read_note")}]");
        var spend = await TellAsync(tokens, """[{"type":"spend","currency":"EUR","max_total":1}]""");
        var plain = await TellAsync(tokens, null);

        Assert.Equal($"[{there}]", told.Claims.GetProperty("authorization_details").GetRawText());
        Assert.Equal($"[{there}]", told.Json.GetProperty("authorization_details").GetRawText());
        TokenTests.Refused(here, "invalid_authorization_details");
        TokenTests.Refused(spend, "invalid_authorization_details");
        Assert.False(plain.Claims.TryGetProperty("authorization_details", out _));
    }

    [Fact, Rfc("OAuth Transaction Tokens", "4.2"), Combines("transaction token", "RAR", "code")]
    public async Task What_is_handed_on_holds_what_the_token_that_was_sent_held_or_less()
    {
        var tokens = await LetInAsync(Tool("read_note"), Tool("list_notes"));

        var all = await HandOnAsync(tokens, null);
        var less = await HandOnAsync(tokens, $"[{Tool("list_notes")}]");
        var more = await HandOnAsync(tokens, $"[{Tool("add_note")}]");

        Assert.Equal("list_notes read_note", Tools(all.Claims));
        Assert.Equal("list_notes", Tools(less.Claims));
        Assert.Equal("list_notes", Tools(less.Json));
        TokenTests.Refused(more, "invalid_authorization_details");
    }

    private async Task<Reply> LetInAsync(params string[] details)
    {
        await Host.ToolsOfAsync("notes");
        var app = Web;
        (string, string?)[] asked = details is []
            ? [("resource", Notes)]
            : [("resource", Notes), ("authorization_details", $"[{string.Join(',', details)}]")];
        return await app.RedeemAsync((await house.Ada.AllowAsync(app.Authorize(asked))).Code, ("resource", null));
    }

    private Task<Reply> TellAsync(Reply tokens, string? details) => ExchangeAsync(
        ("subject_token", tokens.RefreshToken), ("subject_token_type", RefreshToken),
        ("requested_token_type", Borough.IdJag), ("audience", Elsewhere), ("authorization_details", details));

    private Task<Reply> HandOnAsync(Reply tokens, string? details) => ExchangeAsync(
        ("subject_token", tokens.AccessToken), ("subject_token_type", AccessToken),
        ("requested_token_type", Borough.TxnToken), ("audience", "inside.example"), ("scope", "mcp:read"),
        ("authorization_details", details));

    private Task<Reply> ExchangeAsync(params (string Name, string? Value)[] fields) => Web.PostAsync(
        "/token",
        [.. fields, ("grant_type", Borough.Exchange), ("client_id", "web"), ("client_secret", App.WebSecret)]);

    private Task<Reply> PresentAsync(
        string issuer, string? details, params (string Name, string? Value)[] more) =>
        PresentAtAsync(Notes, issuer, details, more);

    private async Task<Reply> PresentAtAsync(
        string place, string issuer, string? details, params (string Name, string? Value)[] more)
    {
        await Host.ToolsOfAsync(place.Split('/')[^1]);
        var (now, isIdp) = (Host.Clock.GetUtcNow().ToUnixTimeSeconds(), issuer is "https://idp.example");
        var claims = new JsonObject
        {
            ["iss"] = issuer,
            ["sub"] = "u-1",
            ["email"] = Person.Ada,
            ["email_verified"] = true,
            ["aud"] = Host.Issuer,
            ["resource"] = place,
            ["iat"] = now,
            ["exp"] = now + 300,
            ["jti"] = Guid.NewGuid().ToString(),
        };
        if (isIdp)
        {
            claims["client_id"] = "connector";
        }

        if (details is not null)
        {
            claims["authorization_details"] = JsonNode.Parse(details);
        }

        var client = issuer is "https://platform.example" ? null : "connector";
        return await Web.PostAsync(
            "/token",
            [
                ("grant_type", Borough.JwtBearer),
                ("assertion", Outside.Sign(claims, isIdp ? "oauth-id-jag+jwt" : "JWT")),
                ("client_id", client),
                ("client_secret", client is null ? null : Secret),
                .. more,
            ]);
    }

    private string Tool(string name, string more = "") =>
        $$"""{"type":"mcp_tool","locations":["{{Notes}}"],"actions":["{{name}}"]{{more}}}""";

    private async Task<HttpStatusCode> CallAsync(Reply reply, string tool, string arguments)
    {
        using var call = await Host.CallAsync("notes", reply.AccessToken, tool, arguments);
        var body = await call.Content.ReadAsStringAsync();
        return body.Contains("\"error\"", StringComparison.Ordinal) ? HttpStatusCode.Forbidden : call.StatusCode;
    }

    private static string GrantOf(Reply reply) => reply.Claims.GetProperty("grant_id").GetString()!;

    private static string Tools(JsonElement json) => string.Join(' ', json.GetProperty("authorization_details")
        .EnumerateArray()
        .SelectMany(detail => detail.GetProperty("actions").EnumerateArray().Select(action => action.GetString()))
        .Order());

    /// <summary>A server with the notes and a bank, and a person.</summary>
    public sealed class House : IAsyncLifetime
    {
        private Bank bank = null!;

        internal GatewayHost Host { get; private set; } = null!;

        internal Person Ada { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            bank = await Bank.StartAsync();
            Host = await GatewayHost.StartAsync(bank.Yaml, Yaml);
            Ada = new(Host.Issuer, Host.Http.BaseAddress!);
            await Ada.SignInAsync();
        }

        public async ValueTask DisposeAsync()
        {
            Ada.Dispose();
            await Host.DisposeAsync();
            await bank.DisposeAsync();
        }
    }
}
