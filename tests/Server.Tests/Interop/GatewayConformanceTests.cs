using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Postern.Tests.Interop;

/// <summary>
/// What the fixture passes by itself it passes through the gateway: what is missing is the gateway's fault.
/// </summary>
public sealed class GatewayConformanceTests
{
    [Theory]
    [InlineData("2026-07-28", 37)]
    [InlineData("2025-11-25", 30)]
    public async Task The_same_scenarios_pass_through_the_gateway(string revision, int scenarios)
    {
        using var fixture = await Node.ServeAsync("fixture/http.mjs");
        await using var server = await TestServer.StartAsync(
            $$"""
            clients:
              - client_id: robot
                client_secret: robot-secret-robot-secret-robot-1
                grant_types: [client_credentials]
                resources: [echo]
                scope: mcp:read mcp:write mcp:destroy
            servers:
              - { name: echo, http: "{{fixture.Url}}" }
            """,
            replace: services => services.AddSingleton(TimeProvider.System));

        var answer = await Node.RunAsync(
            "clients/conformance-server.mjs", TimeSpan.FromMinutes(10), "--url", $"{server.Issuer}/mcp/echo",
            "--token", await TokenAsync(server), "--requirements", revision);

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Equal(scenarios, answer.Json.GetProperty("passed").GetInt32());
    }

    private static async Task<string> TokenAsync(TestServer server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/token")
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials")]),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes("robot:robot-secret-robot-secret-robot-1")));
        using var answer = await server.Http.SendAsync(request);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return json.RootElement.GetProperty("access_token").GetString()!;
    }
}
