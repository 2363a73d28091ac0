using Microsoft.Extensions.DependencyInjection;

namespace Postern.Tests.Interop;

/// <summary>The MCP client's own providers for software that acts as itself.</summary>
public sealed class ActingClientTests
{
    private const string Secret = "robot-secret-robot-secret-robot-secret";

    private static readonly JsonKey Key = new();

    [Theory]
    [InlineData("robot", false)]
    [InlineData("robot", true)]
    [InlineData("keyed", false)]
    [InlineData("keyed", true)]
    [Rfc(6749, "4.4"), Rfc(7523, "2.2"), Rfc(9449, "7.1")]
    public async Task An_MCP_client_acts_as_itself(string id, bool isBound)
    {
        // Clients judge expiry by the clock on the wall.
        await using var server = await TestServer.StartAsync(
            $$"""
            clients:
              - client_id: robot
                client_secret: {{Secret}}
                grant_types: [client_credentials]
                resources: [notes]
              - client_id: keyed
                token_endpoint_auth_method: private_key_jwt
                jwks: '{"keys":[{{Key.Public}}]}'
                grant_types: [client_credentials]
                resources: [notes]
            """,
            replace: services => services.AddSingleton(TimeProvider.System));

        var answer = await Node.RunAsync(
            "clients/acting.mjs",
            [
                "--base", server.Issuer, "--server", "notes", "--client-id", id, "--client-secret", Secret,
                .. id is "keyed" ? (string[])["--key", Key.Private] : [],
                .. isBound ? (string[])["--dpop", "yes"] : [],
                "--call", "add_note", "--arguments", """{"title":"Milk","text":"two litres"}""",
            ]);

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Contains("Added as note 1.", answer.Json.GetProperty("result").ToString());
        Assert.Equal(isBound ? "DPoP" : "Bearer", answer.Json.GetProperty("type").GetString());
        var claims = answer.Json.GetProperty("token").GetProperty("payload");
        Assert.Equal(id, claims.GetProperty("client_id").GetString());
        Assert.Equal(isBound, claims.TryGetProperty("cnf", out _));
    }
}
