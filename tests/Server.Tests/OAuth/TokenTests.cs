using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>
/// Every parameter of the token endpoint in every wrong form. After each refusal the same code or refresh token still
/// works when it is presented rightly: a failed check consumes nothing.
/// </summary>
public sealed class TokenTests(Town town) : IClassFixture<Town>
{
    private const string Long = "long", Twice = "twice", Differs = "differs";

    private TestServer Server => town.Server;

    public static TheoryData<string, string?, string> WrongRedemptions => new()
    {
        { "grant_type", null, "invalid_request" },
        { "grant_type", "", "invalid_request" },
        { "grant_type", Twice, "invalid_request" },
        { "grant_type", Differs, "invalid_request" },
        { "grant_type", Long, "invalid_request" },
        { "grant_type", "implicit", "unsupported_grant_type" },
        { "grant_type", "password", "unsupported_grant_type" },
        { "grant_type", "AUTHORIZATION_CODE", "unsupported_grant_type" },
        { "grant_type", "authorization_code ", "unsupported_grant_type" },
        { "grant_type", "client_credentials", "unauthorized_client" },
        { "grant_type", "refresh_token", "invalid_request" },
        { "code", null, "invalid_request" },
        { "code", "", "invalid_request" },
        { "code", Twice, "invalid_request" },
        { "code", Differs, "invalid_request" },
        { "code", Long, "invalid_request" },
        { "code", "x", "invalid_grant" },
        { "code", "pac_", "invalid_grant" },
        { "code", "pac_AAAA\0", "invalid_request" },
        { "code_verifier", null, "invalid_grant" },
        { "code_verifier", "", "invalid_grant" },
        { "code_verifier", Twice, "invalid_request" },
        { "code_verifier", Long, "invalid_request" },
        { "code_verifier", "0123456789012345678901234567890123456789012", "invalid_grant" },
        { "code_verifier", "012345678901234567890123456789012345678901", "invalid_grant" },
        { "redirect_uri", Twice, "invalid_request" },
        { "redirect_uri", Long, "invalid_request" },
        { "redirect_uri", "https://web.example/cb/", "invalid_grant" },
        { "redirect_uri", "https://peer.example/cb", "invalid_grant" },
        { "resource", Twice, "invalid_target" },
        { "resource", Differs, "invalid_target" },
        { "resource", Long, "invalid_request" },
        { "resource", "relative/path", "invalid_target" },
        { "resource", "https://elsewhere.example/mcp", "invalid_target" },
        { "scope", Twice, "invalid_request" },
        { "scope", Long, "invalid_request" },
        { "scope", "mcp:read admin", "invalid_scope" },
        { "scope", "mcp:read  mcp:write", "invalid_scope" },
        { "scope", " mcp:read", "invalid_scope" },
        { "scope", "mcp:read\tmcp:write", "invalid_scope" },
        { "scope", "mcp:\"read\"", "invalid_scope" },
        { "scope", "mcp:réad", "invalid_scope" },
        { "client_id", null, "invalid_client" },
        { "client_id", "", "invalid_client" },
        { "client_id", "nobody", "invalid_client" },
        { "client_id", "peer", "invalid_client" },
        { "client_id", "native", "invalid_client" },
        { "client_id", "we\0b", "invalid_request" },
        { "client_id", Twice, "invalid_request" },
        { "client_id", Long, "invalid_request" },
        { "client_secret", null, "invalid_client" },
        { "client_secret", "", "invalid_client" },
        { "client_secret", "wrong", "invalid_client" },
        { "client_secret", App.PeerSecret, "invalid_client" },
        { "client_secret", App.WebSecret + " ", "invalid_client" },
        { "client_secret", Twice, "invalid_request" },
        { "client_secret", Long, "invalid_request" },
        { "authorization_details", "[]", "invalid_authorization_details" },
        { "authorization_details", """[{"type":"mcp_tool","actions":["send"]}]""", "invalid_authorization_details" },
    };

    [Theory, MemberData(nameof(WrongRedemptions))]
    [Rfc(6749, "5.2"), Rfc(6749, "3.1"), Rfc(7636, "4.6"), Rfc(8707, "2.2")]
    [Rfc(6749, "4.1.3"), Rfc("OpenID Connect Core", "3.1.3.2"), Rfc("OpenID Connect Core", "3.1.3.4")]
    public async Task A_wrong_redemption_is_refused_and_the_code_is_still_good(
        string parameter, string? value, string error)
    {
        var app = App.Web(Server);
        var code = (await town.Ada.AllowAsync(app.Authorize())).Code;

        var refused = await app.RedeemAsync(code, Wrong(app, code, parameter, value));
        var redeemed = await app.RedeemAsync(code);

        Refused(refused, error);
        Assert.Equal(HttpStatusCode.OK, redeemed.Status);
    }

    public static TheoryData<string, string?, string> WrongRefreshes => new()
    {
        { "grant_type", null, "invalid_request" },
        { "grant_type", Differs, "invalid_request" },
        { "grant_type", "authorization_code", "invalid_request" },
        { "refresh_token", null, "invalid_request" },
        { "refresh_token", "", "invalid_request" },
        { "refresh_token", Twice, "invalid_request" },
        { "refresh_token", Differs, "invalid_request" },
        { "refresh_token", Long, "invalid_request" },
        { "refresh_token", "x", "invalid_grant" },
        { "refresh_token", "prt_..", "invalid_grant" },
        { "refresh_token", $"prt_{new string('0', 32)}.1.{new string('A', 43)}", "invalid_grant" },
        { "scope", "mcp:read admin", "invalid_scope" },
        { "scope", "mcp:read mcp:write mcp:destroy offline_access more", "invalid_scope" },
        { "scope", "mcp:read\n", "invalid_scope" },
        { "resource", "https://elsewhere.example/mcp", "invalid_target" },
        { "resource", "#", "invalid_target" },
        { "resource", Differs, "invalid_target" },
        { "client_id", null, "invalid_client" },
        { "client_id", "peer", "invalid_client" },
        { "client_secret", null, "invalid_client" },
        { "client_secret", "wrong", "invalid_client" },
        { "client_secret", App.PeerSecret, "invalid_client" },
        { "authorization_details", "[]", "invalid_authorization_details" },
    };

    [Theory, MemberData(nameof(WrongRefreshes))]
    [Rfc(6749, "6"), Rfc(9700, "4.14.2")]
    [Rfc(9700, "2.2.2")]
    public async Task A_wrong_refresh_is_refused_and_the_token_is_still_good(
        string parameter, string? value, string error)
    {
        var app = App.Web(Server);
        var token = (await app.LetInAsync(town.Ada)).RefreshToken;

        var refused = await app.RefreshAsync(token, Wrong(app, token, parameter, value));
        var refreshed = await app.RefreshAsync(token);

        Refused(refused, error);
        Assert.Equal(HttpStatusCode.OK, refreshed.Status);
    }

    [Theory, Rfc(6749, "4.4")]
    [InlineData("grant_type", null, "invalid_request")]
    [InlineData("grant_type", "authorization_code", "unauthorized_client")]
    [InlineData("grant_type", "refresh_token", "unauthorized_client")]
    [InlineData("scope", "mcp:destroy", "invalid_scope")]
    [InlineData("scope", "mcp:read mcp:read admin", "invalid_scope")]
    [InlineData("scope", "offline_access", "invalid_scope")]
    [InlineData("scope", Twice, "invalid_request")]
    [InlineData("resource", "https://elsewhere.example/mcp", "invalid_target")]
    [InlineData("resource", "x", "invalid_target")]
    [InlineData("resource", Twice, "invalid_target")]
    [InlineData("resource", Long, "invalid_request")]
    [InlineData("client_secret", null, "invalid_client")]
    [InlineData("client_secret", App.WebSecret, "invalid_client")]
    [InlineData("client_id", "native", "invalid_client")]
    [InlineData("authorization_details", "{}", "invalid_authorization_details")]
    public async Task A_client_that_asks_wrongly_for_itself_is_refused(string parameter, string? value, string error)
    {
        var app = App.Bench(Server);

        var refused = await app.AsItselfAsync(Wrong(app, "", parameter, value));

        Refused(refused, error);
    }

    [Theory, Rfc(6749, "4.4")]
    [InlineData("web", App.WebSecret)]
    [InlineData("native", null)]
    [InlineData("watch", App.WatchSecret)]
    [Rfc(6749, "4.4.2")]
    public async Task A_client_that_is_not_registered_to_act_as_itself_gets_nothing(string id, string? secret)
    {
        var reply = await new App(Server, id, "", secret).AsItselfAsync(("resource", App.Bench(Server).Resource));

        Assert.Contains(reply.Error, new[] { "unauthorized_client", "invalid_target" });
    }

    [Fact, Rfc(6749, "5.1"), Rfc(9068, "2.2")]
    [Rfc(6749, "3.3"), Rfc(6749, "4.1.4"), Rfc(9068, "3")]
    public async Task A_good_answer_says_what_was_given_and_is_never_kept_by_a_cache()
    {
        var reply = await App.Bench(Server).AsItselfAsync();

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal("Bearer", reply.Member("token_type"));
        Assert.Equal("mcp:read mcp:write", reply.Scope);
        Assert.Equal(600, reply.Json.GetProperty("expires_in").GetInt64());
        Assert.False(reply.Json.TryGetProperty("refresh_token", out _));
        Assert.Equal("no-store", reply.Headers.CacheControl!.ToString());
        Assert.Equal(Server.Issuer, reply.Claims.GetProperty("iss").GetString());
        Assert.Equal($"{Server.Issuer}/mcp/echo", reply.Claims.GetProperty("aud").GetString());
        Assert.Equal("bench", reply.Claims.GetProperty("sub").GetString());
    }

    [Theory, Rfc(6749, "3.2")]
    [InlineData("application/json", "{}")]
    [InlineData("text/plain", "grant_type=client_credentials")]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nx\r\n--x--\r\n")]
    [InlineData(null, "grant_type=client_credentials")]
    public async Task Only_a_form_is_read(string? type, string body)
    {
        using var content = new StringContent(body);
        content.Headers.ContentType = null;
        content.Headers.TryAddWithoutValidation("Content-Type", type);

        using var answer = await Server.Http.PostAsync(new Uri("/token", UriKind.Relative), content);

        Refused(await Reply.ReadAsync(answer), "invalid_request");
    }

    [Theory]
    [InlineData(100, 10)]
    [InlineData(10, 10_000)]
    public async Task A_form_of_many_or_large_parameters_is_refused(int count, int size)
    {
        var fields = Enumerable.Range(0, count).Select(i => ($"p{i}", (string?)new string('x', size)));

        var reply = await App.Bench(Server).PostAsync(
            "/token", fields.Append(("grant_type", "client_credentials")), App.Basic("bench", App.BenchSecret));

        Refused(reply, "invalid_request");
    }

    [Fact, Rfc(6749, "1.9")]
    public async Task A_parameter_has_one_name()
    {
        var bench = App.Bench(Server);
        (string, string)[] proof = [("client_id", "bench"), ("client_secret", App.BenchSecret)];

        var shouted = await bench.PostAsync("/token", [("GRANT_TYPE", "client_credentials"), .. proof]);
        var narrowed = await bench.PostAsync(
            "/token", [("grant_type", "client_credentials"), ("Scope", "mcp:read"), .. proof]);

        Assert.Equal("invalid_request", shouted.Error);
        Assert.Equal("mcp:read mcp:write", narrowed.Member("scope"));
    }

    [Fact]
    public async Task Unknown_parameters_change_nothing()
    {
        var reply = await App.Bench(Server).AsItselfAsync(
            ("audience", "https://elsewhere.example"),
            ("sub", "ada"),
            ("token_endpoint", "http://127.0.0.1/"),
            ("expires_in", "999999"));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal(600, reply.Json.GetProperty("expires_in").GetInt64());
        Assert.Equal("bench", reply.Claims.GetProperty("sub").GetString());
    }

    [Theory]
    [InlineData("/token", "POST")]
    [InlineData("/register", "POST")]
    [InlineData("/revoke", "POST")]
    [InlineData("/jwks", "GET")]
    [InlineData("/.well-known/oauth-authorization-server", "GET")]
    [InlineData("/.well-known/openid-configuration", "GET")]
    [InlineData("/.well-known/oauth-protected-resource/mcp/echo", "GET")]
    public async Task A_page_of_another_origin_may_ask_but_never_with_cookies(string path, string verb)
    {
        using var asking = new HttpRequestMessage(HttpMethod.Options, new Uri(path, UriKind.Relative));
        asking.Headers.Add("Origin", "http://localhost:6274");
        asking.Headers.Add("Access-Control-Request-Method", verb);
        using var doing = new HttpRequestMessage(new(verb), new Uri(path, UriKind.Relative));
        doing.Headers.Add("Origin", "http://localhost:6274");

        foreach (var request in (HttpRequestMessage[])[asking, doing])
        {
            using var answer = await Server.Http.SendAsync(request);

            Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        }
    }

    private static (string Name, string? Value)[] Wrong(App app, string artefact, string parameter, string? value)
    {
        var right = parameter switch
        {
            "grant_type" => "authorization_code",
            "code" or "refresh_token" => artefact,
            "code_verifier" => app.Verifier,
            "redirect_uri" => "https://web.example/cb",
            "resource" => app.Resource,
            "client_id" => "web",
            "client_secret" => App.WebSecret,
            _ => "mcp:read",
        };
        return value switch
        {
            Long => [(parameter, right + new string('a', 17_000))],
            Twice => [(parameter, right), (parameter, right)],
            Differs => [(parameter, right), (parameter, right + "x")],
            "#" => [(parameter, right + "#fragment")],
            _ => [(parameter, value)],
        };
    }

    internal static void Refused(Reply reply, string error, HttpStatusCode? status = null)
    {
        Assert.Equal(error, reply.Error);
        Assert.Equal(
            status ?? (error is "invalid_client" ? HttpStatusCode.Unauthorized : HttpStatusCode.BadRequest),
            reply.Status);
        Assert.Equal("no-store", reply.Headers.CacheControl!.ToString());
        Assert.DoesNotContain("access_token", reply.Text, StringComparison.Ordinal);
        // RFC 6749 §5.2: words, in the one alphabet that is allowed.
        Assert.NotEmpty(reply.Member("error_description")!);
        Assert.DoesNotContain(reply.Member("error_description")!, c => c is < ' ' or > '~' or '"' or '\\');
    }
}
