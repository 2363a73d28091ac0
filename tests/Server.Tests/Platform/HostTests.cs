using System.Net;

namespace Postern.Tests.Platform;

/// <summary>A request must name this server as its configuration does, whatever it asks for.</summary>
public sealed class HostTests : IAsyncLifetime
{
    private TestServer server = null!;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:PORT")]
    [InlineData("localhost:PORT")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:1")]
    [InlineData("127.0.0.1.:PORT")]
    [InlineData("[::1]:PORT")]
    public async Task A_request_for_another_host_is_misdirected_at_every_door_but_the_probes(string host)
    {
        var named = host.Replace("PORT", $"{server.Http.BaseAddress!.Port}", StringComparison.Ordinal);

        foreach (var path in (string[])
            ["/mcp/notes", "/authorize", "/token", "/.well-known/oauth-authorization-server", "/me"])
        {
            using var answer = await SendAsync(path, named);

            Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
            Assert.Null(answer.Headers.Location);
            Assert.Contains(server.Issuer, await answer.Content.ReadAsStringAsync());
            Assert.DoesNotContain("evil", await answer.Content.ReadAsStringAsync());
        }

        using var probe = await SendAsync("/healthz", named);
        Assert.Equal(HttpStatusCode.OK, probe.StatusCode);
    }

    private Task<HttpResponseMessage> SendAsync(string path, string host)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.Host = host;
        return server.Http.SendAsync(request);
    }
}
