using System.Text;
using System.Text.Json;

namespace Postern.Bench.Sides;

/// <summary>
/// An MCP server of the revision 2026-07-28 with one tool that says what it was told, in one JSON answer.
/// </summary>
internal static class EchoServer
{
    public const string Revision = "2026-07-28";

    private const string Meta =
        """ "_meta":{"io.modelcontextprotocol/serverInfo":{"name":"echo","version":"1.0.0"}} """;

    private const string Discovery =
        $$"""
        {"supportedVersions":["{{Revision}}"],"capabilities":{"tools":{} },"resultType":"complete",
        "ttlMs":600000,"cacheScope":"public",{{Meta}}}
        """;

    private const string Tool =
        """
        {"name":"echo","description":"Says what it was told.","inputSchema":{"type":"object",
        "properties":{"text":{"type":"string"}},"required":["text"]},"annotations":{"readOnlyHint":true}}
        """;

    private const string Tools =
        $$"""{"tools":[{{Tool}}],"resultType":"complete","ttlMs":600000,"cacheScope":"public",{{Meta}}}""";

    public static async Task RunAsync(int port)
    {
        var builder = Child.Builder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));
        await using var app = builder.Build();
        app.MapGet("/", () => "ready");
        app.MapPost("/mcp", (RequestDelegate)AnswerAsync);
        Child.EndWithParent(app);
        await app.RunAsync();
    }

    private static async Task AnswerAsync(HttpContext http)
    {
        using var request = await JsonDocument.ParseAsync(http.Request.Body);
        var root = request.RootElement;
        if (!root.TryGetProperty("id", out var id))
        {
            http.Response.StatusCode = StatusCodes.Status202Accepted;
            return;
        }

        var result = root.GetProperty("method").GetString() switch
        {
            "server/discover" => Discovery,
            "tools/list" => Tools,
            "tools/call" => Said(root.GetProperty("params").GetProperty("arguments").GetProperty("text")),
            _ => null,
        };
        var outcome = result is null ? "\"error\":{\"code\":-32601,\"message\":\"Not here.\"}" : "\"result\":" + result;
        var body = Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"id\":{id.GetRawText()},{outcome}}}");
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.Length;
        await http.Response.BodyWriter.WriteAsync(body);
    }

    private static string Said(JsonElement text) =>
        $$"""{"content":[{"type":"text","text":{{text.GetRawText()}}}],"resultType":"complete"}""";
}
