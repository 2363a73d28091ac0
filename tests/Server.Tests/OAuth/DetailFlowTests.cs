using System.Net;
using System.Text.Json;
using Postern.Tests.Gateway;

namespace Postern.Tests.OAuth;

/// <summary>Authorization details from the request over the person's answer to the call (RFC 9396).</summary>
public sealed class DetailFlowTests
{
    private const string Yaml = $$"""
        users:
          - { email: {{Person.Ada}}, password: {{Person.AdasPassword}} }
        clients:
          - { client_id: native, redirect_uris: [http://127.0.0.1:8765/callback] }
          - client_id: watch
            client_secret: {{App.WatchSecret}}
            grant_types: [client_credentials]
            introspects: [notes]
        """;

    [Theory, OnBoth, Rfc(9396, "3"), Rfc(9396, "6"), Rfc(9396, "7"), Rfc(9396, "9.1"), Rfc(9396, "9.2")]
    [Combines("none", "PAR", "RAR", "code", "refresh")]
    public async Task What_is_asked_in_detail_is_shown_granted_echoed_and_kept(On on)
    {
        await using var host = await GatewayHost.StartAsync("  []", Yaml, on);
        await host.ToolsOfAsync("notes");
        using var ada = new Person(host.Issuer, host.Http.BaseAddress!);
        var app = new App(host.Http, host.Issuer, "native", "http://127.0.0.1:8765/callback");
        var asked = Details(host.Issuer);

        var pushed = await app.PushAsync(("resource", $"{host.Issuer}/mcp/notes"), ("authorization_details", asked));
        var question = await ada.AskedAsync(app.Pushed(pushed));
        var text = question.Page.Body!.TextContent;
        var answer = await ada.AnswerAsync(question, "allow", fields => fields["tool"] = ["add_note", "read_note"]);
        var tokens = await app.RedeemAsync(new Answer(answer.Left!).Code, ("resource", null));

        // Only what was asked for can be allowed, and every limit is said in words.
        Assert.Equal(["add_note", "delete_note", "read_note"], question.Tools.Select(tool => tool.Name).Order());
        Assert.Contains("add_note: only with title Milk or Bread; at most 2 times in a hour.", text);

        // What the person left on is what token, answer and introspection say.
        var granted = tokens.Json.GetProperty("authorization_details");
        Assert.Equal(["add_note", "read_note"], Actions(granted).Order());
        Assert.Equal(granted.ToString(), tokens.Claims.GetProperty("authorization_details").ToString());
        var watch = new App(host.Http, host.Issuer, "watch", "", App.WatchSecret);
        var seen = await watch.IntrospectAsync(tokens.AccessToken);
        Assert.Equal(granted.ToString(), seen.Json.GetProperty("authorization_details").ToString());
        Assert.Equal(HttpStatusCode.OK, await CallAsync("read_note", """{"number":1}"""));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync("delete_note", """{"number":1}"""));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync("list_notes", "{}"));

        // Limits on arguments are judged before calls are counted.
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync("add_note", """{"title":"Wine","text":"x"}"""));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync("add_note", """{"text":"x"}"""));
        Assert.Equal(HttpStatusCode.OK, await CallAsync("add_note", """{"title":"Milk","text":"x"}"""));
        Assert.Equal(HttpStatusCode.OK, await CallAsync("add_note", """{"title":"Bread","text":"x"}"""));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync("add_note", """{"title":"Milk","text":"x"}"""));
        host.Clock.Advance(TimeSpan.FromHours(1));
        var next = await app.RefreshAsync(tokens.RefreshToken);
        Assert.Equal(granted.ToString(), next.Json.GetProperty("authorization_details").ToString());
        tokens = next;
        Assert.Equal(HttpStatusCode.OK, await CallAsync("add_note", """{"title":"Milk","text":"x"}"""));

        async Task<HttpStatusCode> CallAsync(string tool, string arguments)
        {
            using var call = await host.CallAsync("notes", tokens.AccessToken, tool, arguments);
            return call.StatusCode;
        }
    }

    [Fact, Rfc(9396, "3.1"), Rfc(9396, "12")]
    public async Task Details_and_scopes_stand_on_one_page_and_nothing_in_them_is_markup()
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(
            bank.Yaml, Yaml.Replace("introspects: [notes]", "introspects: [bank]", StringComparison.Ordinal));
        await host.ToolsOfAsync("bank");
        using var ada = new Person(host.Issuer, host.Http.BaseAddress!);
        var app = new App(host.Http, host.Issuer, "native", "http://127.0.0.1:8765/callback");
        const string Spend = """
            [{"type":"spend","currency":"EUR","max_total":9,
            "merchants":["<img src=x onerror=alert(1)>Shop\u202e","a\"><script>alert(1)</script>"]}]
            """;

        var question = await ada.AskedAsync(app.Authorize(
            ("scope", "mcp:read"),
            ("resource", $"{host.Issuer}/mcp/bank"),
            ("authorization_details", Spend.ReplaceLineEndings(""))));

        var page = question.Page;
        Assert.Contains("With pay it may spend at most 9 EUR in all, at Shop, a", page.Body!.TextContent);
        Assert.Contains("payments", question.Tools.Select(tool => tool.Name));
        Assert.DoesNotContain("pay", question.Tools.Select(tool => tool.Name));
        Assert.Empty(page.QuerySelectorAll("img, script:not([src]), [onerror]"));
        Assert.DoesNotContain('\u202e', page.Body!.TextContent);
    }

    [Theory, OnBoth]
    public async Task Of_fifty_calls_at_once_as_many_are_made_as_were_agreed_to(On on)
    {
        await using var host = await GatewayHost.StartAsync("  []", Yaml, on);
        await host.ToolsOfAsync("notes");
        using var ada = new Person(host.Issuer, host.Http.BaseAddress!);
        var app = new App(host.Http, host.Issuer, "native", "http://127.0.0.1:8765/callback");
        var resource = $"{host.Issuer}/mcp/notes";
        var details = $$$"""[{"type":"mcp_tool","locations":["{{{resource}}}"],"actions":["list_notes"]"""
            + ""","constraints":{"max_calls":5,"per":"day"}}]""";
        var answer = await ada.AllowAsync(
            app.Authorize(("resource", resource), ("authorization_details", details)), "list_notes");
        var token = (await app.RedeemAsync(answer.Code, ("resource", null))).AccessToken;

        var statuses = await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            using var call = await host.CallAsync("notes", token, "list_notes", id: $"{i}");
            return call.StatusCode;
        }));

        Assert.Equal(5, statuses.Count(status => status is HttpStatusCode.OK));
        Assert.Equal(45, statuses.Count(status => status is HttpStatusCode.Forbidden));
    }

    [Fact, Rfc(9396, "5")]
    public async Task Tools_that_the_server_does_not_have_cannot_be_allowed()
    {
        await using var host = await GatewayHost.StartAsync("  []", Yaml);
        await host.ToolsOfAsync("notes");
        using var ada = new Person(host.Issuer, host.Http.BaseAddress!);
        var app = new App(host.Http, host.Issuer, "native", "http://127.0.0.1:8765/callback");
        var resource = $"{host.Issuer}/mcp/notes";
        var details = $$"""[{"type":"mcp_tool","locations":["{{resource}}"],"actions":["no_such_tool"]}]""";

        var question = await ada.AskedAsync(app.Authorize(("resource", resource), ("authorization_details", details)));
        var stop = await ada.AnswerAsync(question, "allow", fields => fields["tool"] = ["list_notes", "no_such_tool"]);

        Assert.Empty(question.Tools);
        Assert.Null(stop.Left);
    }

    private static string Details(string issuer) => $$$$"""
        [{"type":"mcp_tool","locations":["{{{{issuer}}}}/mcp/notes"],"actions":["add_note"],"constraints":{
        "args":{"properties":{"title":{"enum":["Milk","Bread"]}}},"max_calls":2,"per":"hour"}},
        {"type":"mcp_tool","locations":["{{{{issuer}}}}/mcp/notes"],"actions":["read_note","delete_note"]}]
        """.ReplaceLineEndings("");

    private static IEnumerable<string> Actions(JsonElement details) => details.EnumerateArray()
        .Where(detail => detail.GetProperty("type").GetString() is "mcp_tool")
        .SelectMany(detail => detail.GetProperty("actions").EnumerateArray().Select(action => action.GetString()!));
}
