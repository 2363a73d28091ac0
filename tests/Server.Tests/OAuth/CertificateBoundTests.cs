using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Postern.Tests.OAuth;

/// <summary>Tokens that are bound to a certificate: good on connections that show it (RFC 8705 §3).</summary>
public sealed class CertificateBoundTests(MutualTlsHouse house) : IClassFixture<MutualTlsHouse>
{
    private const string
        Exchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        AccessToken = "urn:ietf:params:oauth:token-type:access_token";

    private TestServer Server => house.Server;

    [Theory, Rfc(8705, "3"), Rfc(8705, "3.1")]
    [InlineData("dn")]
    [InlineData("own")]
    [Combines("tls_client_auth", "certificate", "client credentials")]
    [Combines("self-signed tls", "certificate", "client credentials")]
    public async Task A_token_says_to_which_certificate_it_is_bound(string client)
    {
        using var certificate = house.Of(client);
        var reply = await AsItselfAsync(client, certificate);

        Assert.Equal("Bearer", reply.Member("token_type"));
        Assert.Equal(
            $$"""{"x5t#S256":"{{Authority.Thumbprint(certificate)}}"}""", reply.Claims.GetProperty("cnf").ToString());
    }

    [Fact, Rfc(8705, "3.4")]
    public async Task A_client_that_did_not_register_for_it_gets_plain_tokens()
    {
        var reply = await AsItselfAsync("dns", house.Of("dns"));

        Assert.False(reply.Claims.TryGetProperty("cnf", out _));
        Assert.NotEqual(HttpStatusCode.Unauthorized, await CallAsync(null, reply.AccessToken));
    }

    [Theory, Rfc(8705, "3"), Rfc(8705, "6.2")]
    [InlineData("POST")]
    [InlineData("GET")]
    [InlineData("DELETE")]
    public async Task On_every_verb_a_bound_token_is_good_with_its_certificate_alone(string verb)
    {
        using var certificate = house.Of("dn");
        using var renewed = house.Authority.Issue("CN=agent, O=Example", like: certificate.GetECDsaPrivateKey());
        using var stranger = Authority.SelfSigned("CN=agent, O=Example");
        var token = (await AsItselfAsync("dn", certificate)).AccessToken;

        Assert.NotEqual(HttpStatusCode.Unauthorized, await CallAsync(certificate, token, verb));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(null, token, verb));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(renewed, token, verb));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(stranger, token, verb));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(certificate, token, verb, scheme: "DPoP"));
    }

    [Fact, Rfc(6750, "3.1")]
    public async Task Without_its_certificate_a_token_is_told_to_be_invalid_and_not_why()
    {
        var token = (await AsItselfAsync("dn", house.Of("dn"))).AccessToken;
        using var http = Authority.Connect(Server, null);

        using var answer = await SendAsync(http, token, "POST", "Bearer", "echo");

        Assert.Contains("error=\"invalid_token\"", answer.Headers.WwwAuthenticate.ToString());
        Assert.DoesNotContain("certificate", answer.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    [Combines("certificate", "bound server")]
    public async Task A_server_that_requires_a_certificate_takes_no_other_token_and_makes_none()
    {
        using var certificate = house.Of("dn");
        var bound = await AsItselfAsync("dn", certificate, "shown");
        var plain = await AsItselfAsync("dns", house.Of("dns"), "shown");
        var proven = await AsItselfAsync("dn", certificate, "proven");

        Assert.NotEqual(
            HttpStatusCode.Unauthorized, await CallAsync(certificate, bound.AccessToken, server: "shown"));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(null, bound.AccessToken, server: "shown"));
        TokenTests.Refused(plain, "invalid_request");
        TokenTests.Refused(proven, "invalid_dpop_proof");
    }

    [Fact, Rfc(8705, "3.2")]
    public async Task The_resource_server_is_told_which_certificate_to_ask_for()
    {
        using var certificate = house.Of("dn");
        var token = (await AsItselfAsync("dn", certificate)).AccessToken;
        using var http = Authority.Connect(Server, null);

        var told = await new App(http, Server.Issuer, "watch", "", App.WatchSecret).IntrospectAsync(token);

        Assert.True(told.Json.GetProperty("active").GetBoolean());
        Assert.Equal("Bearer", told.Member("token_type"));
        Assert.Equal(
            $$"""{"x5t#S256":"{{Authority.Thumbprint(certificate)}}"}""", told.Json.GetProperty("cnf").ToString());
    }

    [Fact]
    [Combines("DPoP", "certificate")]
    public async Task A_key_and_a_certificate_are_not_mixed()
    {
        using var key = new DpopKey();
        using var certificate = house.Of("dn");
        using var http = Authority.Connect(Server, certificate);
        http.DefaultRequestHeaders.TryAddWithoutValidation(
            "DPoP",
            key.Proof(new("POST", $"{Server.Issuer}/token", Server.Clock.GetUtcNow().ToUnixTimeSeconds())));

        var reply = await new App(http, Server.Issuer, "dn", "").AsItselfAsync(("resource", At("echo")));

        TokenTests.Refused(reply, "invalid_request");
    }

    [Fact]
    [Combines("tls_client_auth", "certificate", "exchange")]
    public async Task A_bound_token_that_was_sent_to_somebody_is_exchanged_for_one_bound_to_them_or_not_at_all()
    {
        var token = (await AsItselfAsync("dn", house.Of("dn"))).AccessToken;
        using var certificate = house.Authority.Issue("CN=swap");
        using var shown = Authority.Connect(Server, certificate);
        using var hidden = Authority.Connect(Server, null);
        (string Name, string? Value)[] ask =
        [
            ("grant_type", Exchange), ("subject_token", token), ("subject_token_type", AccessToken),
            ("resource", At("echo")),
        ];

        var bound = await new App(shown, Server.Issuer, "", "").PostAsync(
            "/token", [.. ask, ("client_id", "swap")]);
        var plain = await new App(hidden, Server.Issuer, "", "").PostAsync(
            "/token", [.. ask, ("client_id", "plainswap"), ("client_secret", App.SwapSecret)]);

        Assert.True(bound.Status is HttpStatusCode.OK, bound.Text);
        Assert.Contains(Authority.Thumbprint(certificate), bound.Claims.GetProperty("cnf").ToString());
        TokenTests.Refused(plain, "invalid_request");
    }

    [Fact, Rfc(8705, "4"), Rfc(8705, "7.1")]
    [Combines("none", "certificate", "code", "refresh")]
    public async Task A_public_clients_refresh_token_is_good_with_the_certificate_it_was_given_for_alone()
    {
        await using var server = await HeaderServer.StartAsync();
        using var ada = new Person(server);
        using var certificate = Authority.SelfSigned("CN=phone");
        using var thief = Authority.SelfSigned("CN=phone");
        using var http = HeaderServer.Showing(server, certificate);
        using var stolen = HeaderServer.Showing(server, thief);
        using var bare = HeaderServer.Behind(server);
        const string redirect = "http://127.0.0.1:8765/callback";
        App app = new(http, server.Issuer, "native", redirect), away = new(stolen, server.Issuer, "native", redirect),
            nobody = new(bare, server.Issuer, "native", redirect);
        var code = (await ada.AllowAsync(app.Authorize())).Code;

        var none = await nobody.RedeemAsync(code, ("code_verifier", app.Verifier));
        var first = await app.RedeemAsync(code);
        var other = await away.RefreshAsync(first.RefreshToken);
        var without = await nobody.RefreshAsync(first.RefreshToken);
        var second = await app.RefreshAsync(first.RefreshToken);

        TokenTests.Refused(none, "invalid_request");
        Assert.True(first.Status is HttpStatusCode.OK, first.Text);
        TokenTests.Refused(other, "invalid_grant");
        TokenTests.Refused(without, "invalid_request");
        Assert.True(second.Status is HttpStatusCode.OK, second.Text);
        Assert.Contains(Authority.Thumbprint(certificate), second.Claims.GetProperty("cnf").ToString());
    }

    [Fact, Rfc(8705, "3"), Rfc(9126, "2")]
    public async Task A_code_of_a_request_that_was_pushed_with_a_certificate_is_good_with_that_one_alone()
    {
        await using var server = await HeaderServer.StartAsync();
        using var ada = new Person(server);
        using var certificate = Authority.SelfSigned("CN=phone");
        using var thief = Authority.SelfSigned("CN=phone");
        using var http = HeaderServer.Showing(server, certificate);
        using var stolen = HeaderServer.Showing(server, thief);
        using var bare = HeaderServer.Behind(server);
        const string redirect = "http://127.0.0.1:8765/callback";
        App app = new(http, server.Issuer, "native", redirect), away = new(stolen, server.Issuer, "native", redirect),
            nobody = new(bare, server.Issuer, "native", redirect);
        var code = (await ada.AllowAsync(app.Pushed(await app.PostAsync("/par", [.. app.Usual])))).Code;

        var none = await nobody.RedeemAsync(code, ("code_verifier", app.Verifier));
        var other = await away.RedeemAsync(code, ("code_verifier", app.Verifier));
        var own = await app.RedeemAsync(code);

        TokenTests.Refused(none, "invalid_grant");
        TokenTests.Refused(other, "invalid_grant");
        Assert.True(own.Status is HttpStatusCode.OK, own.Text);
    }

    [Fact, Rfc("OpenID Connect Core", "5.3.1")]
    public async Task UserInfo_asks_for_the_certificate_too()
    {
        await using var server = await HeaderServer.StartAsync();
        using var ada = new Person(server);
        using var certificate = Authority.SelfSigned("CN=phone");
        using var http = HeaderServer.Showing(server, certificate);
        using var bare = HeaderServer.Behind(server);
        var app = new App(http, server.Issuer, "native", "http://127.0.0.1:8765/callback");
        var code = (await ada.AllowAsync(app.Authorize(("scope", "openid email"), ("resource", null)))).Code;
        var token = (await app.RedeemAsync(code, ("resource", null))).AccessToken;

        Assert.Equal(HttpStatusCode.OK, await InfoAsync(http, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await InfoAsync(bare, token));
    }

    [Fact, Rfc(7591, "3.2.1")]
    [Combines("self-signed tls", "certificate", "code")]
    public async Task A_client_registers_its_certificate_by_itself_where_one_can_be_shown()
    {
        using var certificate = Authority.SelfSigned("CN=phone");
        var members = $$"""
            {"redirect_uris":["https://phone.example/cb"],"token_endpoint_auth_method":"self_signed_tls_client_auth",
            "jwks":{{Authority.Jwks(certificate)}},"tls_client_certificate_bound_access_tokens":true}
            """;
        await using var server = await HeaderServer.StartAsync();
        await using var plain = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var made = await Registered.PostAsync(server, members);
        using var http = HeaderServer.Showing(server, certificate);
        using var bare = HeaderServer.Behind(server);
        var id = made.Member("client_id")!;
        App app = new(http, server.Issuer, id, "https://phone.example/cb"),
            nobody = new(bare, server.Issuer, id, "https://phone.example/cb");
        var code = (await ada.AllowAsync(app.Authorize())).Code;

        var refused = await nobody.RedeemAsync(code, ("code_verifier", app.Verifier));
        var tokens = await app.RedeemAsync(code);

        Assert.True(made.Json.GetProperty("tls_client_certificate_bound_access_tokens").GetBoolean());
        Assert.Equal("invalid_client_metadata", (await Registered.PostAsync(plain, members)).Error);
        TokenTests.Refused(refused, "invalid_client");
        Assert.True(tokens.Status is HttpStatusCode.OK, tokens.Text);
        Assert.Contains(Authority.Thumbprint(certificate), tokens.Claims.GetProperty("cnf").ToString());
    }

    private string At(string server) => $"{Server.Issuer}/mcp/{server}";

    private async Task<Reply> AsItselfAsync(string client, X509Certificate2 shown, string server = "echo")
    {
        using var http = Authority.Connect(Server, shown);
        return await new App(http, Server.Issuer, client, "").AsItselfAsync(("resource", At(server)));
    }

    private async Task<HttpStatusCode> CallAsync(
        X509Certificate2? shown, string token, string verb = "POST", string scheme = "Bearer", string server = "echo")
    {
        using var http = Authority.Connect(Server, shown);
        using var answer = await SendAsync(http, token, verb, scheme, server);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> InfoAsync(HttpClient http, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/userinfo");
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient http, string token, string verb, string scheme, string server)
    {
        using var request = new HttpRequestMessage(new(verb), $"/mcp/{server}");
        request.Headers.TryAddWithoutValidation("Authorization", $"{scheme} {token}");
        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        request.Content = verb is "POST"
            ? new StringContent("""{"jsonrpc":"2.0","id":1,"method":"ping"}""", Encoding.UTF8, "application/json")
            : null;
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
