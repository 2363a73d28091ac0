using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Postern.Tests.Gateway;

/// <summary>An MCP server that pays, tells and calls elsewhere. It remembers what it was made to pay.</summary>
internal sealed class Bank : IAsyncDisposable
{
    private const string Read = """ "inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true} """,
        Change = """ "inputSchema":{"type":"object"},"annotations":{"destructiveHint":false} """;

    private const string Tools =
        $$"""
        {"tools":[{"name":"pay","description":"Pays somebody out of the purse.",{{Change}}},
          {"name":"tip",{{Change}}},{"name":"transfer",{{Change}}},
          {"name":"rename",{{Change}}},{"name":"mail",{{Read}}},{"name":"diary",{{Read}}},
          {"name":"payments","description":"Lists what was paid, and to whom.",{{Read}}},
          {"name":"clock",{{Read}}},{"name":"refuse",{{Change}}}],
          "resultType":"complete","ttlMs":99999,"cacheScope":"public"}
        """;

    private const string Discovery =
        """
        {"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"resultType":"complete","ttlMs":99999,
          "cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"bank","version":"1"}}}
        """;

    private readonly WebApplication app;

    private Bank(string url)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.WebHost.UseUrls(url);
        app = builder.Build();
        app.MapPost("/mcp", AnswerAsync);
    }

    public ConcurrentQueue<decimal> Paid { get; } = new();

    /// <summary>The methods it was asked for.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public string Url => app.Urls.Single() + "/mcp";

    /// <summary>What an operator says of it.</summary>
    public string Yaml =>
        $$"""
          - name: bank
            http: {{Url}}
            declares:
              - { name: pay, spends: { amount: amount, currency: currency, merchant: to }, data: {}, calls: [] }
              - { name: tip, spends: { amount: amount, currency: EUR } }
              - { name: refuse, spends: { amount: amount, currency: EUR } }
              - { name: rename, spends: {} }
              - name: mail
                data: { datatypes: [mail, people], labels: [work] }
                calls: [{ upstream: post, method: GET, path: "/boxes/*" }, { upstream: post, method: GET, path: /me }]
              - { name: payments, data: { datatypes: [payments] } }
              - { name: clock, data: {}, calls: [] }
        """;

    public static async Task<Bank> StartAsync(string url = "http://127.0.0.1:0")
    {
        var bank = new Bank(url);
        await bank.app.StartAsync();
        return bank;
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        using var message = await JsonDocument.ParseAsync(http.Request.Body);
        var root = message.RootElement;
        Asked.Enqueue(root.GetProperty("method").GetString()!);
        var outcome = root.GetProperty("method").GetString() switch
        {
            "server/discover" => $"\"result\":{Discovery}",
            "tools/list" => $"\"result\":{Tools}",
            "tools/call" => Call(root.GetProperty("params")),
            _ => """ "error":{"code":-32601,"message":"No such method"} """,
        };
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(
            $$"""{"jsonrpc":"2.0","id":{{root.GetProperty("id").GetRawText()}},{{outcome}}}""");
    }

    private string Call(JsonElement call)
    {
        var tool = call.GetProperty("name").GetString();
        if (tool is "refuse")
        {
            return """ "error":{"code":-32603,"message":"The card was refused"} """;
        }

        if (tool is "pay" or "tip")
        {
            var amount = call.GetProperty("arguments").GetProperty("amount").GetRawText();
            Paid.Enqueue(decimal.Parse(amount, CultureInfo.InvariantCulture));
        }

        return """ "result":{"resultType":"complete","content":[{"type":"text","text":"Done."}]} """;
    }
}
