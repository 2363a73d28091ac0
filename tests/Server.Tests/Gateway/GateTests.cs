using System.Net;
using System.Text.Json.Nodes;
using Postern.Audit;
using Postern.Platform.Database;
using Postern.Servers;
using static Postern.Tests.Gateway.GatewayHost;

namespace Postern.Tests.Gateway;

public sealed class GateTests : BothEras
{
    [Theory]
    [InlineData("POST")]
    [InlineData("GET")]
    [InlineData("DELETE")]
    [Rfc(9728, "5.1")]
    [Rfc(6750, "3"), Rfc(6750, "2.1")]
    public async Task Without_a_token_every_verb_is_challenged_with_scopes_and_the_way_to_the_metadata(string verb)
    {
        using var request = new HttpRequestMessage(new(verb), "/mcp/crm");
        using var answer = await host.Http.SendAsync(request);

        var challenge = answer.Headers.WwwAuthenticate.ToString();
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains(
            $"resource_metadata=\"{host.Issuer}/.well-known/oauth-protected-resource/mcp/crm\"",
            challenge,
            StringComparison.Ordinal);
        Assert.Contains("scope=\"mcp:read", challenge, StringComparison.Ordinal);
        Assert.DoesNotContain("error=", challenge, StringComparison.Ordinal);
    }

    [Fact, Rfc(9728, "3.1")]
    [Rfc(9728, "3.2"), Rfc(9728, "3")]
    public async Task The_metadata_names_the_address_as_it_is_typed_and_who_gives_tokens()
    {
        var metadata = JsonNode.Parse(await host.Http.GetStringAsync("/.well-known/oauth-protected-resource/mcp/crm"))!;

        Assert.Equal($"{host.Issuer}/mcp/crm", (string?)metadata["resource"]);
        Assert.Equal(host.Issuer, (string?)metadata["authorization_servers"]![0]);
    }

    [Fact]
    [Rfc(9700, "2.3")]
    public async Task A_token_for_another_server_is_no_token_here()
    {
        var token = host.Token(await host.GrantAsync("modern"));
        using var answer = await host.ModernAsync("crm", token, "tools/list");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains("error=\"invalid_token\"", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://evil.example", 403)]
    [InlineData("null", 403)]
    [InlineData("http://127.0.0.1.evil.example", 403)]
    [InlineData("http://localhost:6274", 401)]
    public async Task A_page_of_a_stranger_is_turned_away_on_every_verb(string origin, int status)
    {
        foreach (var verb in new[] { "POST", "GET", "DELETE" })
        {
            using var request = new HttpRequestMessage(new(verb), "/mcp/crm") { Headers = { { "Origin", origin } } };
            using var answer = await host.Http.SendAsync(request);
            Assert.Equal(status, (int)answer.StatusCode);
            Assert.Equal(status is 401, answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task A_browser_is_told_which_headers_it_may_send()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/mcp/crm")
        {
            Headers =
            {
                { "Origin", host.Issuer },
                { "Access-Control-Request-Method", "POST" },
                { "Access-Control-Request-Headers", "authorization,mcp-name,mcp-param-region,x-other" },
            },
        };
        using var answer = await host.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(
            "authorization, mcp-name, mcp-param-region",
            answer.Headers.GetValues("Access-Control-Allow-Headers").Single());
    }

    [Fact]
    public async Task The_list_shows_what_the_grant_allows_and_nothing_else_and_is_private()
    {
        await host.TokenAsync("crm");
        var reader = host.Token(await host.GrantAsync("crm", "mcp:read"));
        var result = (await JsonOf(await host.ModernAsync("crm", reader, "tools/list")))["result"]!;
        var names = result["tools"]!.AsArray().Select(tool => (string?)tool!["name"]).ToList();

        Assert.Contains("slow", names);
        Assert.DoesNotContain("echo", names); // the operator says it changes something
        Assert.DoesNotContain("write", names);
        Assert.DoesNotContain("wipe", names);
        Assert.DoesNotContain("poisoned", names); // its description holds invisible text
        Assert.Equal("private", (string?)result["cacheScope"]);
        Assert.InRange((int)result["ttlMs"]!, 0, 10_000);
    }

    [Fact]
    public async Task What_is_listed_can_be_called_and_what_is_not_cannot()
    {
        await host.TokenAsync("crm");
        string[] tools = ["echo", "write", "wipe", "poisoned", "fail", "unheard-of"];
        foreach (var (scopes, chosen) in new (string, string[]?)[]
            {
                ("mcp:read", null),
                ("mcp:read mcp:write", null),
                (AllScopes, null),
                ("mcp:read mcp:write", ["echo"]),
                ("", null),
            })
        {
            var token = host.Token(await host.GrantAsync("crm", scopes, tools: chosen));
            var list = await JsonOf(await host.ModernAsync("crm", token, "tools/list"));
            var listed = list["result"]!["tools"]!.AsArray().Select(tool => (string)tool!["name"]!).ToHashSet();
            foreach (var tool in tools)
            {
                using var answer = await host.CallAsync("crm", token, tool);
                var json = await JsonOf(answer);
                var ran = json["result"] is not null || (int)json["error"]!["code"]! is -32603;
                Assert.True(ran == listed.Contains(tool), $"{tool} with [{scopes}] and tools {chosen?.Length}");
            }
        }
    }

    [Fact]
    public async Task A_tool_that_is_hidden_and_one_that_is_not_there_are_refused_alike()
    {
        var token = await host.TokenAsync("crm");
        using var hidden = await host.CallAsync("crm", token, "poisoned");
        using var missing = await host.CallAsync("crm", token, "unheard-of");

        Assert.Equal(hidden.StatusCode, missing.StatusCode);
        Assert.Equal(await hidden.Content.ReadAsStringAsync(), await missing.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task To_a_client_that_acts_as_itself_a_tool_beyond_its_grant_is_as_one_that_is_not_there()
    {
        await host.TokenAsync("crm");
        var token = host.Token(await host.GrantAsync("crm", "mcp:read", isOwn: true));
        var answers = new List<string>();
        foreach (var tool in new[] { "unheard-of", "wipe", "write", "echo", "poisoned" })
        {
            using var one = await host.CallAsync("crm", token, tool);
            using var other = await host.LegacyCallAsync("crm", token, null, tool);
            answers.Add(await TextOfAsync(one) + await TextOfAsync(other));
        }

        Assert.Contains("-32602", Assert.Single(answers.Distinct()), StringComparison.Ordinal);
        Assert.Contains(await EntriesAsync(10), entry => (string?)JsonNode.Parse(entry.Record)!["decision"]!["reason"]
            is "the grant does not reach tools that destroy something");
    }

    [Fact, Rfc(6750, "3.1")]
    public async Task A_client_that_acts_as_itself_is_told_of_scopes_that_its_token_lacks_and_its_grant_has()
    {
        await host.TokenAsync("crm");
        var token = host.Token(await host.GrantAsync("crm", isOwn: true), Scopes.Of(Scopes.Read));
        using var answer = await host.CallAsync("crm", token, "wipe");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains(
            "scope=\"mcp:read mcp:destroy\"", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Fact, Rfc(6750, "3.1")]
    public async Task A_call_outside_the_grant_names_every_scope_it_needs_and_tells_the_model_what_to_do()
    {
        await host.TokenAsync("crm");
        var token = host.Token(await host.GrantAsync("crm", "mcp:read"));
        using var answer = await host.CallAsync("crm", token, "wipe", id: "\"w\"");

        var challenge = answer.Headers.WwwAuthenticate.ToString();
        var json = await JsonOf(answer);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("error=\"insufficient_scope\"", challenge, StringComparison.Ordinal);
        Assert.Contains("scope=\"mcp:read mcp:destroy\"", challenge, StringComparison.Ordinal);
        Assert.Contains("resource_metadata=", challenge, StringComparison.Ordinal);
        Assert.Equal("w", (string?)json["id"]);
        Assert.Contains("Ask the person", (string?)json["error"]!["message"], StringComparison.Ordinal);
        Assert.DoesNotContain(modern.Seen, seen => seen.Body.Contains("wipe", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_of_fewer_scopes_than_its_grant_reaches_no_further_than_it_says()
    {
        await host.TokenAsync("crm");
        var token = host.Token(await host.GrantAsync("crm"), Scopes.Of(Scopes.Read));
        using var answer = await host.CallAsync("crm", token, "wipe");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task A_call_is_in_the_log_before_it_runs_and_so_is_its_outcome_and_its_refusal()
    {
        var token = await host.TokenAsync("crm");
        using var ran = await host.CallAsync("crm", token, "echo");
        using var refused = await host.CallAsync("crm", host.Token(await host.GrantAsync("crm", "mcp:read")), "wipe");
        var entries = await EntriesAsync(3);

        var decisions = entries.Where(e => e.Kind is AuditKinds.ToolCallDecision)
            .Select(e => JsonNode.Parse(e.Record)!).ToList();
        Assert.Equal(["allow", "deny"], decisions.Select(each => (string?)each["decision"]!["effect"]));
        var outcome = JsonNode.Parse(entries.Single(e => e.Kind is AuditKinds.ToolCallOutcome).Record)!;
        Assert.Equal("ok", (string?)outcome["outcome"]!["status"]);
        Assert.Equal((string?)decisions[0]["id"], (string?)outcome["intentRef"]);
    }

    [Theory]
    [InlineData("say", "allow")]
    [InlineData("wipe", "deny")]
    [InlineData("poisoned", "deny")]
    [InlineData("unheard-of", "deny")]
    public async Task Every_decision_is_in_the_log_with_the_network_and_the_trace_of_its_call(
        string tool, string effect)
    {
        await host.TokenAsync("crm");
        using var answer = await host.PostAsync(
            "crm",
            host.Token(await host.GrantAsync("crm", "mcp:read")),
            $$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"{{{tool}}}","arguments":{} } }""",
            default,
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

        var row = Assert.Single(await EntriesAsync(1), entry => entry.Kind is AuditKinds.ToolCallDecision);
        var entry = JsonNode.Parse(row.Record)!;
        Assert.Equal(effect, (string?)entry["decision"]!["effect"]);
        Assert.Equal("127.0.0.0/24", (string?)entry["net"]?["ipPrefix"]);
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", (string?)entry["trace"]?["traceparent"]);
    }

    [Fact]
    public async Task Who_looked_at_the_tools_is_in_the_log()
    {
        var token = await host.TokenAsync("crm");
        using var listed = await host.ModernAsync("crm", token, "tools/list");
        Assert.Equal(HttpStatusCode.OK, listed.StatusCode);

        List<AuditRow> looks = [];
        await Eventually.TrueAsync(async () =>
        {
            var all = await host.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
            looks = [.. all.Where(entry => entry.Kind is AuditKinds.ToolList)];
            return looks.Count > 0;
        });
        var entry = JsonNode.Parse(Assert.Single(looks).Record)!;
        Assert.Equal("tools/list", (string?)entry["action"]);
        Assert.Equal("ok", (string?)entry["outcome"]!["status"]);
        Assert.StartsWith("gr_", (string?)entry["decision"]!["grantId"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task How_a_call_ended_is_in_the_log_though_its_client_had_gone_by_then()
    {
        var token = await host.TokenAsync("legacy");
        using var leaving = new CancellationTokenSource();
        var call = host.LegacyCallAsync("legacy", token, null, "slow", stop: leaving.Token);
        await legacy.Started.Task.WaitAsync(Patience);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        legacy.Cancelled.TrySetResult();

        var outcome = Assert.Single(await EntriesAsync(2), entry => entry.Kind is AuditKinds.ToolCallOutcome);
        Assert.Equal("error", (string?)JsonNode.Parse(outcome.Record)!["outcome"]!["status"]);
    }

    [Fact]
    public async Task A_call_whose_grant_ends_in_its_first_second_is_cut_and_not_called_undone()
    {
        await host.TokenAsync("crm");
        var grant = await host.GrantAsync("crm");
        var call = host.CallAsync("crm", host.Token(grant), "slow");
        await modern.Started.Task.WaitAsync(Patience);
        await host.RevokeAsync(grant);
        using var answer = await call;

        var said = (string?)(await JsonOf(answer))["error"]!["message"];
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains("resource_metadata", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Contains("in part", said, StringComparison.Ordinal);
        Assert.DoesNotContain("Nothing was done", said, StringComparison.Ordinal);
        await modern.Cancelled.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Mirrored_parameters_must_agree_and_then_go_on()
    {
        var token = await host.TokenAsync("crm");
        using var agrees = await MirrorAsync(token, "eu");
        using var disagrees = await MirrorAsync(token, "us");
        using var lacks = await MirrorAsync(token, null);

        Assert.Equal(HttpStatusCode.OK, agrees.StatusCode);
        Assert.Equal(-32020, (int)(await JsonOf(disagrees))["error"]!["code"]!);
        Assert.Equal(-32020, (int)(await JsonOf(lacks))["error"]!["code"]!);
        var sent = modern.Seen.Last(seen => seen.Body.Contains("mirror", StringComparison.Ordinal)).Headers;
        Assert.Equal("eu", sent["Mcp-Param-Region"].ToString());
    }

    [Fact]
    public async Task A_call_whose_parameters_disagree_has_an_outcome_in_the_log_though_its_client_has_gone()
    {
        await host.ToolsOfAsync("crm");
        var token = host.Token(await host.GrantAsync("crm", isOwn: true));
        using var leaving = new CancellationTokenSource();
        var gone = new TaskCompletionSource();
        arrivals.Notice = http => http.RequestAborted.Register(() => gone.TrySetResult());
        await BeforeCommitAsync("mirror", async () =>
        {
            await leaving.CancelAsync();
            await gone.Task.WaitAsync(Patience);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => MirrorAsync(token, "us", leaving.Token));

        var outcome = Assert.Single(await EntriesAsync(2), entry => entry.Kind is AuditKinds.ToolCallOutcome);
        Assert.Equal("error", (string?)JsonNode.Parse(outcome.Record)!["outcome"]!["status"]);
    }

    [Fact]
    public async Task A_listening_stream_ends_gracefully_when_the_grant_ends()
    {
        await host.TokenAsync("crm");
        var grant = await host.GrantAsync("crm");
        const string Wanted = "\"notifications\":{\"toolsListChanged\":true}";
        using var answer = await host.ModernAsync("crm", host.Token(grant), "subscriptions/listen", Wanted, id: "42");
        using var events = await StreamOf(answer);
        var first = await NextAsync(events);
        await host.RevokeAsync(grant);
        var last = await NextAsync(events);

        Assert.Equal(42, (int)first!["params"]!["_meta"]!["io.modelcontextprotocol/subscriptionId"]!);
        Assert.Equal(42, (int)last!["result"]!["_meta"]!["io.modelcontextprotocol/subscriptionId"]!);
        Assert.Null(await NextAsync(events));
        using var again = await host.ModernAsync("crm", host.Token(grant), "tools/list");
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
    }

    [Fact]
    public async Task The_catalogue_is_kept_for_the_consent_page_once_the_server_was_asked()
    {
        await host.TokenAsync("crm");
        var catalogue = host.Get<ServerBook>().Catalogue(host.Get<ServerBook>().Find(TenantId.Default, "crm")!)!;

        Assert.Equal(Risk.Change, catalogue.Find("echo")?.Risk);
        Assert.Equal(Risk.Destroy, catalogue.Find("wipe")?.Risk);
        Assert.Null(catalogue.Find("poisoned"));
    }

    [Theory]
    [InlineData("text/plain", "application/json, text/event-stream", 415)]
    [InlineData("application/json", "text/html", 406)]
    [InlineData("application/json", "application/json", 406)]
    public async Task A_body_or_an_answer_of_another_kind_is_refused(string type, string accept, int status)
    {
        var token = await host.TokenAsync("crm");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp/crm") { Content = new StringContent("{}") };
        request.Content.Headers.ContentType = new(type);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        using var answer = await host.Http.SendAsync(request);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(
            status is 406 ? "Accept must name" : "Content-Type must be",
            (string?)(await JsonOf(answer))["error"]!["message"]);
    }

    [Fact]
    public async Task A_body_that_says_it_is_too_long_is_refused_unread()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp/crm");
        request.Content = new ByteArrayContent(new byte[(4 << 20) + 1]);
        request.Headers.ExpectContinue = true;
        request.Headers.Authorization = new("Bearer", await host.TokenAsync("crm"));
        using var answer = await host.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Contains("4 MiB", (string?)(await JsonOf(answer))["error"]!["message"]);
    }

    [Theory]
    [InlineData("resources/list", "")]
    [InlineData("resources/templates/list", "")]
    [InlineData("resources/read", "\"uri\":\"a:b\"")]
    [InlineData("prompts/list", "")]
    [InlineData("prompts/get", "\"name\":\"p\"")]
    [InlineData("completion/complete", "\"ref\":{}")]
    [InlineData("subscriptions/listen", "\"notifications\":{}")]
    public async Task What_a_server_lets_one_read_is_out_of_reach_of_a_grant_to_change(string method, string parameters)
    {
        await host.TokenAsync("crm");
        var token = host.Token(await host.GrantAsync("crm", "mcp:write mcp:destroy"));
        var name = method is "resources/read" ? "a:b" : method is "prompts/get" ? "p" : null;

        using var answer = await host.ModernAsync("crm", token, method, parameters, name);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("insufficient_scope", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Contains("scope=\"mcp:read", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(modern.Seen, seen => seen.Body.Contains(method, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_said_not_to_be()
    {
        using var answer = await host.PostAsync("nowhere", null, "{}");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("no MCP server of that name", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_batch_is_judged_message_by_message_and_only_in_the_revision_that_has_them()
    {
        await host.TokenAsync("crm");
        var token = host.Token(await host.GrantAsync("crm", "mcp:read mcp:write"));
        const string Body =
            """
            [{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{}}},
             {"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"wipe","arguments":{}}},
             {"jsonrpc":"2.0","method":"notifications/initialized"},
             {"jsonrpc":"2.0","id":3,"method":"ping"}]
            """;
        using var old = await host.PostAsync("crm", token, Body, default, ("MCP-Protocol-Version", "2025-03-26"));
        using var newer = await host.PostAsync("crm", token, Body, default, ("MCP-Protocol-Version", "2025-06-18"));
        var answers = await EventsOf(old);

        Assert.Equal([1, 2, 3], answers.Select(a => (int)a["id"]!));
        Assert.NotNull(answers[0]["result"]);
        Assert.Equal(403, (int)answers[1]["error"]!["code"]!);
        Assert.Equal(HttpStatusCode.BadRequest, newer.StatusCode);
        Assert.DoesNotContain(modern.Seen, seen => seen.Body.Contains("wipe", StringComparison.Ordinal));
    }

    // All that a client can tell an answer by.
    private static async Task<string> TextOfAsync(HttpResponseMessage answer) =>
        $"{answer.StatusCode} {answer.Headers.WwwAuthenticate} {await answer.Content.ReadAsStringAsync()}";

    // Does something while it is being written down that a call of a tool is allowed: the call has been heard by then,
    // and is not answered yet. Added by the writer, whose list it is.
    private Task BeforeCommitAsync(string tool, Func<Task> act)
    {
        var db = host.Get<Db>();
        return db.WriteAsync(_ =>
        {
            db.AtCommit(CommitStep.Feed, async (_, attached, _) =>
                await (attached.Any(item => item is AuditRecord { Entry.Effect: "allow" } record
                    && record.Entry.Tool == tool) ? act() : Task.CompletedTask));
            return ValueTask.CompletedTask;
        });
    }

    private Task<HttpResponseMessage> MirrorAsync(string token, string? region, CancellationToken stop = default)
    {
        const string Body =
            """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"mirror","arguments":{"region":"eu"},
              "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
                "io.modelcontextprotocol/clientCapabilities":{}}}}
            """;
        var headers = new List<(string, string)>
        {
            ("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "mirror"),
        };
        if (region is not null)
        {
            headers.Add(("Mcp-Param-Region", region));
        }

        return host.PostAsync("crm", token, Body, stop, [.. headers]);
    }
}
