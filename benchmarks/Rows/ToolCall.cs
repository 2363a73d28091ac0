using Postern.Bench.Load;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>One call of the tool <c>echo</c>, the same bytes for all sides but for the address and the token.</summary>
internal static class ToolCall
{
    public const string Path = "/mcp/echo";

    private const string Meta =
        $$"""
        "io.modelcontextprotocol/protocolVersion":"{{EchoServer.Revision}}",
        "io.modelcontextprotocol/clientCapabilities":{},
        "io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1.0.0"}
        """;

    private const string Params =
        $$"""{"name":"echo","arguments":{"text":"How is the moat today?"},"_meta":{ {{Meta}} } }""";

    private const string Body = $$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{Params}} }""";

    /// <summary>Through the gateway, with a token that lives ten minutes: longer than any run.</summary>
    public static async Task<byte[]> ThroughGatewayAsync(Child product, Stage stage) =>
        Request(Path, product.Port, "Authorization: Bearer " + await TokenAsync(product, stage));

    /// <summary>The same with a token that is bound to a key, and a proof of it.</summary>
    public static byte[] Bound(Child product, string token, string proof) =>
        Request(Path, product.Port, "Authorization: DPoP " + token, proof);

    public static byte[] Direct(Child upstream) => Request("/mcp", upstream.Port);

    public static async Task<string> TokenAsync(Child product, Stage stage)
    {
        using var connection = await Connection.OpenAsync(product.Port, stage.Stop);
        var answer = await connection.AskAsync(ClientCredentialsRow.Request(product.Port));
        return Tokens.Access(answer.Body.Span);
    }

    private static byte[] Request(string path, int port, params IEnumerable<string> headers) => Script.Post(
        path, port, "application/json", Body,
        [
            "Accept: application/json, text/event-stream", $"MCP-Protocol-Version: {EchoServer.Revision}",
            "Mcp-Method: tools/call", "Mcp-Name: echo", .. headers,
        ]);
}
