using System.Net;
using System.Text.Json.Nodes;
using static Postern.Tests.Gateway.GatewayHost;

namespace Postern.Tests.Gateway;

public sealed class NotesTests : IAsyncLifetime
{
    private GatewayHost host = null!;

    public async ValueTask InitializeAsync() => host = await GatewayHost.StartAsync("  []");

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_note_is_added_found_changed_and_deleted()
    {
        var token = await host.TokenAsync("notes");

        Assert.Equal("Added as note 1.", await SayAsync(token, "add_note", """{"title":"Milk","text":"Two litres"}"""));
        Assert.Equal("1: Milk", await SayAsync(token, "list_notes", "{}"));
        Assert.Equal("1: Milk", await SayAsync(token, "search_notes", """{"query":"LITRES"}"""));
        Assert.Equal(
            "Note 1 is changed.", await SayAsync(token, "edit_note", """{"number":1,"text":"Three litres"}"""));
        Assert.Equal("Milk\n\nThree litres", await SayAsync(token, "read_note", """{"number":1}"""));
        Assert.Equal("Note 1 is deleted.", await SayAsync(token, "delete_note", """{"number":1}"""));
        Assert.Contains("list_notes", await SayAsync(token, "read_note", """{"number":1}"""), StringComparison.Ordinal);
    }

    [Fact, Rfc(9728, "3.1")]
    public async Task The_only_server_of_a_host_has_its_metadata_at_the_root_too()
    {
        await using var several = await GatewayHost.StartAsync("  - { name: other, http: http://127.0.0.1:9/mcp }");
        using var ambiguous = await several.Http.GetAsync("/.well-known/oauth-protected-resource");

        var metadata = JsonNode.Parse(await host.Http.GetStringAsync("/.well-known/oauth-protected-resource"))!;

        Assert.Equal($"{host.Issuer}/mcp/notes", (string?)metadata["resource"]);
        Assert.Equal(HttpStatusCode.NotFound, ambiguous.StatusCode);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"name":"half"}""")]
    [InlineData("7")]
    public async Task A_legacy_client_that_says_half_of_who_it_is_is_served(string info)
    {
        var token = await host.TokenAsync("notes");
        using var hello = await host.HelloAsync("notes", token, info: info);
        var session = hello.Headers.GetValues("Mcp-Session-Id").Single();

        using var answer = await host.LegacyCallAsync("notes", token, session, "list_notes");

        Assert.StartsWith(
            "There are no notes", (string?)(await JsonOf(answer))["result"]!["content"]![0]!["text"]);
    }

    [Fact]
    public async Task Notes_of_one_person_are_nobody_elses()
    {
        await SayAsync(await host.TokenAsync("notes", subject: "ada"), "add_note", """{"title":"Secret","text":""}""");

        var bobs = await SayAsync(await host.TokenAsync("notes", subject: "bob"), "list_notes", "{}");
        Assert.StartsWith("There are no notes", bobs, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_tools_have_each_their_class()
    {
        var token = await host.TokenAsync("notes", "mcp:read mcp:write");
        using var listed = await host.ModernAsync("notes", token, "tools/list");
        using var refused = await host.CallAsync("notes", token, "delete_note", """{"number":1}""");
        var names = (await JsonOf(listed))["result"]!["tools"]!.AsArray().Select(tool => (string?)tool!["name"]);

        Assert.Equal(["add_note", "edit_note", "list_notes", "read_note", "search_notes"], names.Order());
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task A_legacy_client_uses_it_as_well()
    {
        var token = await host.TokenAsync("notes");
        var session = await host.InitializeAsync("notes", token);
        using var answer = await host.LegacyCallAsync("notes", token, session, "list_notes");

        Assert.Contains("There are no notes", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private async Task<string?> SayAsync(string token, string tool, string arguments)
    {
        using var answer = await host.CallAsync("notes", token, tool, arguments);
        return (string?)(await JsonOf(answer))["result"]!["content"]![0]!["text"];
    }
}
