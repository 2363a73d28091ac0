using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Postern.Audit;
using Postern.Platform.Database;
using Postern.Policy;

namespace Postern.Tests.Gateway;

/// <summary>What was agreed to be spent, at a server that really pays: no more, whatever happens.</summary>
public sealed class SpendTests
{
    private const string Euros = """[{"type":"spend","currency":"EUR","max_per_tx":800,"max_total":1000}]""";

    [Theory, OnBoth, Rfc(9396, "2")]
    public async Task Of_800_agreed_to_at_a_time_800_is_let_through_and_801_is_refused(On on)
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml, on: on);
        var token = await TokenAsync(host, Euros);

        var beyond = await PayAsync(host, token, "801");
        var within = await PayAsync(host, token, "800");
        var overall = await PayAsync(host, token, "200.01");
        var rest = await PayAsync(host, token, "200.00");
        var cent = await PayAsync(host, token, "0.01");

        Assert.Equal(
            [403, 200, 403, 200, 403], (int[])[beyond.Status, within.Status, overall.Status, rest.Status, cent.Status]);
        Assert.Equal([800m, 200m], bank.Paid);
        Assert.Contains("it costs 801 EUR, and at most 800 EUR at a time were agreed to", beyond.Message);
        Assert.Contains("it costs 200.01 EUR, and of the 1000 EUR agreed to in all 200 EUR are left", overall.Message);
        Assert.Equal(
            """{"type":"spend","member":"max_total","limit":1000,"left":0,"asked":0.01,"currency":"EUR"}""",
            cent.Data);
        var entries = await RecordsAsync(host, "tool.call.decision");
        Assert.Equal(
            ["801", "800", "200.01", "200", "0.01"], entries.Select(entry => (string?)entry["spend"]!["amount"]));
        Assert.Equal(
            ["deny", "allow", "deny", "allow", "deny"],
            entries.Select(entry => (string?)entry["decision"]!["effect"]));
    }

    [Theory, OnBoth]
    public async Task Of_fifty_payments_at_once_no_more_leave_than_were_agreed_to(On on)
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml, on: on);
        var token = await TokenAsync(host, """[{"type":"spend","currency":"EUR","max_total":70.7}]""");

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => PayAsync(host, token, "10.1", $"{i}")));

        Assert.Equal(7, answers.Count(answer => answer.Status is 200));
        Assert.Equal(43, answers.Count(answer => answer.Status is 403));
        Assert.Equal(70.7m, bank.Paid.Sum());
    }

    [Fact]
    public async Task Two_nodes_spend_from_one_purse()
    {
        await using var bank = await Bank.StartAsync();
        await using var one = await GatewayHost.StartAsync(bank.Yaml, on: On.Postgres);
        await using var two = await GatewayHost.StartAsync(bank.Yaml, like: one);
        await two.ToolsOfAsync("bank");
        var token = await TokenAsync(one, """[{"type":"spend","currency":"EUR","max_total":70.7}]""");

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(i => PayAsync(i % 2 is 0 ? one : two, token, "10.1", $"{i}")));

        Assert.Equal(7, answers.Count(answer => answer.Status is 200));
        Assert.Equal(70.7m, bank.Paid.Sum());
    }

    [Theory, OnBoth]
    public async Task A_server_that_is_killed_forgets_no_payment(On on)
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(
            bank.Yaml, on: on, replace: services => services.AddSingleton(TimeProvider.System));
        var token = await TokenAsync(host, """[{"type":"spend","currency":"EUR","max_total":60}]""");
        await host.Server.StopAsync();

        foreach (var kill in (int[])[8, 20, 35])
        {
            await using var victim = await Victim.StartAsync(host.Server, $"servers:\n{bank.Yaml}");
            await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => PayUntilGoneAsync(host, token, bank, kill, victim)));
            Assert.InRange(bank.Paid.Count, kill, 60);
        }

        await using var last = await Victim.StartAsync(host.Server, $"servers:\n{bank.Yaml}");
        var left = 0;
        while ((await PayAsync(host, token, "1")).Status is 200)
        {
            left++;
        }

        Assert.InRange(left, 1, 60 - 35);
        Assert.InRange(bank.Paid.Count, 35, 60);
    }

    [Theory]
    [InlineData("{}"), InlineData("""{"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":-1,"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":-0,"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":"5","currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":"NaN","currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":null,"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":[5],"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":true,"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":5e0,"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":1e400,"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":1234567890123456,"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":5.0000000000001,"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":0.00000000000000000000000000000000000001,"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":99999999999999999999999999999999999999,"currency":"EUR","to":"Sea"}""")]
    [InlineData("""{"amount":5,"to":"Sea"}"""), InlineData("""{"amount":5,"currency":["EUR"],"to":"Sea"}""")]
    [InlineData("""{"amount":5,"currency":"eur","to":"Sea"}""")]
    [InlineData("""{"amount":5,"currency":"USD","to":"Sea"}""")]
    [InlineData("""{"amount":5,"currency":"EUR"}"""), InlineData("""{"amount":5,"currency":"EUR","to":null}""")]
    [InlineData("""{"amount":5,"currency":"EUR","to":"sea"}""")]
    [InlineData("""{"amount":5,"currency":"EUR","to":"Sea "}""")]
    [InlineData("""{"Amount":5,"currency":"EUR","to":"Sea"}""")]
    public async Task What_does_not_say_plainly_what_it_costs_and_for_whom_is_not_sent(string arguments)
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml);
        var token = await TokenAsync(
            host, """[{"type":"spend","currency":"EUR","max_total":1000,"merchants":["Sea","Land"]}]""");

        using var refused = await host.CallAsync("bank", token, "pay", arguments);
        using var plain = await host.CallAsync("bank", token, "pay", """{"amount":5,"currency":"EUR","to":"Sea"}""");

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (refused.StatusCode, plain.StatusCode));
        Assert.Equal([5m], bank.Paid);
    }

    [Fact]
    public async Task After_its_time_nothing_is_spent()
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml);
        var until = host.Clock.GetUtcNow().AddMinutes(5).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        var token = await TokenAsync(
            host, $$"""[{"type":"spend","currency":"EUR","max_total":1000,"valid_until":"{{until}}"}]""");

        var before = await PayAsync(host, token, "1");
        host.Clock.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        var after = await PayAsync(host, token, "1");

        Assert.Equal((200, 403), (before.Status, after.Status));
        Assert.Contains("the time in which it may spend is over", after.Message);
    }

    [Fact]
    public async Task Each_detail_pays_for_itself_and_another_currency_from_another()
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml);
        var token = await TokenAsync(
            host,
            """
            [{"type":"spend","currency":"EUR","max_total":10},{"type":"spend","currency":"EUR","max_total":20},
            {"type":"spend","currency":"SEK","max_total":5}]
            """);

        Assert.Equal(200, (await PayAsync(host, token, "15")).Status);
        Assert.Equal(200, (await PayAsync(host, token, "10")).Status);
        Assert.Equal(403, (await PayAsync(host, token, "6")).Status);
        Assert.Equal(200, (await PayAsync(host, token, "5")).Status);
        using var crowns = await host.CallAsync("bank", token, "pay", """{"amount":5,"currency":"SEK","to":"Sea"}""");
        using var tip = await host.CallAsync("bank", token, "tip", """{"amount":1}""");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (crowns.StatusCode, tip.StatusCode));
    }

    [Theory]
    [InlineData("transfer", HttpStatusCode.Forbidden)]
    [InlineData("rename", HttpStatusCode.OK)]
    [InlineData("payments", HttpStatusCode.OK)]
    public async Task A_tool_of_which_nobody_has_said_whether_it_spends_only_reads(string tool, HttpStatusCode status)
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml);
        var token = await TokenAsync(host, Euros);

        using var answer = await host.CallAsync("bank", token, tool);
        using var free = await host.CallAsync("bank", host.Token(await host.GrantAsync("bank")), tool);

        Assert.Equal((status, HttpStatusCode.OK), (answer.StatusCode, free.StatusCode));
    }

    [Theory, OnBoth]
    public async Task Only_what_certainly_never_left_is_given_back(On on)
    {
        var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml, on: on);
        var grant = await host.GrantAsync("bank", details: Euros);
        var token = host.Token(grant);
        await host.ToolsOfAsync("bank");
        await PayAsync(host, token, "1");
        using var failed = await host.CallAsync("bank", token, "refuse", """{"amount":20}""");
        await bank.DisposeAsync();

        var away = await PayAsync(host, token, "300");

        // What failed at the server was there, whatever the server made of it.
        Assert.Equal(502, away.Status);
        await Eventually.TrueAsync(async () => (await host.Get<Ledger>().SpentAsync(grant, default))[0] is 21);
        var outcomes = await RecordsAsync(host, "tool.call.outcome");
        Assert.Single(outcomes, outcome => (string?)outcome["decision"]?["reason"] is { } reason
            && reason.Contains("given back", StringComparison.Ordinal));
    }

    [Theory, OnBoth]
    public async Task What_was_counted_goes_with_its_grant(On on)
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml, on: on);
        var (ended, alive) = (
            await host.GrantAsync("bank", details: Counted(host)),
            await host.GrantAsync("bank", details: Counted(host)));
        await host.ToolsOfAsync("bank");
        await PayAsync(host, host.Token(ended), "1");
        await PayAsync(host, host.Token(alive), "1");
        Assert.Equal((2, 2), await RowsAsync(host));

        await host.RevokeAsync(ended);
        await host.Get<Ledger>().SweepAsync();
        Assert.Equal((1, 1), await RowsAsync(host));
        host.Clock.Advance(TimeSpan.FromHours(1));
        await host.Get<Ledger>().SweepAsync();
        Assert.Equal((0, 0), await RowsAsync(host));
    }

    private static string Counted(GatewayHost host) =>
        $$$"""
        [{"type":"mcp_tool","locations":["{{{host.Issuer}}}/mcp/bank"],"actions":["pay"],
        "constraints":{"max_calls":9,"per":"day"}},{"type":"spend","currency":"EUR","max_total":1000}]
        """;

    private static async Task<(int, int)> RowsAsync(GatewayHost host) => (
        (await host.Get<Db>().AllAsync($"select grant_id from spend_totals", row => row.GetString(0), default)).Count,
        (await host.Get<Db>().AllAsync($"select grant_id from call_counts", row => row.GetString(0), default)).Count);

    [Fact]
    public async Task A_payment_that_has_no_call_left_costs_nothing()
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml);
        var grant = await host.GrantAsync(
            "bank", details: Counted(host).Replace(":9,", ":1,", StringComparison.Ordinal));
        var token = host.Token(grant);
        await host.ToolsOfAsync("bank");

        var first = await PayAsync(host, token, "1");
        var second = await PayAsync(host, token, "2");

        Assert.Equal((200, 403), (first.Status, second.Status));
        Assert.Equal(1m, (await host.Get<Ledger>().SpentAsync(grant, default))[1]);
        Assert.Contains("\"member\":\"max_calls\",\"limit\":1,\"left\":0,\"asked\":1,\"per\":\"day\"", second.Data);
        Assert.Contains("\"resets_at\":\"", second.Data);
    }

    [Theory]
    [InlineData("""{"type":"data_access","datatypes":["mail","people"]}""", "mail clock pay")]
    [InlineData("""{"type":"data_access","datatypes":["mail","people"],"labels":["work","home"]}""", "mail clock pay")]
    [InlineData("""{"type":"data_access","datatypes":["mail","people"],"labels":["home"]}""", "clock pay")]
    [InlineData("""{"type":"data_access","datatypes":["mail"]}""", "clock pay")]
    [InlineData("""{"type":"data_access","datatypes":["mail","people"],"row_filter_ref":"own"}""", "clock pay")]
    [InlineData("""{"type":"data_access","datatypes":["payments"]}""", "clock pay payments")]
    [InlineData("""{"type":"data_access","datatypes":["payments"],"labels":["work"]}""", "clock pay")]
    [InlineData("""{"type":"egress","upstream":"post","methods":["GET"],"path_templates":["/boxes/*","/me"]}""",
        "mail clock pay")]
    [InlineData("""{"type":"egress","upstream":"post","methods":["GET"],"path_templates":["/boxes/*"]}""", "clock pay")]
    [InlineData("""{"type":"egress","upstream":"post","methods":["POST"],"path_templates":["/boxes/*","/me"]}""",
        "clock pay")]
    [InlineData(
        """{"type":"egress","upstream":"x","methods":["GET"],"path_templates":["/boxes/*","/me"]}""", "clock pay")]
    public async Task Only_tools_whose_declared_data_and_calls_were_agreed_to_are_there(string detail, string tools)
    {
        await using var bank = await Bank.StartAsync();
        await using var host = await GatewayHost.StartAsync(bank.Yaml);
        var token = await TokenAsync(host, $"[{detail}]");

        using var list = await host.ModernAsync("bank", token, "tools/list");
        var listed = (await GatewayHost.JsonOf(list))["result"]!["tools"]!.AsArray()
            .Select(tool => (string?)tool!["name"]);
        var called = new List<string>();
        foreach (var tool in (string[])["mail", "clock", "pay", "payments", "diary", "rename", "tip", "transfer"])
        {
            const string Arguments = """{"amount":1,"currency":"EUR","to":"Sea"}""";
            using var answer = await host.CallAsync("bank", token, tool, Arguments);
            called.AddRange(answer.StatusCode is HttpStatusCode.OK ? [tool] : []);
        }

        var expected = tools.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order();
        Assert.Equal(expected, called.Order());
        Assert.Equal(expected, listed.Order());
    }

    private static async Task<string> TokenAsync(GatewayHost host, string details)
    {
        await host.ToolsOfAsync("bank");
        return host.Token(await host.GrantAsync("bank", details: details));
    }

    private static async Task PayUntilGoneAsync(GatewayHost host, string token, Bank bank, int kill, Victim victim)
    {
        try
        {
            while (bank.Paid.Count < kill)
            {
                await PayAsync(host, token, "1");
            }

            victim.Kill();
        }
        catch (Exception end) when (end is HttpRequestException or IOException)
        {
            // The server is gone; this answer was never given.
        }
    }

    private static async Task<(int Status, string Message, string Data)> PayAsync(
        GatewayHost host, string token, string amount, string id = "1")
    {
        using var answer = await host.CallAsync(
            "bank", token, "pay", $$"""{"amount":{{amount}},"currency":"EUR","to":"Sea"}""", id);
        var error = (await GatewayHost.JsonOf(answer))["error"];
        return ((int)answer.StatusCode, (string?)error?["message"] ?? "", error?["data"]?.ToJsonString() ?? "");
    }

    private static async Task<List<JsonNode>> RecordsAsync(GatewayHost host, string kind)
    {
        List<JsonNode> records = [];
        await Eventually.TrueAsync(async () =>
        {
            records =
            [
                .. (await host.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default))
                    .Where(row => row.Kind == kind).Select(row => JsonNode.Parse(row.Record)!),
            ];
            return records.Count > 0;
        });
        return records;
    }
}
