using System.Net;
using static Postern.Tests.Gateway.GatewayHost;

namespace Postern.Tests.Gateway;

public sealed class StdioTests : IAsyncLifetime
{
    // Speaks over its pipes as the Python SDK did before the modern era: it answers nothing before the handshake.
    private const string Legacy =
        """
        import json, sys
        ready = False
        def write(text): sys.stdout.write(text + "\n"); sys.stdout.flush()
        def say(m): write(json.dumps(m))
        def answer(id, result): say({"jsonrpc": "2.0", "id": id, "result": result})
        def tell(id, text): answer(id, {"content": [{"type": "text", "text": text}]})
        for line in sys.stdin:
            m = json.loads(line)
            method, id, params = m.get("method"), m.get("id"), m.get("params") or {}
            if method == "initialize":
                answer(id, {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                            "serverInfo": {"name": "pipes", "version": "1"}})
            elif method == "notifications/initialized":
                ready = True
            elif not ready:
                say({"jsonrpc": "2.0", "id": id, "error": {"code": -32602, "message": "not initialized"}})
            elif method == "tools/list":
                answer(id, {"tools": [
                    {"name": n, "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}
                    for n in ("echo", "progress", "ask", "die", "twice", "deep")]})
            elif method == "tools/call":
                name = params["name"]
                if name == "die":
                    sys.exit(3)
                if name == "twice":
                    write('{"jsonrpc":"2.0","id":%d,"result":{},"result":{}}' % id)
                    continue
                if name == "deep":
                    write('{"jsonrpc":"2.0","id":%d,"result":{"content":[],"deep":%s}}' % (id, "[" * 99 + "]" * 99))
                    continue
                if name == "progress":
                    token = params["_meta"]["progressToken"]
                    say({"jsonrpc": "2.0", "method": "notifications/progress",
                         "params": {"progressToken": token, "progress": 1}})
                if name == "ask":
                    say({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": {"message": "?"}})
                    refusal = json.loads(sys.stdin.readline())
                    tell(id, str(refusal["error"]["code"]))
                    continue
                tell(id, json.dumps(params.get("arguments")))
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("postern-stdio-").FullName;
    private GatewayHost host = null!;

    public async ValueTask InitializeAsync()
    {
        var script = Path.Combine(folder, "server.py");
        await File.WriteAllTextAsync(script, Legacy);
        host = await GatewayHost.StartAsync(
            $"  - {{ name: pipes, command: [/usr/bin/python3, \"{script}\"], sandbox: {{ level: none }} }}");
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Clients_of_both_eras_call_a_local_command()
    {
        var token = await host.TokenAsync("pipes");
        using var modern = await host.CallAsync("pipes", token, "echo", "{\n \"a\":\r\n 1}", "\"m\"");
        var session = await host.InitializeAsync("pipes", token);
        using var legacy = await host.LegacyCallAsync("pipes", token, session, "echo", """{"b":2}""", "5");

        var (one, other) = (await JsonOf(modern), await JsonOf(legacy));
        Assert.Equal(("m", "complete"), ((string?)one["id"], (string?)one["result"]!["resultType"]));
        Assert.Equal("""{"a": 1}""", (string?)one["result"]!["content"]![0]!["text"]);
        Assert.Equal(5, (int)other["id"]!);
    }

    [Fact]
    public async Task Fifty_calls_through_one_pipe_each_get_their_own_answer()
    {
        var token = await host.TokenAsync("pipes");
        var calls = Enumerable.Range(0, 50).Select(async i =>
        {
            using var answer = await host.CallAsync("pipes", token, "echo", $"{{\"n\":{i}}}");
            return (string?)(await JsonOf(answer))["result"]!["content"]![0]!["text"];
        });

        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{{\"n\": {i}}}"), await Task.WhenAll(calls));
    }

    [Fact]
    public async Task Progress_finds_the_request_it_belongs_to()
    {
        var token = await host.TokenAsync("pipes");
        using var answer = await host.CallAsync("pipes", token, "progress");

        var text = await answer.Content.ReadAsStringAsync();
        Assert.Contains("\"progressToken\": \"mine\"", text, StringComparison.Ordinal);
        Assert.Contains("\"result\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_asks_is_told_that_nobody_can_be_asked()
    {
        var token = await host.TokenAsync("pipes");
        using var answer = await host.CallAsync("pipes", token, "ask");

        Assert.Equal("-32601", (string?)(await JsonOf(answer))["result"]!["content"]![0]!["text"]);
    }

    [Theory]
    [InlineData("twice", 502)]
    [InlineData("deep", 200)]
    public async Task An_answer_that_cannot_be_read_fails_its_call_and_a_deep_one_can_be(string tool, int status)
    {
        var token = await host.TokenAsync("pipes");
        using var answer = await host.CallAsync("pipes", token, tool);

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_process_that_dies_fails_its_call_with_the_reason_and_the_next_call_starts_another()
    {
        var token = await host.TokenAsync("pipes");
        using var died = await host.CallAsync("pipes", token, "die");
        using var next = await host.CallAsync("pipes", token, "echo");

        Assert.Equal(HttpStatusCode.BadGateway, died.StatusCode);
        Assert.Contains("code 3", (string?)(await JsonOf(died))["error"]!["message"], StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }
}
