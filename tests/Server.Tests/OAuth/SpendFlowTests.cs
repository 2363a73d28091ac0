using System.Net;
using System.Text.Json;
using Postern.Tests.Gateway;

namespace Postern.Tests.OAuth;

/// <summary>Details beyond tools, from the request over the page to the call and the person's own page.</summary>
public sealed class SpendFlowTests : IAsyncLifetime
{
    private const string
        Exchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        Ferry = """
            {"type":"spend","currency":"EUR","max_per_tx":80,"max_total":300,"merchants":["Hven Ferry"]}
            """;

    private static readonly string Yaml = $$"""
        users:
          - { email: {{Person.Ada}}, password: {{Person.AdasPassword}} }
        clients:
          - client_id: web
            client_secret: {{App.WebSecret}}
            redirect_uris: [https://web.example/cb]
            may_act: swap
          - client_id: tv
            grant_types: ['{{Gadget.GrantType}}']
          - client_id: butler
            client_secret: {{Butler.Secret}}
            grant_types: ['{{Butler.GrantType}}']
          - client_id: swap
            client_secret: {{App.SwapSecret}}
            grant_types: ['{{Exchange}}']
            resources: [bank]
            actor: service
        """;

    private Bank bank = null!;
    private GatewayHost host = null!;
    private Person ada = null!;

    private App Web => new(host.Http, host.Issuer, "web", "https://web.example/cb", App.WebSecret);

    private string Place => $"{host.Issuer}/mcp/bank";

    public async ValueTask InitializeAsync()
    {
        bank = await Bank.StartAsync();
        host = await GatewayHost.StartAsync(bank.Yaml, Yaml);
        ada = new(host.Issuer, host.Http.BaseAddress!);
        await ada.SignInAsync();
        await host.ToolsOfAsync("bank");
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await host.DisposeAsync();
        await bank.DisposeAsync();
    }

    [Fact, Rfc(9396, "3"), Rfc(9396, "7")]
    public async Task What_may_be_spent_is_shown_and_what_is_left_of_it_stands_on_the_persons_page()
    {
        var app = Web;
        var question = await ada.AskedAsync(app.Authorize(
            ("resource", Place),
            ("authorization_details", $$"""
                [{{Ferry}},{"type":"data_access","datatypes":["mail","people"],"labels":["work"]},
                {"type":"egress","upstream":"post","methods":["GET"],"path_templates":["/me","/boxes/*"]}]
                """.ReplaceLineEndings(""))));
        var text = question.Page.Body!.TextContent;
        var answer = await ada.AnswerAsync(question, "allow", fields => fields["tool"] = ["pay", "mail"]);
        var tokens = await app.RedeemAsync(new Answer(answer.Left!).Code, ("resource", null));
        var paid = await PayAsync(tokens, 50.5m);
        var page = (await ada.OpenAsync("/me")).Page!.Body!.TextContent;

        const string Words = "With pay it may spend at most 80 EUR at a time and 300 EUR in all, at Hven Ferry. "
            + "We refuse whatever goes beyond.";
        Assert.Contains(Words, text);
        Assert.Contains("It may use these kinds of data: mail, people, labelled work.", text);
        Assert.Contains("Its tools may call post by GET at /me, /boxes/*.", text);
        Assert.DoesNotContain("pass this on", text);
        Assert.Equal(HttpStatusCode.OK, paid);
        Assert.Contains($"{Words} 249.5 EUR are left.", page);
    }

    [Fact, Rfc(9396, "6")]
    public async Task A_token_for_less_spends_less_and_one_that_leaves_it_out_spends_nothing()
    {
        var whole = await LetInAsync();
        var less = await Web.RefreshAsync(whole.RefreshToken, Details(Ferry
            .Replace(":80,", ":10,", StringComparison.Ordinal).Replace(":300,", ":65,", StringComparison.Ordinal)));
        var none = await Web.RefreshAsync(
            less.RefreshToken, Details($$"""{"type":"mcp_tool","locations":["{{Place}}"],"actions":["pay"]}"""));
        var more = await Web.RefreshAsync(
            none.RefreshToken, Details(Ferry.Replace(":300,", ":301,", StringComparison.Ordinal)));

        TokenTests.Refused(more, "invalid_authorization_details");
        Assert.Equal(HttpStatusCode.Forbidden, await PayAsync(none, 1));
        Assert.Equal(HttpStatusCode.Forbidden, await PayAsync(less, 1));
        var both = await Web.RefreshAsync(none.RefreshToken, Details(
            $$"""{"type":"mcp_tool","locations":["{{Place}}"],"actions":["pay"]}""",
            Ferry.Replace(":80,", ":10,", StringComparison.Ordinal)
                .Replace(":300,", ":65,", StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.OK, await PayAsync(whole, 60));
        Assert.Equal(HttpStatusCode.Forbidden, await PayAsync(both, 11));
        Assert.Equal(HttpStatusCode.Forbidden, await PayAsync(both, 6));
        Assert.Equal(HttpStatusCode.OK, await PayAsync(both, 5));
    }

    [Theory, Rfc(9396, "6")]
    [InlineData("""{"type":"data_access","datatypes":["mail","people"],"labels":["work"]}""")]
    [InlineData("""{"type":"egress","upstream":"post","methods":["GET"],"path_templates":["/me","/boxes/*"]}""")]
    public async Task A_token_that_leaves_out_which_data_or_calls_touches_none_and_still_reads_nothing(string detail)
    {
        var app = Web;
        var answer = await ada.AllowAsync(
            app.Authorize(("resource", Place), ("authorization_details", $"[{detail}]")), "mail", "clock");
        var whole = await app.RedeemAsync(answer.Code, ("resource", null));
        var less = await Web.RefreshAsync(
            whole.RefreshToken,
            Details($$"""{"type":"mcp_tool","locations":["{{Place}}"],"actions":["clock","mail"]}"""));

        using var before = await host.CallAsync("bank", whole.AccessToken, "mail");
        using var mail = await host.CallAsync("bank", less.AccessToken, "mail");
        using var clock = await host.CallAsync("bank", less.AccessToken, "clock");
        using var read = await host.ModernAsync("bank", less.AccessToken, "resources/read", "\"uri\":\"a:b\"", "a:b");
        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.Forbidden, HttpStatusCode.OK, HttpStatusCode.Forbidden],
            (HttpStatusCode[])[before.StatusCode, mail.StatusCode, clock.StatusCode, read.StatusCode]);
    }

    [Fact, Rfc(8693, "2.1"), Rfc(9396, "6")]
    public async Task Who_it_is_passed_on_to_spends_from_the_same_purse_and_no_more_than_its_part()
    {
        var whole = await LetInAsync();
        var part = await ExchangeAsync(whole, Details(
            $$"""{"type":"mcp_tool","locations":["{{Place}}"],"actions":["pay"]}""",
            Ferry.Replace(":300,", ":40,", StringComparison.Ordinal)));
        var silent = await ExchangeAsync(
            whole, Details($$"""{"type":"mcp_tool","locations":["{{Place}}"],"actions":["pay"]}"""));

        Assert.Equal(HttpStatusCode.Forbidden, await PayAsync(silent, 1));
        Assert.Equal(HttpStatusCode.OK, await PayAsync(part, 30));
        Assert.Equal(HttpStatusCode.Forbidden, await PayAsync(part, 20));
        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.Forbidden, HttpStatusCode.OK],
            (HttpStatusCode[])
            [
                await PayAsync(whole, 80), await PayAsync(whole, 80), await PayAsync(whole, 80),
                await PayAsync(whole, 80), await PayAsync(whole, 25),
            ]);
        Assert.Equal(HttpStatusCode.Forbidden, await PayAsync(part, 10));
        Assert.Equal(HttpStatusCode.OK, await PayAsync(part, 5));
        Assert.Equal(300m, bank.Paid.Sum());
    }

    public static TheoryData<string, string, bool> Unkept => new()
    {
        { "notes", """{"type":"spend","currency":"EUR","max_total":5}""", false },
        { "notes", """{"type":"data_access","datatypes":["mail"]}""", false },
        { "notes", """{"type":"egress","upstream":"post","methods":["GET"],"path_templates":["/me"]}""", false },
        { "bank", """{"type":"spend","currency":"SEK","max_total":5}""", true },
        { "bank", """{"type":"data_access","datatypes":["payments"]}""", true },
        { "bank", """{"type":"egress","upstream":"x","methods":["GET"],"path_templates":["/me"]}""", false },
    };

    [Theory, MemberData(nameof(Unkept)), Rfc(9396, "5")]
    public async Task What_could_not_be_kept_is_asked_of_nobody(string server, string detail, bool isKept)
    {
        (string, string?)[] asked =
            [("resource", $"{host.Issuer}/mcp/{server}"), ("authorization_details", $"[{detail}]")];
        var browser = await ada.OpenAsync(Web.Authorize(asked));
        var pushed = await Web.PushAsync(asked);
        var device = await Web.PostAsync("/device_authorization", [.. asked, ("client_id", "tv")]);
        var named = await Web.PostAsync(
            "/bc-authorize",
            [
                .. asked, ("scope", "openid mcp:read"), ("login_hint", Person.Ada), ("client_id", "butler"),
                ("client_secret", Butler.Secret),
            ]);

        string?[] errors =
        [
            browser.Left is { } left ? new Answer(left)["error"] : null, pushed.Error, device.Error, named.Error,
        ];
        Assert.All(errors, error => Assert.Equal(isKept ? null : "invalid_authorization_details", error));
        Assert.All(
            isKept ? [] : (Reply[])[pushed, device, named],
            reply => Assert.Contains("must first declare", reply.Member("error_description")));
    }

    [Fact, Rfc(9396, "10"), Rfc(9728, "2")]
    public async Task Metadata_name_the_types_that_are_kept()
    {
        async Task<string> TypesAsync(string address) => JsonElement
            .Parse(await host.Http.GetStringAsync(new Uri(address, UriKind.Relative)))
            .GetProperty("authorization_details_types_supported").GetRawText();

        const string All = """["mcp_tool","spend","data_access","egress"]""";
        Assert.Equal(All, await TypesAsync("/.well-known/oauth-protected-resource/mcp/bank"));
        Assert.Equal("""["mcp_tool"]""", await TypesAsync("/.well-known/oauth-protected-resource/mcp/notes"));
        Assert.Equal(
            """["data_access","egress","mcp_tool","spend"]""",
            await TypesAsync("/.well-known/oauth-authorization-server"));
    }

    private async Task<Reply> LetInAsync()
    {
        var app = Web;
        var answer = await ada.AllowAsync(
            app.Authorize(("resource", Place), ("authorization_details", $"[{Ferry}]")), "pay");
        return await app.RedeemAsync(answer.Code, ("resource", null));
    }

    private Task<Reply> ExchangeAsync(Reply held, params (string Name, string? Value)[] changes) => Web.PostAsync(
        "/token",
        App.With(
            changes,
            ("grant_type", Exchange),
            ("subject_token", held.AccessToken),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("client_id", "swap"),
            ("client_secret", App.SwapSecret)));

    private static (string Name, string? Value) Details(params string[] details) =>
        ("authorization_details", $"[{string.Join(',', details)}]");

    private async Task<HttpStatusCode> PayAsync(Reply reply, decimal amount)
    {
        var arguments = string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $$"""{"amount":{{amount}},"currency":"EUR","to":"Hven Ferry"}""");
        using var answer = await host.CallAsync("bank", reply.AccessToken, "pay", arguments);
        return answer.StatusCode;
    }
}
