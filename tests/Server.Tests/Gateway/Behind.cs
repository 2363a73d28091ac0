using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Postern.Tests.Gateway;

/// <summary>
/// An MCP server over HTTP, written by hand, of either era. It remembers every request it was sent, and each of its
/// tools shows one way to answer.
/// </summary>
internal sealed class Behind : IAsyncDisposable
{
    private const string Read = """ "inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true} """;

    private const string Tools =
        $$$"""
        [{"name":"echo","description":"Says it again.",{{{Read}}}},
         {"name":"slow","description":"Takes its time.",{{{Read}}}},
         {"name":"progress","description":"Tells how far it is.",{{{Read}}}},
         {"name":"ask","description":"Asks first.",{{{Read}}}},
         {"name":"say","description":"Answers what it is told to.",{{{Read}}}},
         {"name":"fail","description":"Fails.",{{{Read}}}},
         {"name":"redirect","description":"Is elsewhere.",{{{Read}}}},
         {"name":"huge","description":"Says too much.",{{{Read}}}},
         {"name":"hidden_text","description":"Says more than one sees.",{{{Read}}}},
         {"name":"mirror","description":"By region.","annotations":{"readOnlyHint":true},"inputSchema":{
           "type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}} }},
         {"name":"write","description":"Changes.","inputSchema":{"type":"object"},
           "annotations":{"destructiveHint":false}},
         {"name":"wipe","description":"Destroys.","inputSchema":{"type":"object"}},
         {"name":"job","description":"Goes on.","inputSchema":{"type":"object"},
           "annotations":{"destructiveHint":false}},
         {"name":"poisoned","description":"Adds.\udb40\udc41",{{{Read}}}}]
        """;

    private const string Discovery =
        """
        {"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"instructions":"Be kind.",
          "resultType":"complete","ttlMs":99999,"cacheScope":"public",
          "_meta":{"io.modelcontextprotocol/serverInfo":{"name":"behind","version":"1"}}}
        """;

    private const string Greeting =
        """
        {"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}},
          "serverInfo":{"name":"behind","version":"1"},"instructions":"Be \udb40\udc41kind."}
        """;

    // Over two lines and with text that nobody sees.
    private const string Question =
        """
        {"resultType":"input_required","requestState":"s-1","inputRequests":{"who":{"method":"elicitation/create",
          "params":{"message":"Who\udb40\udc41?",
            "requestedSchema":{"type":"object","properties":{"name":{"type":"string"}}}}}}}
        """;

    private readonly WebApplication app;
    private readonly bool isModern;
    private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonObject>> asked = new(
        StringComparer.Ordinal);

    private Behind(bool isModern)
    {
        this.isModern = isModern;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.Map("/mcp", AnswerAsync);
    }

    /// <summary>Everything it was sent: verb, headers and body.</summary>
    public ConcurrentQueue<(string Verb, IHeaderDictionary Headers, string Body)> Seen { get; } = new();

    public ConcurrentDictionary<string, bool> Sessions { get; } = new(StringComparer.Ordinal);

    /// <summary>Completes when a call of <c>slow</c> was cancelled, by whatever its era means by that.</summary>
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed when its tools have changed, which those hear who listen (modern).</summary>
    public TaskCompletionSource Changed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A stream that a client opens is held without a word; completes when it was let go.</summary>
    public TaskCompletionSource? LetGo { get; set; }

    /// <summary>What happens between a call of <c>ask</c> and its question (legacy).</summary>
    public Func<Task> BeforeAsking { get; set; } = () => Task.CompletedTask;

    /// <summary>Its tools are not to be had.</summary>
    public bool HidesTools { get; set; }

    /// <summary>A stream that a client opens is refused, as one too many.</summary>
    public bool HasStream { get; set; }

    public string Url => app.Urls.Single() + "/mcp";

    public static Task<Behind> ModernAsync() => StartAsync(true);

    public static Task<Behind> LegacyAsync() => StartAsync(false);

    public async ValueTask DisposeAsync()
    {
        Cancelled.TrySetCanceled();
        Changed.TrySetCanceled();
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private static async Task<Behind> StartAsync(bool isModern)
    {
        var server = new Behind(isModern);
        await server.app.StartAsync();
        return server;
    }

    private async Task AnswerAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync();
        Seen.Enqueue((http.Request.Method, Copy(http.Request.Headers), body));
        if (http.Request.Method is "DELETE")
        {
            Sessions.TryRemove(http.Request.Headers["Mcp-Session-Id"].ToString(), out _);
            return;
        }

        if (http.Request.Method is "GET")
        {
            await GetAsync(http);
            return;
        }

        var message = JsonNode.Parse(body)!.AsObject();
        var method = (string?)message["method"];
        if (!isModern && method is not "initialize"
            && !Sessions.ContainsKey(http.Request.Headers["Mcp-Session-Id"].ToString()))
        {
            // No session: an older server has nothing else to say to a request of the modern era either.
            http.Response.StatusCode = http.Request.Headers.ContainsKey("Mcp-Session-Id") ? 404 : 400;
            return;
        }

        await (method switch
        {
            null => HearAsync(http, message),
            "initialize" => InitializeAsync(http, message),
            "server/discover" when isModern => ReplyAsync(http, message, Discovery),
            "tools/list" when HidesTools => ErrorAsync(http, message, -32603, "Not now", 200),
            "tools/list" => ReplyAsync(http, message, isModern
                ? $$"""{"tools":{{Tools}},"resultType":"complete","ttlMs":99999,"cacheScope":"public"}"""
                : $$"""{"tools":{{Tools}}}"""),
            "tools/call" => CallAsync(http, message),
            "subscriptions/listen" when isModern => ListenAsync(http, message),
            "prompts/list" when isModern => AskBackAsync(http, message),
            "tasks/get" when isModern => ReplyAsync(
                http, message, """{"resultType":"complete","taskId":"t-1","status":"completed"}"""),
            "resources/read" when !isModern => ErrorAsync(http, message, -32002, "Not found", 200),
            "notifications/cancelled" => CancelAsync(http),
            _ when message["id"] is null => HearAsync(http, message),
            _ => ErrorAsync(http, message, -32601, "Unknown method", isModern ? 404 : 200),
        });
    }

    private async Task CallAsync(HttpContext http, JsonObject message)
    {
        switch ((string?)message["params"]!["name"])
        {
            case "slow":
                await SlowAsync(http, message);
                break;
            case "progress":
                await ProgressAsync(http, message);
                break;
            case "ask" when isModern:
                await AskBackAsync(http, message);
                break;
            case "ask":
                await AskAsync(http, message);
                break;
            case "job":
                await ReplyAsync(
                    http, message, """{"resultType":"task","taskId":"t-1","status":"working","ttlMs":null}""");
                break;
            case "fail":
                await ErrorAsync(http, message, -32603, "It broke", 200);
                break;
            case "redirect":
                http.Response.Redirect("http://127.0.0.1:1/elsewhere");
                break;
            case "huge":
                http.Response.ContentType = "application/json";
                await http.Response.WriteAsync("{\"jsonrpc\":\"2.0\",\"x\":\"");
                for (var i = 0; i < 20 && !http.RequestAborted.IsCancellationRequested; i++)
                {
                    await http.Response.WriteAsync(new string('x', 1024 * 1024));
                }

                break;
            case "say":
                await ReplyAsync(http, message, message["params"]!["arguments"]!.ToJsonString());
                break;
            case "hidden_text":
                await ReplyAsync(http, message, """{"content":[{"type":"text","text":"a\udb40\udc41b"}]}""");
                break;
            default:
                await SayAsync(http, message, message["params"]!["arguments"]?.ToJsonString());
                break;
        }
    }

    private async Task SlowAsync(HttpContext http, JsonObject message)
    {
        http.Response.ContentType = "text/event-stream";
        await http.Response.Body.FlushAsync();
        Started.TrySetResult();
        if (!isModern)
        {
            await Cancelled.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        try
        {
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            Cancelled.TrySetResult();
        }
    }

    private static async Task ProgressAsync(HttpContext http, JsonObject message)
    {
        var token = message["params"]!["_meta"]?["progressToken"]?.ToJsonString() ?? "null";
        await TellAsync(http, "notifications/progress", $$"""{"progressToken":{{token}},"progress":1}""");
        await TellAsync(http, "notifications/message", """{"level":"info","data":"noise"}""");
        await ResultAsync(http, message, """{"content":[]}""");
    }

    private static Task AskBackAsync(HttpContext http, JsonObject message)
    {
        var (answers, state) = (message["params"]!["inputResponses"], message["params"]!["requestState"]);
        return answers?["who"] is { } answer
            ? SayAsync(http, message, $"{(string?)answer["content"]?["name"]} {(string?)state}")
            : ReplyAsync(http, message, Question);
    }

    private async Task AskAsync(HttpContext http, JsonObject message)
    {
        await BeforeAsking();
        var waiting = asked["\"q-1\""] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await EventAsync(
            http,
            """
            {"jsonrpc":"2.0","id":"q-1","method":"elicitation/create","params":{"message":"Who?",
              "requestedSchema":{"type":"object","properties":{"name":{"type":"string"}}}}}
            """);
        var answer = await waiting.Task.WaitAsync(http.RequestAborted);
        var name = answer["result"]?["content"]?["name"]?.ToJsonString() ?? "\"nobody\"";
        await ResultAsync(http, message, $$"""{"content":[{"type":"text","text":{{name}}}]}""");
    }

    private async Task ListenAsync(HttpContext http, JsonObject message)
    {
        var meta = $$"""
            "_meta":{"io.modelcontextprotocol/subscriptionId":{{message["id"]!.ToJsonString()}}}
            """;
        await TellAsync(
            http,
            "notifications/subscriptions/acknowledged",
            $$$"""{"notifications":{"toolsListChanged":true},{{{meta}}}}""");
        await Changed.Task.WaitAsync(http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!http.RequestAborted.IsCancellationRequested)
        {
            await TellAsync(http, "notifications/tools/list_changed", $$"""{{{meta}}}""");
        }

        await ForeverAsync(http);
    }

    private async Task GetAsync(HttpContext http)
    {
        if (HasStream)
        {
            http.Response.StatusCode = 409;
            return;
        }

        if (LetGo is { } letGo)
        {
            Started.TrySetResult();
            await ForeverAsync(http);
            letGo.SetResult();
            return;
        }

        await PushAsync(http);
    }

    private static async Task PushAsync(HttpContext http)
    {
        await TellAsync(http, "notifications/tools/list_changed", "{}");
        await ForeverAsync(http);
    }

    private Task HearAsync(HttpContext http, JsonObject message)
    {
        if (message["id"] is { } id && asked.TryRemove(id.ToJsonString(), out var waiting))
        {
            waiting.SetResult(message);
        }

        http.Response.StatusCode = 202;
        return Task.CompletedTask;
    }

    private Task CancelAsync(HttpContext http)
    {
        Cancelled.TrySetResult();
        http.Response.StatusCode = 202;
        return Task.CompletedTask;
    }

    private Task InitializeAsync(HttpContext http, JsonObject message)
    {
        if (isModern)
        {
            return ErrorAsync(http, message, -32601, "No such method", 404);
        }

        var session = Guid.NewGuid().ToString("N");
        Sessions[session] = true;
        http.Response.Headers["Mcp-Session-Id"] = session;
        return ReplyAsync(http, message, Greeting);
    }

    // Until the other side leaves.
    private static async Task ForeverAsync(HttpContext http) => await Task.Delay(Timeout.Infinite, http.RequestAborted)
        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static Task SayAsync(HttpContext http, JsonObject message, string? text)
    {
        var content = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text });
        return ReplyAsync(http, message, new JsonObject { ["content"] = content }.ToJsonString());
    }

    private static Task ReplyAsync(HttpContext http, JsonObject message, string result)
    {
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(
            $$"""{"jsonrpc":"2.0","id":{{message["id"]!.ToJsonString()}},"result":{{result}}}""");
    }

    private static Task ErrorAsync(HttpContext http, JsonObject message, int code, string text, int status)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        var (id, said) = (message["id"]!.ToJsonString(), JsonSerializer.Serialize(text));
        return http.Response.WriteAsync(
            $$$"""{"jsonrpc":"2.0","id":{{{id}}},"error":{"code":{{{code}}},"message":{{{said}}}}}""");
    }

    private static Task TellAsync(HttpContext http, string method, string parameters) =>
        EventAsync(http, $$"""{"jsonrpc":"2.0","method":"{{method}}","params":{{parameters}}}""");

    private static Task ResultAsync(HttpContext http, JsonObject message, string result) => EventAsync(
        http, $$"""{"jsonrpc":"2.0","id":{{message["id"]!.ToJsonString()}},"result":{{result}}}""");

    private static async Task EventAsync(HttpContext http, string json)
    {
        if (!http.Response.HasStarted)
        {
            http.Response.ContentType = "text/event-stream";
        }

        await http.Response.WriteAsync($"event: message\ndata: {json.ReplaceLineEndings("\ndata: ")}\n\n");
        await http.Response.Body.FlushAsync();
    }

    private static HeaderDictionary Copy(IHeaderDictionary headers) =>
        new(headers.ToDictionary(header => header.Key, header => header.Value, StringComparer.OrdinalIgnoreCase));
}
