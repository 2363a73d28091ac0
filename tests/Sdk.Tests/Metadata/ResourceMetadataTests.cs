using System.Net;
using System.Text.Json.Nodes;
using Postern.AspNetCore.Metadata;

namespace Postern.AspNetCore.Tests.Metadata;

public sealed class ResourceMetadataTests(ProtectedApi api) : IClassFixture<ProtectedApi>
{
    private const string Path = "/.well-known/oauth-protected-resource/notes";

    [Fact]
    public async Task Anyone_may_read_which_server_guards_the_resource()
    {
        using var answer = await api.Server.GetAsync(Path);

        Assert.Equal("application/json; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal(["*"], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(TimeSpan.FromMinutes(5), answer.Headers.CacheControl!.MaxAge);
        Assert.Equal(
            new JsonObject
            {
                ["resource"] = "https://api.example/notes",
                ["authorization_servers"] = new JsonArray("https://as.example"),
                ["scopes_supported"] = new JsonArray("notes:read"),
                ["bearer_methods_supported"] = new JsonArray("header"),
                ["dpop_signing_alg_values_supported"] = new JsonArray("ES256", "PS256", "RS256"),
                ["resource_name"] = "Notes",
            }.ToJsonString(),
            await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_bad_token_does_not_close_the_metadata()
    {
        using var answer = await api.Server.GetAsync(Path, "a.b.c");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_browser_may_ask_first()
    {
        using var answer = await api.Server.SendAsync(HttpMethod.Options, Path);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(["*"], answer.Headers.GetValues("Access-Control-Allow-Headers"));
        Assert.Equal(["GET"], answer.Headers.GetValues("Access-Control-Allow-Methods"));
    }

    [Theory]
    [InlineData("https://h.example", "https://h.example/.well-known/oauth-protected-resource")]
    [InlineData("https://h.example/", "https://h.example/.well-known/oauth-protected-resource")]
    [InlineData("https://h.example/public/mcp", "https://h.example/.well-known/oauth-protected-resource/public/mcp")]
    [InlineData("https://h.example:8443/a/?k=1", "https://h.example:8443/.well-known/oauth-protected-resource/a/?k=1")]
    public void The_well_known_path_goes_between_host_and_path(string resource, string url) =>
        Assert.Equal(url, ResourceMetadata.UrlOf(resource));
}
