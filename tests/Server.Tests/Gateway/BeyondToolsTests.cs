using System.Net;

namespace Postern.Tests.Gateway;

/// <summary>
/// What a server offers beside tools, to a grant that is limited in data or calls: nobody says of it what it touches.
/// </summary>
public sealed class BeyondToolsTests
{
    private const string
        Mail = """[{"type":"data_access","datatypes":["mail","people"]}]""",
        Post = """[{"type":"egress","upstream":"post","methods":["GET"],"path_templates":["/boxes/*","/me"]}]""",
        Euros = """[{"type":"spend","currency":"EUR","max_total":9}]""",
        Reason = "Not allowed: the kinds of data and the calls agreed to are kept for tools alone, and this is none.";

    private static readonly string[] Modern =
    [
        "resources/list", "resources/templates/list", "resources/read", "prompts/list", "prompts/get",
        "completion/complete", "subscriptions/listen",
    ];

    private static readonly string[] Legacy = [.. Modern[..^1], "resources/subscribe", "resources/unsubscribe"];

    [Theory, Rfc(9396, "2"), InlineData(Mail), InlineData(Post)]
    public async Task Of_a_grant_that_is_limited_in_data_or_calls_nothing_but_tools_comes_through(string details)
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml);
        var token = await TokenAsync(host, details);
        var session = await host.InitializeAsync("bank", token);

        foreach (var method in Modern)
        {
            using var answer = await ModernAsync(host, token, method);
            await RefusedAsync(answer);
        }

        foreach (var method in Legacy)
        {
            using var answer = await host.LegacyAsync("bank", token, session, method, """{"uri":"a:b","name":"p"}""");
            await RefusedAsync(answer);
        }

        using var stream = await host.GetAsync("bank", token, session);
        using var mail = await host.CallAsync("bank", token, "mail");
        using var diary = await host.CallAsync("bank", token, "diary");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, stream.StatusCode);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (mail.StatusCode, diary.StatusCode));
        Assert.All(
            bank.Asked,
            method => Assert.Contains(
                method, (string[])["initialize", "server/discover", "tools/list", "tools/call"]));
    }

    [Fact]
    public async Task A_grant_that_is_limited_in_money_alone_still_reads()
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml);
        var token = await TokenAsync(host, Euros);

        using var answer = await ModernAsync(host, token, "resources/read");

        Assert.NotEqual(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("resources/read", bank.Asked);
    }

    private static async Task<string> TokenAsync(GatewayHost host, string details)
    {
        await host.ToolsOfAsync("bank");
        return host.Token(await host.GrantAsync("bank", details: details));
    }

    private static Task<HttpResponseMessage> ModernAsync(GatewayHost host, string token, string method)
    {
        var (parameters, name) = method switch
        {
            "resources/read" => ("\"uri\":\"a:b\"", "a:b"),
            "prompts/get" => ("\"name\":\"p\"", "p"),
            "completion/complete" => ("\"ref\":{}", null),
            "subscriptions/listen" => ("\"notifications\":{}", null),
            _ => ("", (string?)null),
        };
        return host.ModernAsync("bank", token, method, parameters, name);
    }

    private static async Task RefusedAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.StartsWith(Reason, (string?)(await GatewayHost.JsonOf(answer))["error"]!["message"]);
    }
}
