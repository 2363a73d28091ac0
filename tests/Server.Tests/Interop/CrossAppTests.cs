using Microsoft.Extensions.DependencyInjection;

namespace Postern.Tests.Interop;

/// <summary>Both sides of ID-JAG with the client of others between them.</summary>
public sealed class CrossAppTests
{
    private const string Secret = "desk-secret-desk-secret-desk-secret";

    [Theory, InlineData(false), InlineData(true), Rfc("ID-JAG", "4")]
    public async Task An_MCP_client_is_let_in_by_the_word_of_the_persons_identity_provider(bool isBound)
    {
        var elsewhere = $"http://127.0.0.1:{Postgres.FreePort()}";
        await using var idp = await StartAsync(ProviderFor(elsewhere));
        var keys = await idp.Http.GetStringAsync(new Uri("/jwks", UriKind.Relative));
        await using var server = await StartAsync(ServerThatTrusts(idp, keys), elsewhere);
        using var ada = new Person(idp);
        var app = new App(idp, "desk", "https://desk.example/cb", Secret);
        var here = ("resource", $"{idp.Issuer}/mcp/notes");
        var tokens = await app.RedeemAsync((await ada.AllowAsync(app.Authorize(here))).Code, here);
        var told = await app.PostAsync(
            "/token",
            [
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"),
                ("subject_token", tokens.RefreshToken),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
                ("audience", elsewhere),
                ("client_id", "desk"),
                ("client_secret", Secret),
            ]);

        var answer = await Node.RunAsync(
            "clients/cross-app.mjs",
            [
                "--base", server.Issuer, "--server", "notes",
                "--client-id", "connector", "--client-secret", Secret,
                "--assertion", told.AccessToken,
                .. isBound ? (string[])["--dpop", "yes"] : [],
                "--call", "add_note", "--arguments", """{"title":"Milk","text":"two litres"}""",
            ]);

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Contains("Added as note 1.", answer.Json.GetProperty("result").ToString());
        Assert.Equal(isBound ? "DPoP" : "Bearer", answer.Json.GetProperty("type").GetString());
        Assert.Equal(
            "connector",
            answer.Json.GetProperty("token").GetProperty("payload").GetProperty("client_id").GetString());
    }

    [Fact, Rfc("ID-JAG", "4.3.1"), Rfc("ID-JAG", "4.4")]
    public async Task An_MCP_client_asks_the_identity_provider_by_itself_with_an_ID_token()
    {
        var elsewhere = $"http://127.0.0.1:{Postgres.FreePort()}";
        await using var idp = await StartAsync(ProviderFor(elsewhere));
        var keys = await idp.Http.GetStringAsync(new Uri("/jwks", UriKind.Relative));
        await using var server = await StartAsync(ServerThatTrusts(idp, keys), elsewhere);
        using var ada = new Person(idp);
        var app = new App(idp, "desk", "https://desk.example/cb", Secret);
        var here = ("resource", $"{idp.Issuer}/mcp/notes");
        var answer = await ada.AllowAsync(app.Authorize(here, ("scope", "openid mcp:read")));
        var tokens = await app.RedeemAsync(answer.Code, here);

        var ran = await Node.RunAsync(
            "clients/cross-app.mjs", "--base", server.Issuer, "--server", "notes",
            "--client-id", "connector", "--client-secret", Secret,
            "--idp", idp.Issuer, "--idp-client-id", "desk", "--idp-client-secret", Secret,
            "--id-token", tokens.Member("id_token")!,
            "--call", "list_notes", "--arguments", "{}");

        Assert.True(ran.Succeeded, ran.ToString());
        var said = ran.Json.GetProperty("assertion");
        Assert.Equal("oauth-id-jag+jwt", said.GetProperty("header").GetProperty("typ").GetString());
        Assert.Equal(server.Issuer, said.GetProperty("payload").GetProperty("aud").GetString());
    }

    private static string ProviderFor(string elsewhere) => $$"""
        users:
          - { email: {{Person.Ada}}, password: {{Person.AdasPassword}}, email_verified: true }
        clients:
          - client_id: desk
            client_secret: {{Secret}}
            redirect_uris: [https://desk.example/cb]
            grant_types: [authorization_code, refresh_token, 'urn:ietf:params:oauth:grant-type:token-exchange']
        asserts_to:
          - issuer: {{elsewhere}}
            resources: [{{elsewhere}}/mcp/notes]
            scope: mcp:read mcp:write
            clients: { desk: connector }
        """;

    private static string ServerThatTrusts(TestServer idp, string keys) => $$"""
        clients:
          - client_id: connector
            client_secret: {{Secret}}
            grant_types: ['urn:ietf:params:oauth:grant-type:jwt-bearer']
        trusted_issuers:
          - issuer: {{idp.Issuer}}
            kind: idp
            jwks: '{{keys}}'
            resources: [notes]
            scope: mcp:read mcp:write
            email_domains: [example.test]
            makes_users: true
        """;

    // Clients judge expiry by the clock on the wall.
    private static Task<TestServer> StartAsync(string yaml, string? issuer = null) => TestServer.StartAsync(
        yaml, replace: services => services.AddSingleton(TimeProvider.System), issuer: issuer);
}
