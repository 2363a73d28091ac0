using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Postern.Audit;
using Postern.Servers;
using Postern.Tests.Gateway;

namespace Postern.Tests.Api;

/// <summary>
/// What an operator says by the API of how callers of a server must come, and what it is sent with calls.
/// </summary>
public sealed class ProtectionTests : IAsyncLifetime
{
    private const string Wiki = """ "name":"wiki","url":"http://127.0.0.2:7000/mcp" """;

    private GatewayHost host = null!;

    public async ValueTask InitializeAsync() => host = await GatewayHost.StartAsync(
        "  - { name: crm, http: http://127.0.0.1:9/mcp }", "outbound: { allow: [127.0.0.2/32] }\ntrust_domain: inner");

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact, Rfc(9449, "5.1"), Rfc(9728, "2")]
    public async Task A_server_that_is_added_demands_what_it_was_added_with()
    {
        var added = await SendAsync(
            HttpMethod.Post,
            "",
            $$$"""
            { {{{Wiki}}},"require_dpop":true,"transaction_tokens":true,
              "require":{"acr":["phr"],"destroy":{"max_age":"5m"},"tools":[{"name":"pay","max_age":"1m"}]}}
            """);
        var listed = await SendAsync(HttpMethod.Get, "");
        var metadata = JsonElement.Parse(
            await host.Http.GetStringAsync("/.well-known/oauth-protected-resource/mcp/wiki"));
        var bearer = host.Token(await host.GrantAsync("wiki", acr: Acr.Passkey));
        using var answer = await host.ModernAsync("wiki", bearer, "tools/list");

        Assert.Equal(HttpStatusCode.Created, added.Status);
        var wiki = listed.Body.GetProperty("servers").EnumerateArray().Single(
            server => server.GetProperty("name").GetString() is "wiki");
        Assert.True(wiki.GetProperty("require_dpop").GetBoolean());
        Assert.True(wiki.GetProperty("transaction_tokens").GetBoolean());
        Assert.Equal(
            """{"destroy":{"max_age":"5m"},"tools":[{"name":"pay","max_age":"1m"}],"acr":["phr"]}""",
            wiki.GetProperty("require").GetRawText());
        Assert.True(metadata.GetProperty("dpop_bound_access_tokens_required").GetBoolean());
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(TimeSpan.FromMinutes(1), host.ServerOf("wiki").Demands.For("pay", Risk.Destroy)!.MaxAge);
    }

    [Theory, OnBoth]
    public async Task A_change_holds_with_the_next_call_and_ends_no_grant(On on)
    {
        await using var both = await GatewayHost.StartAsync("", "outbound: { allow: [127.0.0.2/32] }", on);
        await SendAsync(HttpMethod.Post, "", $"{{{Wiki}}}", both);
        var token = both.Token(await both.GrantAsync("wiki"));
        using var before = await both.PostAsync("wiki", token, """{"jsonrpc":"2.0","id":1,"method":"ping"}""");

        var changed = await SendAsync(HttpMethod.Put, "/wiki/protection", """{"require":{"acr":["phr"]}}""", both);
        using var demanded = await both.PostAsync("wiki", token, """{"jsonrpc":"2.0","id":1,"method":"ping"}""");
        var relaxed = await SendAsync(HttpMethod.Put, "/wiki/protection", "{}", both);
        using var after = await both.PostAsync("wiki", token, """{"jsonrpc":"2.0","id":1,"method":"ping"}""");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (changed.Status, relaxed.Status));
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        Assert.Contains("acr_values=\"phr\"", demanded.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.False(relaxed.Body.TryGetProperty("require", out _));
        var entries = await both.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
        Assert.Equal(2, entries.Count(entry => entry.Record.Contains("server protection", StringComparison.Ordinal)));
    }

    [Theory, OnBoth]
    public async Task What_the_tools_of_a_server_do_is_said_by_the_API_and_outlives_a_change_of_its_protection(On on)
    {
        await using var both = await GatewayHost.StartAsync("", "outbound: { allow: [127.0.0.2/32] }", on);
        await SendAsync(HttpMethod.Post, "", $"{{{Wiki}}}", both);
        const string Declares =
            """
            [{"name":"pay","spends":{"amount":"n","currency":"EUR"},"data":{"datatypes":["mail"]},"calls":[]},
            {"name":"rename","spends":{}}]
            """;

        var said = await SendAsync(HttpMethod.Put, "/wiki/declarations", $$"""{"declares":{{Declares}}}""", both);
        await SendAsync(HttpMethod.Put, "/wiki/protection", """{"require_dpop":true}""", both);

        Assert.Equal(HttpStatusCode.OK, said.Status);
        Assert.Equal(["mcp_tool", "spend", "data_access", "egress"], both.ServerOf("wiki").Declares.Types);
        Assert.NotNull(both.ServerOf("wiki").Declares.For("rename")!.Spends);
        await SendAsync(HttpMethod.Put, "/wiki/declarations", """{"declares":[]}""", both);
        Assert.Equal(["mcp_tool"], both.ServerOf("wiki").Declares.Types);
    }

    [Theory]
    [InlineData("{}"), InlineData("""{"declares":null}"""), InlineData("""{"declares":[null]}""")]
    [InlineData("""{"declares":[{}]}"""), InlineData("""{"declares":[{"name":""}]}""")]
    [InlineData("""{"declares":[{"name":"a"},{"name":"a"}]}""")]
    [InlineData("""{"declares":[{"name":"a","spends":{"amount":"n"}}]}""")]
    [InlineData("""{"declares":[{"name":"a","spends":{"currency":"EUR"}}]}""")]
    [InlineData("""{"declares":[{"name":"a","data":{"labels":["x"]}}]}""")]
    [InlineData("""{"declares":[{"name":"a","data":{"datatypes":[null]}}]}""")]
    [InlineData("""{"declares":[{"name":"a","calls":[{"upstream":"x","method":"GET"}]}]}""")]
    [InlineData("""{"declares":[{"name":"a","calls":[null]}]}""")]
    [InlineData("""{"declares":[{"name":"a","more":1}]}""")]
    public async Task What_is_said_of_tools_in_another_way_is_refused(string body)
    {
        await SendAsync(HttpMethod.Post, "", $"{{{Wiki}}}");

        Assert.Equal(
            HttpStatusCode.BadRequest, (await SendAsync(HttpMethod.Put, "/wiki/declarations", body)).Status);
        Assert.Equal(["mcp_tool"], host.ServerOf("wiki").Declares.Types);
    }

    [Fact]
    public async Task A_change_reaches_the_other_node()
    {
        await using var one = await GatewayHost.StartAsync("", "outbound: { allow: [127.0.0.2/32] }", On.Postgres);
        await using var two = await GatewayHost.StartAsync("", "outbound: { allow: [127.0.0.2/32] }", like: one);
        await SendAsync(HttpMethod.Post, "", $"{{{Wiki}}}", one);
        await SendAsync(HttpMethod.Put, "/wiki/protection", """{"require_dpop":true}""", one);

        await Eventually.TrueAsync(() =>
            two.Get<ServerBook>().Find(TenantId.Default, "wiki") is { RequiresDpop: true });
    }

    [Theory]
    [InlineData("""{"acr":["strong"]}""")]
    [InlineData("""{"acr":"phr"}""")]
    [InlineData("""{"acr":[null]}""")]
    [InlineData("""{"acr":["phr","phr","phr"]}""")]
    [InlineData("""{"max_age":"59s"}""")]
    [InlineData("""{"max_age":"31d"}""")]
    [InlineData("""{"max_age":"soon"}""")]
    [InlineData("""{"max_age":300}""")]
    [InlineData("""{"destroy":{"acr":["strong"]}}""")]
    [InlineData("""{"destroy":{"acr":["phr"],"destroy":{}}}""")]
    [InlineData("""{"tools":[null]}""")]
    [InlineData("""{"tools":[{"max_age":"5m"}]}""")]
    [InlineData("""{"tools":[{"name":"","max_age":"5m"}]}""")]
    [InlineData("""{"tools":[{"name":"pay"},{"name":"pay"}]}""")]
    [InlineData("""{"always":true}""")]
    [InlineData("[]")]
    public async Task A_demand_that_is_not_understood_is_refused_and_changes_nothing(string require)
    {
        await SendAsync(HttpMethod.Post, "", $$"""{ {{Wiki}},"require_dpop":true}""");
        var added = await SendAsync(
            HttpMethod.Post, "", $$"""{"name":"other","url":"http://127.0.0.2:7000/mcp","require":{{require}} }""");
        var changed = await SendAsync(HttpMethod.Put, "/wiki/protection", $$"""{"require":{{require}} }""");

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (added.Status, changed.Status));
        Assert.True(host.ServerOf("wiki").RequiresDpop);
        Assert.Null(host.Get<ServerBook>().Find(TenantId.Default, "other"));
    }

    [Theory]
    [InlineData("crm", HttpStatusCode.Conflict)]
    [InlineData("notes", HttpStatusCode.Conflict)]
    [InlineData("nobody", HttpStatusCode.NotFound)]
    [InlineData("NOTES", HttpStatusCode.NotFound)]
    public async Task What_the_API_did_not_add_it_does_not_change(string name, HttpStatusCode status) =>
        Assert.Equal(status, (await SendAsync(HttpMethod.Put, $"/{name}/protection", "{}")).Status);

    [Fact]
    public async Task Transaction_tokens_are_for_who_has_a_trust_domain()
    {
        await using var plain = await GatewayHost.StartAsync("", "outbound: { allow: [127.0.0.2/32] }");
        var refused = await SendAsync(HttpMethod.Post, "", $$"""{ {{Wiki}},"transaction_tokens":true}""", plain);

        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains("trust_domain", refused.Body.GetProperty("detail").GetString());
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        HttpMethod verb, string path, string? body = null, GatewayHost? at = null)
    {
        at ??= host;
        var token = await File.ReadAllTextAsync(Path.Combine(at.Folder, "admin.token"));
        using var request = new HttpRequestMessage(verb, "/api/servers" + path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await at.Http.SendAsync(request);
        return (answer.StatusCode, JsonElement.Parse(await answer.Content.ReadAsStringAsync()));
    }
}
