using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Tests.OAuth;

namespace Postern.Tests.Platform;

/// <summary>An address has one spelling, so that a filter in front of us sees what we serve.</summary>
public sealed class ExactPathTests(Town town) : IClassFixture<Town>
{
    [Theory, Rfc(3986, "6.2.2")]
    [InlineData("/healthz", 200)]
    [InlineData("/healthz?a=%41/../", 200)]
    [InlineData("/mcp/echo", 401)]
    [InlineData("/.well-known/oauth-protected-resource/mcp/echo", 200)]
    [InlineData("/api/servers", 401)]
    [InlineData("/api/nothing", 401)]
    [InlineData("/HEALTHZ", 404)]
    [InlineData("/healthz/", 404)]
    [InlineData("/health%7A", 404)]
    [InlineData("/health%7a", 404)]
    [InlineData("/x/../healthz", 404)]
    [InlineData("/./healthz", 404)]
    [InlineData("/x/%2e%2e/healthz", 404)]
    [InlineData("/MCP/echo", 404)]
    [InlineData("/mcp/Echo", 404)]
    [InlineData("/mcp/echo/", 404)]
    [InlineData("/mcp/%65cho", 404)]
    [InlineData("/.Well-Known/oauth-protected-resource/mcp/echo", 404)]
    [InlineData("/API/servers", 404)]
    [InlineData("/Api/nothing", 404)]
    [InlineData("/api/servers/", 404)]
    [InlineData("/api/servers/%2e%2e", 404)]
    public async Task Only_the_one_spelling_is_served(string path, int status) =>
        Assert.Equal(status, await AskAsync("GET", path));

    [Theory, InlineData("/TOKEN"), InlineData("/token/"), InlineData("/%74oken"), InlineData("/Authorize")]
    public async Task Nothing_is_posted_to_another(string path) => Assert.Equal(404, await AskAsync("POST", path));

    // As bytes: a client library would tidy the address up.
    private async Task<int> AskAsync(string method, string path)
    {
        var uri = new Uri(town.Server.Issuer);
        using var client = new TcpClient();
        await client.ConnectAsync(uri.Host, uri.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: {uri.Authority}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        var line = await reader.ReadLineAsync();
        return (int)Enum.Parse<HttpStatusCode>(line!.Split(' ')[1]);
    }
}
