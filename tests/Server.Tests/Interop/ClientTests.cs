using Microsoft.Extensions.DependencyInjection;

namespace Postern.Tests.Interop;

/// <summary>Software that others wrote gets in by itself, given an address and a person.</summary>
public sealed class ClientTests
{
    private const string Yaml =
        """
        users:
          - { email: ada@example.test, password: correct-horse-battery-staple }
        clients:
          - client_id: app
            redirect_uris: [http://127.0.0.1:8765/callback, http://127.0.0.1:3000/callback]
            token_endpoint_auth_method: none
            grant_types: [authorization_code, refresh_token]
          - { client_id: tv, grant_types: ["urn:ietf:params:oauth:grant-type:device_code"] }
          - client_id: butler
            client_secret: butler-secret-butler-secret-butler-secret
            grant_types: ["urn:openid:params:grant-type:ciba"]
          - client_id: robot
            client_secret: robot-secret-robot-secret-robot-1
            grant_types: [client_credentials]
            resources: [notes]
        """;

    [Theory]
    [InlineData("clients/modern.mjs", "2026-07-28")]
    [InlineData("clients/legacy.mjs", "2025-11-25")]
    [InlineData("clients/legacy.mjs", "2025-06-18")]
    [InlineData("clients/legacy.mjs", "2025-03-26")]
    public async Task An_MCP_client_of_every_revision_gets_from_an_address_to_a_result(string client, string revision)
    {
        await using var server = await StartAsync();

        var answer = await Node.RunAsync(
            client, "--base", server.Issuer, "--server", "notes", "--protocol", revision,
            "--call", "add_note", "--arguments", """{"title":"Milk","text":"two litres"}""");

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Equal(revision, answer.Json.GetProperty("protocol").GetString());
        Assert.Contains("Added as note 1.", answer.Json.GetProperty("result").ToString());
        Assert.True(answer.Json.GetProperty("token").GetProperty("refreshable").GetBoolean());
    }

    [Theory, Rfc(8414, "3.1"), Rfc(9728, "3.1")]
    [InlineData("clients/modern.mjs", "2026-07-28")]
    [InlineData("clients/legacy.mjs", "2025-11-25")]
    public async Task An_MCP_client_finds_its_way_into_a_tenant_below_the_root(string client, string revision)
    {
        await using var server = await StartAsync();
        using var acme = await Tenants.Estate.AddAsync(server, "acme");

        var answer = await Node.RunAsync(
            client, "--base", acme.Tenant.Issuer, "--server", "notes", "--protocol", revision,
            "--call", "add_note", "--arguments", """{"title":"Milk","text":"two litres"}""");

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Contains("Added as note 1.", answer.Json.GetProperty("result").ToString());
        var payload = answer.Json.GetProperty("token").GetProperty("payload");
        Assert.Equal(acme.Tenant.Issuer, payload.GetProperty("iss").GetString());
        Assert.Equal($"{acme.Tenant.Issuer}/mcp/notes", payload.GetProperty("aud").GetString());
    }

    [Theory]
    [InlineData("clients/modern.mjs", "2026-07-28")]
    [InlineData("clients/legacy.mjs", "2025-11-25")]
    public async Task An_MCP_client_that_is_its_metadata_document_registers_nowhere(string client, string revision)
    {
        await using var host = new OAuth.DocumentHost();
        await using var server = await StartAsync(host.Settings);
        var document = host.Client(
            "/client.json", ",\"token_endpoint_auth_method\":\"none\"", "http://127.0.0.1:8765/callback");

        var answer = await Node.RunAsync(
            client, "--base", server.Issuer, "--server", "notes", "--protocol", revision, "--metadata-url", document,
            "--call", "list_notes", "--arguments", "{}");

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Equal(
            document,
            answer.Json.GetProperty("token").GetProperty("payload").GetProperty("client_id").GetString());
        Assert.DoesNotContain(
            answer.Json.GetProperty("steps").EnumerateArray(),
            step => step.GetProperty("path").GetString() is "/register");
    }

    [Theory]
    [InlineData("clients/openid-client.mjs")]
    [InlineData("clients/oauth4webapi.mjs")]
    public async Task An_OAuth_client_gets_a_code_a_token_and_the_next(string client)
    {
        await using var server = await StartAsync();

        var answer = await Node.RunAsync(
            client, "--base", server.Issuer, "--server", "notes",
            "--client-id", "app", "--scope", "offline_access mcp:read");

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.True(answer.Json.GetProperty("refreshed").GetProperty("rotated").GetBoolean());
    }

    [Theory, Rfc(9449, "8")]
    [InlineData("clients/openid-client.mjs", false)]
    [InlineData("clients/openid-client.mjs", true)]
    [InlineData("clients/oauth4webapi.mjs", false)]
    [InlineData("clients/oauth4webapi.mjs", true)]
    public async Task An_OAuth_client_binds_its_tokens_to_its_key(string client, bool isPushed)
    {
        await using var server = await StartAsync("dpop: { require_nonce: true }\n");

        var answer = await Node.RunAsync(
            client,
            [
                "--base", server.Issuer, "--server", "notes", "--client-id", "app", "--dpop", "1",
                "--scope", "offline_access mcp:read", .. isPushed ? (string[])["--par", "1"] : [],
            ]);

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Equal("dpop", answer.Json.GetProperty("token").GetProperty("type").GetString());
        Assert.True(answer.Json.GetProperty("refreshed").GetProperty("rotated").GetBoolean());
    }

    [Theory, Rfc(9449, "9")]
    [InlineData("")]
    [InlineData("dpop: { require_nonce: true }\n")]
    public async Task An_MCP_client_proves_its_key_at_each_call(string settings)
    {
        await using var server = await StartAsync(settings);

        var answer = await Node.RunAsync(
            "clients/modern.mjs", "--base", server.Issuer, "--server", "notes", "--dpop", "1",
            "--call", "add_note", "--arguments", """{"title":"Milk","text":"two litres"}""");

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Contains("Added as note 1.", answer.Json.GetProperty("result").ToString());
        Assert.Equal("DPoP", answer.Json.GetProperty("token").GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("clients/openid-client.mjs")]
    [InlineData("clients/oauth4webapi.mjs")]
    public async Task An_OAuth_client_acts_as_itself(string client)
    {
        await using var server = await StartAsync();

        var answer = await Node.RunAsync(
            client, "--base", server.Issuer, "--server", "notes", "--flow", "credentials",
            "--client-id", "robot", "--client-secret", "robot-secret-robot-secret-robot-1");

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Equal("mcp:read", answer.Json.GetProperty("token").GetProperty("scope").GetString());
    }

    [Fact]
    public async Task A_device_of_another_vendor_waits_for_its_person()
    {
        await using var server = await StartAsync();
        using var ada = new Person(server);

        var running = Node.RunAsync(
            "clients/openid-client.mjs", "--base", server.Issuer, "--server", "notes", "--flow", "device",
            "--client-id", "tv");
        string? code = null;
        await Eventually.TrueAsync(async () => (code = (await server.Db.AllAsync(
            $"select user_code from asks", row => row.GetString(0), default)).FirstOrDefault()) is not null);
        await ada.AnswerAsync(await OAuth.Gadget.BringAsync(ada, code!), "allow");
        var answer = await running;

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Equal("mcp:read", answer.Json.GetProperty("token").GetProperty("scope").GetString());
    }

    [Fact]
    public async Task A_service_of_another_vendor_asks_a_person_by_name()
    {
        await using var server = await StartAsync();
        using var ada = new Person(server);

        var running = Node.RunAsync(
            "clients/openid-client.mjs", "--base", server.Issuer, "--server", "notes", "--flow", "backchannel",
            "--client-id", "butler", "--client-secret", "butler-secret-butler-secret-butler-secret");
        List<string> waiting = [];
        await Eventually.TrueAsync(async () => (waiting = await OAuth.Butler.WaitingAsync(ada)).Count is 1);
        await ada.AnswerAsync(await ada.AskedAsync(waiting[0]), "allow");
        var answer = await running;

        Assert.True(answer.Succeeded, answer.ToString());
    }

    [Fact]
    public async Task The_conformance_suite_finds_nothing_wrong_with_the_authorization_server()
    {
        await using var server = await StartAsync();

        var answer = await Node.RunAsync(
            "clients/conformance-authorization.mjs", "--base", server.Issuer, "--server", "notes",
            "--client-id", "app");

        Assert.True(answer.Succeeded, answer.ToString());
    }

    // Clients judge expiry by the clock on the wall.
    private static Task<TestServer> StartAsync(string settings = "") =>
        TestServer.StartAsync(settings + Yaml, replace: services => services.AddSingleton(TimeProvider.System));
}
