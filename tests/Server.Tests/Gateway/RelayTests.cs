using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Gateway.Relay;
using static Postern.Tests.Gateway.GatewayHost;

namespace Postern.Tests.Gateway;

public sealed class RelayTests : BothEras
{
    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task A_modern_client_calls_a_server_of_either_era(string server)
    {
        var token = await host.TokenAsync(server);
        using var answer = await host.CallAsync(server, token, "echo", """{"a":[1,{"b":"é"}]}""", "\"x-7\"");

        var json = await JsonOf(answer);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("x-7", (string?)json["id"]);
        Assert.Equal("complete", (string?)json["result"]!["resultType"]);
        Assert.Equal("""{"a":[1,{"b":"é"}]}""", Regular((string?)json["result"]!["content"]![0]!["text"]));
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task A_legacy_client_calls_a_server_of_either_era(string server)
    {
        var token = await host.TokenAsync(server);
        var session = await host.InitializeAsync(server, token);
        using var ready = await host.LegacyAsync(server, token, session, "notifications/initialized", id: null);
        using var answer = await host.LegacyCallAsync(server, token, session, "echo", """{"a":1}""", "7");

        Assert.Equal(HttpStatusCode.Accepted, ready.StatusCode);
        var json = await JsonOf(answer);
        Assert.Equal(7, (int)json["id"]!);
        Assert.Equal("""{"a":1}""", (string?)json["result"]!["content"]![0]!["text"]);
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task Nothing_of_the_clients_credentials_reaches_the_server(string server)
    {
        var token = await host.TokenAsync(server);
        using var answer = await host.PostAsync(
            server,
            token,
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{}}}""",
            default,
            ("Cookie", "secret=1"), ("DPoP", "proof"), ("X-Api-Key", "k"), ("Proxy-Authorization", "Basic x"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        foreach (var (_, headers, body) in BehindOf(server).Seen)
        {
            Assert.DoesNotContain(headers.Keys, name =>
                name is "Authorization" or "Cookie" or "DPoP" or "X-Api-Key" or "Proxy-Authorization");
            Assert.DoesNotContain(token, string.Concat(headers.Values) + body, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task Fifty_clients_with_the_same_id_each_get_their_own_answer(string server)
    {
        var tokens = await Task.WhenAll(
            host.TokenAsync(server, subject: "ada"), host.TokenAsync(server, subject: "bob"));
        var calls = Enumerable.Range(0, 50).Select(async i =>
        {
            using var answer = await host.CallAsync(server, tokens[i % 2], "echo", $"{{\"n\":{i}}}");
            return (string?)(await JsonOf(answer))["result"]!["content"]![0]!["text"];
        });

        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{{\"n\":{i}}}"), await Task.WhenAll(calls));
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task Progress_comes_with_the_clients_own_token_and_unasked_log_messages_do_not(string server)
    {
        var token = await host.TokenAsync(server);
        using var answer = await host.CallAsync(server, token, "progress", id: "\"p\"");

        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("no", answer.Headers.GetValues("X-Accel-Buffering").Single());
        var events = await EventsOf(answer);
        Assert.Equal(["notifications/progress", null], events.Select(e => (string?)e["method"]));
        Assert.Equal("mine", (string?)events[0]["params"]!["progressToken"]);
        Assert.Equal("p", (string?)events[1]["id"]);
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task A_modern_client_that_leaves_has_cancelled(string server)
    {
        var token = await host.TokenAsync(server);
        using var leaving = new CancellationTokenSource();
        var call = host.CallAsync(server, token, "slow", stop: leaving.Token);
        var behind = BehindOf(server);
        await behind.Started.Task.WaitAsync(Patience);
        await leaving.CancelAsync();

        await behind.Cancelled.Task.WaitAsync(Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task A_legacy_client_cancels_in_words_and_gets_no_answer(string server)
    {
        var token = await host.TokenAsync(server);
        var session = await host.InitializeAsync(server, token);
        var call = host.LegacyCallAsync(server, token, session, "slow", id: "9");
        var behind = BehindOf(server);
        await behind.Started.Task.WaitAsync(Patience);
        using var told = await host.LegacyAsync(
            server, token, session, "notifications/cancelled", """{"requestId":9}""", id: null);

        await behind.Cancelled.Task.WaitAsync(Patience);
        using var answer = await call;
        Assert.DoesNotContain("\"id\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("modern", "unheard/of", 404, -32601)]
    [InlineData("legacy", "unheard/of", 404, -32601)]
    [InlineData("modern", "tools/other", 404, -32601)]
    [InlineData("modern", "tasks/get", 200, -32602)]
    public async Task An_error_has_the_status_its_code_asks_for(string server, string method, int status, int code)
    {
        var token = await host.TokenAsync(server);
        using var answer = await host.ModernAsync(
            server, token, method, "\"taskId\":\"t\"", method is "tasks/get" ? "t" : null);

        Assert.Equal((status, code), ((int)answer.StatusCode, (int)(await JsonOf(answer))["error"]!["code"]!));
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task What_a_server_does_not_serve_is_404_to_a_modern_client_and_an_answer_to_a_legacy_one(
        string server)
    {
        var token = await host.TokenAsync(server);
        var session = await host.InitializeAsync(server, token);
        using var modernly = await host.ModernAsync(server, token, "prompts/get", "\"name\":\"p\"", "p");
        using var legacily = await host.LegacyAsync(server, token, session, "prompts/get", """{"name":"p"}""");

        Assert.Equal((404, -32601), ((int)modernly.StatusCode, (int)(await JsonOf(modernly))["error"]!["code"]!));
        Assert.Equal((200, -32601), ((int)legacily.StatusCode, (int)(await JsonOf(legacily))["error"]!["code"]!));
    }

    [Theory]
    [InlineData("modern", "vendor/wipe")]
    [InlineData("legacy", "vendor/wipe")]
    [InlineData("legacy", "TOOLS/CALL")]
    [InlineData("legacy", "tasks/list")]
    [InlineData("modern", "rpc.discover")]
    public async Task A_method_that_the_protocol_does_not_have_reaches_no_server(string server, string method)
    {
        var token = await host.TokenAsync(server);
        var session = await host.InitializeAsync(server, token);
        using var modernly = await host.ModernAsync(server, token, method);
        using var legacily = await host.LegacyAsync(server, token, session, method);

        Assert.Equal(-32601, (int)(await JsonOf(modernly))["error"]!["code"]!);
        Assert.Equal(-32601, (int)(await JsonOf(legacily))["error"]!["code"]!);
        var behind = BehindOf(server);
        Assert.DoesNotContain(behind.Seen, seen => seen.Body.Contains(method, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_task_is_its_callers_though_they_may_read_nothing()
    {
        await host.TokenAsync("modern");
        var token = host.Token(await host.GrantAsync("modern", "mcp:write"));
        using var began = await host.CallAsync("modern", token, "job");
        using var answer = await host.ModernAsync("modern", token, "tasks/get", "\"taskId\":\"t-1\"", "t-1");

        Assert.Equal("completed", (string?)(await JsonOf(answer))["result"]!["status"]);
    }

    [Theory, Rfc("MCP Authorization 2026-07-28", "Best Practices, State Handle Hijacking")]
    [InlineData("tasks/get")]
    [InlineData("tasks/update")]
    [InlineData("tasks/cancel")]
    public async Task A_task_of_somebody_else_is_as_unknown_as_one_that_never_was(string method)
    {
        var (ada, bob) = (await host.TokenAsync("modern"), await host.TokenAsync("modern", subject: "bob"));
        using var began = await host.CallAsync("modern", ada, "job");
        using var others = await host.ModernAsync("modern", bob, method, "\"taskId\":\"t-1\"", "t-1");
        using var nobodys = await host.ModernAsync("modern", bob, method, "\"taskId\":\"t-2\"", "t-2");

        var text = await others.Content.ReadAsStringAsync();
        Assert.Equal((nobodys.StatusCode, await nobodys.Content.ReadAsStringAsync()), (others.StatusCode, text));
        Assert.Contains("-32602", text, StringComparison.Ordinal);
        Assert.DoesNotContain(modern.Seen, seen => seen.Body.Contains(method, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whose_a_task_is_is_known_before_its_caller_can_ask_for_it()
    {
        var token = await host.TokenAsync("modern");
        JsonNode? task = null;
        arrivals.Notice = http =>
        {
            if (http.Request.Headers["Mcp-Name"] == "job")
            {
                http.Response.OnStarting(AskAsync);
            }
        };
        using var began = await host.CallAsync("modern", token, "job");

        Assert.Equal("t-1", (string?)(await JsonOf(began))["result"]!["taskId"]);
        Assert.Equal("completed", (string?)task!["result"]?["status"] ?? task.ToJsonString());

        async Task AskAsync()
        {
            using var answer = await host.ModernAsync("modern", token, "tasks/get", "\"taskId\":\"t-1\"", "t-1");
            task = await JsonOf(answer);
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"cursor":"x"}""")]
    public async Task A_server_that_asks_back_where_nothing_can_be_asked_is_in_error(string parameters)
    {
        var token = await host.TokenAsync("modern");
        var session = await host.InitializeAsync("modern", token, """{"elicitation":{}}""");
        using var legacily = await host.LegacyAsync("modern", token, session, "prompts/list", parameters);
        using var modernly = await host.ModernAsync("modern", token, "prompts/list");

        Assert.Equal(-32603, (int)(await JsonOf(legacily))["error"]!["code"]!);
        Assert.Equal(-32603, (int)(await JsonOf(modernly))["error"]!["code"]!);
    }

    [Fact]
    public async Task A_resource_that_is_not_found_has_the_code_of_the_clients_era()
    {
        var token = await host.TokenAsync("legacy");
        using var answer = await host.ModernAsync("legacy", token, "resources/read", "\"uri\":\"x://y\"", "x://y");

        Assert.Equal(-32602, (int)(await JsonOf(answer))["error"]!["code"]!);
    }

    [Theory]
    [InlineData("redirect", "redirects")]
    [InlineData("huge", "longer than")]
    public async Task What_cannot_be_passed_on_is_a_clear_error_with_the_clients_id(string tool, string said)
    {
        var token = await host.TokenAsync("modern");
        using var answer = await host.CallAsync("modern", token, tool, id: "\"c\"");

        var json = await JsonOf(answer);
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal("c", (string?)json["id"]);
        Assert.Contains(said, (string?)json["error"]!["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_away_is_named_as_the_cause()
    {
        using var answer = await host.ModernAsync("away", await host.TokenAsync("away"), "prompts/list");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        var said = (string?)(await JsonOf(answer))["error"]!["message"];
        Assert.Contains("connection refused", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invisible_text_is_taken_out_of_what_a_tool_says()
    {
        var token = await host.TokenAsync("modern");
        using var answer = await host.CallAsync("modern", token, "hidden_text");

        Assert.Equal("ab", (string?)(await JsonOf(answer))["result"]!["content"]![0]!["text"]);
    }

    [Fact]
    public async Task A_lost_session_of_the_gateways_own_is_opened_again_without_the_client_noticing()
    {
        var token = await host.TokenAsync("legacy");
        using var first = await host.CallAsync("legacy", token, "echo");
        legacy.Sessions.Clear();
        using var second = await host.CallAsync("legacy", token, "echo");

        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
    }

    [Fact]
    public async Task A_legacy_client_is_asked_what_a_modern_server_wants_to_know()
    {
        var token = await host.TokenAsync("modern");
        var session = await host.InitializeAsync("modern", token, """{"elicitation":{}}""");
        using var answer = await host.LegacyCallAsync("modern", token, session, "ask", id: "3");
        using var events = await StreamOf(answer);
        var question = (await NextAsync(events))!;
        using var told = await AcceptAsync("modern", token, session, question);
        var result = (await NextAsync(events))!;

        Assert.Equal("elicitation/create", (string?)question["method"]);
        Assert.Equal("Who?", (string?)question["params"]!["message"]); // it came over two lines, with invisible text
        Assert.Equal(HttpStatusCode.Accepted, told.StatusCode);
        Assert.Equal(3, (int)result["id"]!);
        Assert.Equal("Ada s-1", (string?)result["result"]!["content"]![0]!["text"]);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("[]")]
    [InlineData("""{"a":7}""")]
    [InlineData("""{"a":{}}""")]
    [InlineData("""{"a":{"method":7}}""")]
    [InlineData("""{"a":{"method":"tools/call"}}""")]
    public async Task A_modern_server_that_asks_for_no_such_thing_is_in_error(string asked)
    {
        var token = await host.TokenAsync("modern");
        var session = await host.InitializeAsync("modern", token, """{"elicitation":{}}""");
        using var answer = await host.LegacyCallAsync(
            "modern", token, session, "say", $$"""{"resultType":"input_required","inputRequests":{{asked}}}""");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
    }

    [Fact]
    public async Task A_legacy_client_answers_a_legacy_server_itself()
    {
        var token = await host.TokenAsync("legacy");
        var session = await host.InitializeAsync("legacy", token, """{"elicitation":{}}""");
        using var answer = await host.LegacyCallAsync("legacy", token, session, "ask", id: "3");
        using var events = await StreamOf(answer);
        var question = (await NextAsync(events))!;
        using var told = await AcceptAsync("legacy", token, session, question);
        var result = (await NextAsync(events))!;

        Assert.Equal("Ada", (string?)result["result"]?["content"]![0]!["text"] ?? result.ToJsonString());
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task A_client_that_cannot_be_asked_learns_what_it_lacks(string server)
    {
        var token = await host.TokenAsync(server);
        using var answer = await host.LegacyCallAsync(server, token, null, "ask");

        var error = (await JsonOf(answer))["error"]!;
        Assert.Equal(-32021, (int)error["code"]!);
        Assert.NotNull(error["data"]!["requiredCapabilities"]!["elicitation"]);
    }

    [Fact]
    public async Task A_servers_state_comes_back_as_it_was_and_only_from_the_call_it_was_made_for()
    {
        var (token, other) = (await host.TokenAsync("modern"), await host.TokenAsync("modern", subject: "bob"));
        var result = (await JsonOf(await AskAsync("modern", token)))["result"]!;
        var state = (string)result["requestState"]!;
        var good = await AskAsync("modern", token, state, "who");
        var foreign = await AskAsync("modern", other, state, "who");
        var altered = await AskAsync("modern", token, state[..^2] + (state[^2] is 'A' ? 'B' : 'A') + state[^1], "who");
        var raw = await AskAsync("modern", token, "s-1", "who");
        var elsewhere = await AskAsync("modern", token, state, "who", tool: "echo");
        var changed = await AskAsync("modern", token, state, "who", arguments: """{"a":2}""");

        Assert.Equal("input_required", (string?)result["resultType"]);
        Assert.NotEqual("s-1", state);
        Assert.Equal("Ada s-1", (string?)(await JsonOf(good))["result"]!["content"]![0]!["text"]);
        foreach (var refused in new[] { foreign, altered, raw, elsewhere, changed })
        {
            Assert.Equal(-32602, (int)(await JsonOf(refused))["error"]!["code"]!);
        }

        Assert.Equal(2, modern.Seen.Count(seen => seen.Body.Contains("\"ask\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_modern_client_answers_what_a_legacy_server_asks_in_the_middle_of_a_call()
    {
        var token = await host.TokenAsync("legacy");
        var result = (await JsonOf(await AskAsync("legacy", token)))["result"]!;
        var question = result["inputRequests"]!["question"]!;
        var again = (await JsonOf(await AskAsync("legacy", token, (string)result["requestState"]!)))["result"]!;
        var state = (string)again["requestState"]!;
        var answer = await JsonOf(await AskAsync("legacy", token, state, "question", id: "77"));
        var late = await JsonOf(await AskAsync("legacy", token, state, "question"));

        Assert.Equal("input_required", (string?)result["resultType"]);
        Assert.Equal(
            ("elicitation/create", "Who?"), ((string?)question["method"], (string?)question["params"]!["message"]));
        Assert.Equal("Who?", (string?)again["inputRequests"]!["question"]!["params"]!["message"]);
        Assert.Equal((77, "Ada"), ((int)answer["id"]!, (string?)answer["result"]!["content"]![0]!["text"]));
        Assert.Equal("complete", (string?)answer["result"]!["resultType"]);
        Assert.Equal(-32602, (int)late["error"]!["code"]!);
        Assert.Contains("Call again", (string?)late["error"]!["message"], StringComparison.Ordinal);
        Assert.Single(legacy.Seen, seen => seen.Body.Contains("\"tools/call\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_that_waits_is_its_callers_alone_and_for_the_arguments_it_was_judged_by()
    {
        var (token, other) = (await host.TokenAsync("legacy"), await host.TokenAsync("legacy", subject: "bob"));
        var state = (string)(await JsonOf(await AskAsync("legacy", token)))["result"]!["requestState"]!;
        var foreign = await JsonOf(await AskAsync("legacy", other, state, "question"));
        var changed = await JsonOf(await AskAsync("legacy", token, state, "question", arguments: """{"a":2}"""));
        var malformed = await JsonOf(await AskAsync("legacy", token, state, "question", response: "7"));
        var good = await JsonOf(await AskAsync("legacy", token, state, "question", arguments: """{ "a" : 1 }"""));

        Assert.Equal(-32602, (int)foreign["error"]!["code"]!);
        Assert.Equal(-32602, (int)changed["error"]!["code"]!);
        Assert.Equal(-32602, (int)malformed["error"]!["code"]!);
        Assert.Equal("Ada", (string?)good["result"]!["content"]![0]!["text"]);
    }

    [Fact]
    public async Task Calls_that_wait_are_bounded_and_end_with_their_grant()
    {
        await host.TokenAsync("legacy");
        var grant = await host.GrantAsync("legacy");
        for (var i = 0; i < ParkedCalls.MostPerGrant; i++)
        {
            Assert.NotNull((await JsonOf(await AskAsync("legacy", host.Token(grant))))["result"]);
        }

        using var surplus = await AskAsync("legacy", host.Token(grant));
        await host.RevokeAsync(grant);

        Assert.Equal(HttpStatusCode.TooManyRequests, surplus.StatusCode);
        await legacy.Cancelled.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_call_whose_grant_ends_just_before_it_would_wait_is_refused_and_takes_no_place()
    {
        await host.TokenAsync("legacy");
        var grant = await host.GrantAsync("legacy");
        legacy.BeforeAsking = () => host.RevokeAsync(grant);
        using var answer = await AskAsync("legacy", host.Token(grant));

        Assert.Null((await JsonOf(answer))["result"]);
        await legacy.Cancelled.Task.WaitAsync(Patience);
        await Eventually.TrueAsync(() => HasEveryPlace(grant));
    }

    [Fact]
    public async Task A_legacy_client_hears_what_a_modern_server_has_to_say()
    {
        var token = await host.TokenAsync("modern");
        var session = await host.InitializeAsync("modern", token);
        using var answer = await host.GetAsync("modern", token, session);
        using var events = await StreamOf(answer);
        modern.Changed.SetResult();
        var said = (await NextAsync(events))!;

        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("notifications/tools/list_changed", (string?)said["method"]);
    }

    [Theory]
    [InlineData("modern")]
    [InlineData("legacy")]
    public async Task Headers_that_no_schema_declares_and_baggage_stay_here(string server)
    {
        var token = await host.TokenAsync(server);
        using var answer = await host.PostAsync(
            server, token,
            """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"mirror","arguments":{"region":"eu"},
              "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
                "io.modelcontextprotocol/clientCapabilities":{}}}}
            """,
            default,
            ("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "mirror"),
            ("Mcp-Param-Region", "eu"), ("Mcp-Param-Other", "x"), ("baggage", "mission=7"), ("tracestate", "a=b"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

        var sent = BehindOf(server).Seen
            .Last(seen => seen.Body.Contains("mirror", StringComparison.Ordinal)).Headers;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("eu", sent["Mcp-Param-Region"].ToString());
        Assert.Contains("0af7651916cd43dd8448eb211c80319c", sent["traceparent"].ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(sent.Keys, name =>
            name is "Mcp-Param-Other" or "baggage" or "tracestate" or "Correlation-Context");
    }

    [Theory]
    [InlineData("\"requestState\":\"s-1\"")]
    [InlineData("\"inputResponses\":{}")]
    public async Task A_legacy_client_has_no_state_to_give(string member)
    {
        var token = await host.TokenAsync("modern");
        using var answer = await host.LegacyAsync(
            "modern", token, null, "tools/call", $"{{\"name\":\"echo\",\"arguments\":{{}},{member}}}");

        Assert.Equal(-32602, (int)(await JsonOf(answer))["error"]!["code"]!);
    }

    [Fact]
    public async Task What_a_legacy_client_says_of_itself_in_passing_stands_in_no_message_twice()
    {
        var token = await host.TokenAsync("modern");
        using var answer = await host.LegacyAsync(
            "modern", token, null, "tools/call",
            """
            {"name":"echo","arguments":{},"_meta":{"io.modelcontextprotocol/clientCapabilities":{"sampling":{}}}}
            """);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var sent = modern.Seen.Last(seen => seen.Body.Contains("tools/call", StringComparison.Ordinal)).Body;
        Assert.DoesNotContain("sampling", sent, StringComparison.Ordinal);
        Assert.Equal(2, sent.Split("clientCapabilities").Length);
    }

    // Calls a tool as a client that can be asked, with a state and an answer if it has them.
    private Task<HttpResponseMessage> AskAsync(
        string server, string token, string? state = null, string? key = null, string tool = "ask", string id = "1",
        string arguments = """{"a":1}""", string response = """{"action":"accept","content":{"name":"Ada"}}""")
    {
        var more = (state is null ? "" : $",\"requestState\":\"{state}\"")
            + (key is null ? "" : $",\"inputResponses\":{{\"{key}\":{response}}}");
        return host.ModernAsync(
            server, token, "tools/call", $"\"name\":\"{tool}\",\"arguments\":{arguments}{more}", tool, id,
            """{"elicitation":{},"extensions":{"x":{}}}""");
    }

    private bool HasEveryPlace(Grant grant)
    {
        var watch = host.Get<GrantWatch>();
        var places = Enumerable.Range(0, GrantWatch.MostPerGrant)
            .Select(_ => watch.Enter(grant, grant.ExpiresAt, () => { })).ToList();
        places.ForEach(place => place?.Dispose());
        return places.All(place => place is not null);
    }

    // Answers a question that was put on a stream.
    private Task<HttpResponseMessage> AcceptAsync(string server, string token, string session, JsonNode question)
    {
        var id = question["id"]!.ToJsonString();
        return host.PostAsync(
            server,
            token,
            $$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{"action":"accept","content":{"name":"Ada"} } }""",
            default,
            ("Mcp-Session-Id", session),
            ("MCP-Protocol-Version", "2025-11-25"));
    }

    private static string? Regular(string? json) => json is null ? null : JsonNode.Parse(json)!.ToJsonString(Relaxed);

    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
