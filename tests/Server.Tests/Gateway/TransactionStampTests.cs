using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;
using Postern.AspNetCore.Transactions;
using Postern.Audit;

namespace Postern.Tests.Gateway;

/// <summary>
/// The inner hop: a server that takes transaction tokens is told with each call for whom and what for, and is never
/// sent what the client came with. It judges what it is sent by the SDK alone.
/// </summary>
public sealed class TransactionStampTests : IAsyncLifetime
{
    private const string Draft = "OAuth Transaction Tokens", Header = TransactionTokenValidator.HeaderName;

    private Behind modern = null!, legacy = null!;
    private GatewayHost host = null!;

    public static TheoryData<string> Stamped => ["inner", "older"];

    public async ValueTask InitializeAsync()
    {
        (modern, legacy) = (await Behind.ModernAsync(), await Behind.LegacyAsync());
        host = await GatewayHost.StartAsync(
            $$"""
              - { name: inner, http: "{{modern.Url}}", transaction_tokens: true }
              - { name: older, http: "{{legacy.Url}}", transaction_tokens: true }
              - { name: plain, http: "{{modern.Url}}" }
            """,
            "trust_domain: inner.example");
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await modern.DisposeAsync();
        await legacy.DisposeAsync();
    }

    [Theory, MemberData(nameof(Stamped)), Rfc(Draft, "9.2"), Rfc(Draft, "12.1")]
    public async Task A_call_brings_a_token_that_says_for_whom_and_what_for_in_both_eras(string at)
    {
        await host.ToolsOfAsync(at);
        var grant = await host.GrantAsync(at, acr: Acr.Passkey);
        var token = host.Token(grant);
        using var answer = await host.CallAsync(at, token, "echo", """{ "text" : "hi" }""");
        var sent = Sent(at);
        var stamp = await JudgedAsync(sent);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(grant.Subject.Value, stamp.Subject);
        Assert.Equal([Scopes.Read], stamp.Scopes);
        Assert.Equal(grant.Resource.Value, stamp.Workload);
        Assert.InRange(stamp.ExpiresAt - host.Clock.GetUtcNow(), TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.True(stamp.IsFor("echo", """{ "text" : "hi" }"""u8));
        Assert.False(stamp.IsFor("echo", """{"text":"hi"}"""u8));
        Assert.False(stamp.IsFor("wipe", """{ "text" : "hi" }"""u8));
        Assert.Equal(grant.Id.Value, stamp.Claims.GetProperty("tctx").GetProperty("grant_id").GetString());
        var circumstances = stamp.Claims.GetProperty("rctx");
        Assert.Equal("app", circumstances.GetProperty("client_id").GetString());
        Assert.Equal(Acr.Passkey, circumstances.GetProperty("authn").GetString());
        var entries = await host.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
        Assert.Single(entries, entry =>
            entry.Kind is AuditKinds.ToolCallDecision
            && entry.Record.Contains(stamp.Id, StringComparison.Ordinal));
        Assert.DoesNotContain(token.Split('.')[2], Everything(sent), StringComparison.Ordinal);
        Assert.False(sent.Headers.ContainsKey("Authorization"));
        Assert.All(entries, entry => Assert.DoesNotContain(
            sent.Headers[Header].ToString().Split('.')[2], entry.Record, StringComparison.Ordinal));
    }

    [Fact, Rfc(Draft, "3"), Combines("transaction token", "RAR")]
    public async Task Who_was_let_in_in_detail_brings_along_what_was_said_of_the_tool_that_is_called()
    {
        await host.ToolsOfAsync("inner");
        var grant = await host.GrantAsync("inner", tools: ["echo", "wipe"]);
        using var called = await host.CallAsync("inner", host.Token(grant), "echo", """{"text":"hi"}""");
        var stamp = await JudgedAsync(Sent("inner"));

        Assert.Equal(HttpStatusCode.OK, called.StatusCode);
        Assert.Equal(
            $$"""[{"type":"mcp_tool","locations":["{{grant.Resource}}"],"actions":["echo"]}]""",
            stamp.Claims.GetProperty("authorization_details").GetRawText());
    }

    [Fact, Rfc(Draft, "12")]
    public async Task Each_call_has_a_token_of_its_own_and_what_is_no_call_has_none()
    {
        var token = await host.TokenAsync("inner");
        using var first = await host.CallAsync("inner", token, "echo");
        var one = await JudgedAsync(Sent("inner"));
        using var second = await host.CallAsync("inner", token, "write");
        var two = await JudgedAsync(Sent("inner"));
        using var list = await host.ModernAsync("inner", token, "tools/list");

        Assert.NotEqual(one.Id, two.Id);
        Assert.Equal((Scopes.Read, Scopes.Write), (Assert.Single(one.Scopes), Assert.Single(two.Scopes)));
        Assert.All(
            modern.Seen.Where(seen => !seen.Body.Contains("tools/call", StringComparison.Ordinal)),
            seen => Assert.False(seen.Headers.ContainsKey(Header)));
    }

    [Theory, Rfc(Draft, "12")]
    [InlineData("inner", 1)]
    [InlineData("plain", 0)]
    public async Task What_a_client_sends_in_that_header_goes_no_further(string at, int stamps)
    {
        var token = await host.TokenAsync(at);
        using var answer = await host.PostAsync(
            at,
            token,
            """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{},"_meta":{
              "io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}
            """,
            default,
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", "echo"),
            (Header, "forged.by.client"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var sent = Sent(at);
        Assert.Equal(stamps, sent.Headers[Header].Count);
        Assert.DoesNotContain("forged", sent.Headers[Header].ToString(), StringComparison.Ordinal);
    }

    [Fact, Rfc(Draft, "9.2")]
    public async Task A_client_that_acts_as_itself_is_its_own_subject_and_who_acts_for_another_is_named()
    {
        await host.ToolsOfAsync("inner");
        var own = await host.GrantAsync("inner", isOwn: true);
        using var alone = await host.CallAsync("inner", host.Token(own), "echo");
        var mine = await JudgedAsync(Sent("inner"));
        var passed = await host.GrantAsync("inner", actor: new(host.Issuer, "helper", "ai_agent"));
        using var acting = await host.CallAsync("inner", host.Token(passed), "echo");
        var theirs = await JudgedAsync(Sent("inner"));

        Assert.Equal("app", mine.Subject);
        Assert.False(mine.Claims.TryGetProperty("act", out _));
        Assert.Equal("helper", theirs.Claims.GetProperty("act").GetProperty("sub").GetString());
        Assert.Equal(passed.Subject.Value, theirs.Subject);
    }

    [Fact, Rfc(Draft, "12")]
    public async Task It_ends_after_a_minute_and_with_the_token_that_was_sent()
    {
        var grant = await host.GrantAsync("inner");
        var token = await host.TokenAsync("inner");
        using var early = await host.CallAsync("inner", token, "echo");
        var sent = Sent("inner");
        host.Clock.Advance(TimeSpan.FromSeconds(66));
        var late = await Validator().ValidateAsync(Request(sent));
        host.Clock.Advance(TimeSpan.FromMinutes(8.5));
        using var last = await host.CallAsync("inner", token, "echo");
        var stamp = await JudgedAsync(Sent("inner"));

        Assert.IsType<TokenRefusal>(late);
        Assert.True(stamp.ExpiresAt - host.Clock.GetUtcNow() < TimeSpan.FromSeconds(30));
        Assert.NotNull(grant);
    }

    [Fact, Rfc(Draft, "12"), Rfc(8725, "3.11")]
    public async Task It_opens_nothing_here_and_an_access_token_is_none()
    {
        var token = await host.TokenAsync("inner");
        using var call = await host.CallAsync("inner", token, "echo");
        var stamp = Sent("inner").Headers[Header].ToString();
        using var again = await host.CallAsync("inner", stamp, "echo");
        using var person = new HttpRequestMessage(HttpMethod.Get, "/userinfo");
        person.Headers.Authorization = new("Bearer", stamp);
        using var told = await host.Http.SendAsync(person);
        var http = new DefaultHttpContext();
        http.Request.Headers[Header] = token;

        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, told.StatusCode);
        Assert.IsType<TokenRefusal>(await Validator().ValidateAsync(http.Request));
    }

    [Theory]
    [InlineData("  - { name: a, command: [cat], transaction_tokens: true }", "trust_domain: d", "header")]
    [InlineData("  - { name: a, http: http://127.0.0.1:9/mcp, transaction_tokens: true }", "", "trust_domain")]
    public async Task Where_there_can_be_none_the_configuration_says_so(string servers, string more, string word)
    {
        var refused = await Assert.ThrowsAsync<Postern.Platform.SetupException>(
            () => GatewayHost.StartAsync(servers, more));

        Assert.Contains(word, refused.Message, StringComparison.Ordinal);
    }

    private (string Verb, IHeaderDictionary Headers, string Body) Sent(string at) =>
        (at is "older" ? legacy : modern).Seen.Last(seen => seen.Body.Contains("tools/call", StringComparison.Ordinal));

    private static string Everything((string Verb, IHeaderDictionary Headers, string Body) sent) =>
        string.Join('\n', sent.Headers.Select(header => $"{header.Key}: {header.Value}")) + sent.Body;

    // As a server behind would: the issuer's published keys, and nothing of ours.
    private TransactionTokenValidator Validator() => new(
        host.Issuer,
        "inner.example",
        new LocalKeys(KeySet.Parse(Encoding.UTF8.GetBytes(host.Http.GetStringAsync("/jwks").Result))),
        host.Clock);

    private async Task<TransactionToken> JudgedAsync((string Verb, IHeaderDictionary Headers, string Body) sent) =>
        Assert.IsType<TransactionToken>(await Validator().ValidateAsync(Request(sent)));

    private static HttpRequest Request((string Verb, IHeaderDictionary Headers, string Body) sent)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers[Header] = sent.Headers[Header];
        return http.Request;
    }
}
