using System.Net;
using System.Text;
using System.Text.Json;

namespace Postern.Tests.OAuth;

/// <summary>What resource servers are told of tokens, and in which form (RFC 7662, RFC 9701).</summary>
public sealed class IntrospectionTests : IAsyncLifetime
{
    private const string Jwt = "application/token-introspection+jwt";

    private static readonly string Yaml = App.Town.Replace(
        "servers:",
        $$"""
          - client_id: archive
            client_secret: {{App.WatchSecret}}
            grant_types: [client_credentials]
            introspects: [files]
            introspection_signed_response_alg: ES256
          - { client_id: reader, client_secret: {{App.WatchSecret}}, introspects: [files] }
          - { client_id: bell, client_secret: {{App.WatchSecret}}, global_revocation: true }
        servers:
        """,
        StringComparison.Ordinal);

    private TestServer server = null!;
    private Person ada = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(Yaml);
        ada = new(server);
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
    }

    private App Archive => new(server, "archive", "", App.WatchSecret);

    [Fact, Rfc(9701, "5"), Rfc(9701, "4"), Rfc(8725, "3.11")]
    public async Task Whoever_accepts_a_signed_answer_gets_one_that_is_for_it_and_opens_nothing()
    {
        var tokens = await App.Web(server).LetInAsync(ada);

        var reply = await AskAsync(App.Watch(server), tokens.AccessToken, Jwt);
        var (header, claims) = await OAuth.Jwt.ReadAsync(server, reply.Text);

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal("no-store", reply.Headers.CacheControl!.ToString());
        Assert.Equal("token-introspection+jwt", header.GetProperty("typ").GetString());
        Assert.Equal("RS256", header.GetProperty("alg").GetString());
        Assert.Equal(
            ["aud", "iat", "iss", "token_introspection"],
            claims.EnumerateObject().Select(claim => claim.Name).Order(StringComparer.Ordinal));
        Assert.Equal(server.Issuer, claims.GetProperty("iss").GetString());
        Assert.Equal("watch", claims.GetProperty("aud").GetString());
        Assert.Equal(server.Clock.GetUtcNow().ToUnixTimeSeconds(), claims.GetProperty("iat").GetInt64());
        var told = claims.GetProperty("token_introspection");
        Assert.True(told.GetProperty("active").GetBoolean());
        Assert.Equal(tokens.Claims.GetProperty("jti").GetString(), told.GetProperty("jti").GetString());
        Assert.Equal("web", told.GetProperty("client_id").GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, await App.Web(server).CallAsync(reply.Text));
        Assert.False(await App.Watch(server).IsAliveAsync(reply.Text));
    }

    [Theory, Rfc(9701, "4")]
    [InlineData(Jwt, true)]
    [InlineData("APPLICATION/Token-Introspection+JWT", true)]
    [InlineData(Jwt + ", application/json;q=0.5", true)]
    [InlineData("application/json, " + Jwt, true)]
    [InlineData("application/json, " + Jwt + ";q=0.5", false)]
    [InlineData(Jwt + ";q=0", false)]
    [InlineData("application/json", false)]
    [InlineData("*/*", false)]
    [InlineData("application/jwt", false)]
    [InlineData("nonsense", false)]
    public async Task The_form_is_the_one_that_was_asked_for(string accept, bool isSigned)
    {
        var tokens = await App.Web(server).LetInAsync(ada);

        var reply = await AskAsync(App.Watch(server), tokens.AccessToken, accept);

        Assert.Equal(isSigned, !reply.Text.StartsWith('{'));
    }

    [Fact, Rfc(9701, "6")]
    public async Task Each_resource_server_has_its_own_algorithm()
    {
        var tokens = await App.Web(server).LetInAsync(ada, ("resource", $"{server.Issuer}/mcp/files"));

        var (header, claims) =
            await OAuth.Jwt.ReadAsync(server, (await AskAsync(Archive, tokens.AccessToken, Jwt)).Text);

        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        Assert.Equal("archive", claims.GetProperty("aud").GetString());
        Assert.True(claims.GetProperty("token_introspection").GetProperty("active").GetBoolean());
    }

    [Theory, Rfc(9701, "5"), Rfc(7662, "2.2"), Rfc(7662, "4")]
    [InlineData("of another resource")]
    [InlineData("expired")]
    [InlineData("revoked")]
    [InlineData("altered")]
    [InlineData("a refresh token")]
    [InlineData("nothing of ours")]
    public async Task Of_what_is_not_alive_and_its_own_a_resource_server_learns_nothing_signed_or_not(string which)
    {
        var web = App.Web(server);
        var tokens = await web.LetInAsync(ada);
        var text = which switch
        {
            "altered" => tokens.AccessToken[..^8] + "AAAAAAAA",
            "a refresh token" => tokens.RefreshToken,
            "nothing of ours" => "x.y.z",
            _ => tokens.AccessToken,
        };
        if (which is "expired")
        {
            server.Clock.Advance(TimeSpan.FromHours(1));
        }
        else if (which is "revoked")
        {
            await web.RevokeAsync(tokens.RefreshToken);
        }

        var asking = which is "of another resource" ? Archive : App.Watch(server);
        var signed = await AskAsync(asking, text, Jwt);
        var plain = await AskAsync(asking, text, "application/json");

        var (_, claims) = await OAuth.Jwt.ReadAsync(server, signed.Text);
        Assert.Equal("""{"active":false}""", claims.GetProperty("token_introspection").GetRawText());
        Assert.Equal("""{"active":false}""", plain.Text);
    }

    [Fact, Rfc(9701, "5")]
    public async Task A_client_that_serves_no_resource_gets_no_statement_that_it_could_show_around()
    {
        var web = App.Web(server);
        var tokens = await web.LetInAsync(ada);

        var reply = await AskAsync(web, tokens.AccessToken, Jwt);

        Assert.True(reply.Json.GetProperty("active").GetBoolean());
    }

    [Theory, Rfc(9701, "3"), Rfc("Global Token Revocation", "6.1")]
    [InlineData("reader", "client_credentials"), InlineData("reader", "refresh_token")]
    [InlineData("reader", "authorization_code"), InlineData("bell", "client_credentials")]
    public async Task What_only_asks_about_tokens_or_ends_them_gets_none(string id, string grantType)
    {
        var app = new App(server, id, "", App.WatchSecret);

        var asked = await AskAsync(app, "x", Jwt);
        var reply = await app.PostAsync(
            "/token",
            [
                ("grant_type", grantType), ("refresh_token", "x"),
                ("code", "x"), ("code_verifier", new string('v', 43)),
                ("resource", $"{server.Issuer}/mcp/files"), ("client_id", id), ("client_secret", App.WatchSecret),
            ]);

        Assert.Equal(HttpStatusCode.OK, asked.Status);
        TokenTests.Refused(reply, "unauthorized_client");
    }

    [Fact, Rfc(9701, "5"), Rfc(7662, "2.3")]
    public async Task Who_shows_nothing_to_ask_by_is_told_another_status_than_who_shows_something_wrong()
    {
        var nothing = await AskAsync(new(server, "watch", ""), "x", Jwt);
        var nobody = await App.Watch(server).PostAsync("/introspect", [("token", "x")]);
        var wrong = await AskAsync(new(server, "watch", "", App.WebSecret), "x", Jwt);
        var header = await App.Watch(server).PostAsync("/introspect", [("token", "x")], App.Basic("watch", "wrong"));

        TokenTests.Refused(nothing, "invalid_client", HttpStatusCode.BadRequest);
        TokenTests.Refused(nobody, "invalid_client", HttpStatusCode.BadRequest);
        TokenTests.Refused(wrong, "invalid_client");
        TokenTests.Refused(header, "invalid_client");
    }

    [Fact, Rfc(9701, "7")]
    public async Task The_metadata_names_the_algorithms()
    {
        var metadata = JsonElement.Parse(await server.Http.GetStringAsync(
            new Uri("/.well-known/oauth-authorization-server", UriKind.Relative)));

        Assert.Equal(
            ["RS256", "ES256"],
            metadata.GetProperty("introspection_signing_alg_values_supported").EnumerateArray()
                .Select(item => item.GetString()));
    }

    private async Task<Reply> AskAsync(App app, string token, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/introspect", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Accept", accept);
        request.Content = new StringContent(
            App.Encode([("token", token), ("client_id", app.Id), ("client_secret", app.Secret)]),
            Encoding.UTF8,
            "application/x-www-form-urlencoded");
        using var answer = await server.Http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }
}
