using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Postern.Tests.Interop;

/// <summary>Clients of others as strict as they can be: keys, signed requests, signed answers.</summary>
public sealed class StrongClientTests
{
    private static readonly JsonKey Key = new();

    private static readonly string Yaml = $$"""
        users:
          - { email: ada@example.test, password: correct-horse-battery-staple, name: Ada Lovelace }
        clients:
          - client_id: strong
            redirect_uris: [http://127.0.0.1:8765/callback]
            post_logout_redirect_uris: [http://127.0.0.1:8765/callback]
            token_endpoint_auth_method: private_key_jwt
            require_pushed_authorization_requests: true
            require_signed_request_object: true
            dpop_bound_access_tokens: true
            jwks: '{"keys":[{{Key.Public}}]}'
          - { client_id: tv, grant_types: ["urn:ietf:params:oauth:grant-type:device_code"] }
          - client_id: butler
            client_secret: butler-secret-butler-secret-butler-secret
            grant_types: ["urn:openid:params:grant-type:ciba"]
        """;

    [Theory, InlineData("clients/openid-client-strong.mjs"), InlineData("clients/oauth4webapi-strong.mjs")]
    [Rfc(9101, "10.5"), Rfc("JARM", "2.4"), Rfc(9449, "7.1"), Rfc("OpenID Connect Core", "5.3.1")]
    public async Task A_strict_client_learns_who_the_person_is(string client)
    {
        await using var server = await StartAsync("");

        var answer = await RunAsync(server, client, "--scope", "openid email profile offline_access");

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Equal("Ada Lovelace", Text(answer.Json, "userinfo", "name"));
        Assert.Equal("strong", Text(answer.Json, "introspected", "client_id"));
        Assert.Equal("DPoP", Text(answer.Json, "introspected", "token_type"));
        Assert.False(answer.Json.GetProperty("afterRevocation").GetProperty("active").GetBoolean());
        Assert.True(!answer.Json.TryGetProperty("loggedOut", out var state) || state.GetString() is "bye");
    }

    [Theory, InlineData("clients/openid-client-strong.mjs"), InlineData("clients/oauth4webapi-strong.mjs")]
    [Rfc(9396, "7"), Rfc(9396, "9.2"), Rfc(9449, "8")]
    [Rfc("FAPI 2.0 Security Profile", "5.3.2.1"), Rfc("FAPI 2.0 Security Profile", "5.3.2.2")]
    [Rfc("FAPI 2.0 Security Profile", "5.3.4")]
    public async Task A_strict_client_is_let_in_for_one_tool_and_is_told_so(string client)
    {
        await using var server = await StartAsync("dpop: { require_nonce: true }\n");
        var details = $$"""
            [{"type":"mcp_tool","locations":["{{server.Issuer}}/mcp/notes"],"actions":["list_notes"]}]
            """;

        var answer = await RunAsync(
            server, client, "--scope", "openid mcp:read offline_access", "--details", details);

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Equal(details, answer.Json.GetProperty("details").GetRawText());
        Assert.Equal(
            details, answer.Json.GetProperty("introspected").GetProperty("authorization_details").GetRawText());
    }

    [Theory, InlineData("device", "tv", null)]
    [InlineData("backchannel", "butler", "butler-secret-butler-secret-butler-secret")]
    public async Task A_client_without_a_browser_waits_for_its_person(string flow, string client, string? secret)
    {
        await using var server = await StartAsync("");
        using var ada = new Person(server);

        var running = Node.RunAsync(
            "clients/oauth4webapi-asks.mjs",
            [
                "--base", server.Issuer, "--server", "notes", "--flow", flow, "--client-id", client,
                .. secret is null ? (string[])[] : ["--client-secret", secret],
            ]);
        await Eventually.TrueAsync(async () => (await OAuth.Gadget.WaitingAsync(server)).Count is 1);
        var code = (await server.Db.AllAsync(
            $"select coalesce(user_code, '') from asks", row => row.GetString(0), default)).Single();
        var question = flow is "device"
            ? await OAuth.Gadget.BringAsync(ada, code)
            : await ada.AskedAsync((await OAuth.Butler.WaitingAsync(ada)).Single());
        await ada.AnswerAsync(question, "allow");
        var answer = await running;

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Contains("mcp:read", Text(answer.Json, "token", "scope"));
    }

    private static Task<NodeAnswer> RunAsync(TestServer server, string client, params string[] more) => Node.RunAsync(
        client,
        [
            "--base", server.Issuer, "--server", "notes", "--client-id", "strong", "--key", Key.Private,
            .. more,
        ]);

    private static string? Text(JsonElement json, string group, string name) =>
        json.GetProperty(group).GetProperty(name).GetString();

    // Clients judge expiry by the clock on the wall.
    private static Task<TestServer> StartAsync(string settings) =>
        TestServer.StartAsync(settings + Yaml, replace: services => services.AddSingleton(TimeProvider.System));
}
