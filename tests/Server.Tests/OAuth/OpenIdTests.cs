using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Postern.Tests.OAuth;

/// <summary>A relying party learns who a person is, as much as they let it, and nothing else.</summary>
public sealed class OpenIdTests(RelyingTown town) : IClassFixture<RelyingTown>
{
    private const string Core = "OpenID Connect Core";

    private TestServer Server => town.Server;

    private Person Ada => town.Ada;

    [Fact, Rfc(Core, "2"), Rfc(Core, "3.1.3.6"), Rfc(Core, "3.1.2.1"), Rfc(Core, "10.1")]
    [Rfc("OpenID Connect Core", "3.1.3.1"), Rfc("OpenID Connect Core", "3.1.3.3"), Rfc(9470, "6.1")]
    public async Task Who_somebody_is_is_told_in_an_ID_token_that_our_keys_signed()
    {
        var app = RelyingTown.Site(Server);

        var reply = await app.LetInAsync(Ada, RelyingTown.Identity("openid email profile", ("nonce", "n-0S6 WzA2Mj")));

        Assert.Equal("openid email profile", reply.Scope);
        var (header, claims) = await ReadAsync(reply.Member("id_token")!);
        Assert.Equal(("RS256", "JWT"), (header.GetProperty("alg").GetString(), header.GetProperty("typ").GetString()));
        Assert.Equal(Server.Issuer, claims.GetProperty("iss").GetString());
        Assert.Equal("site", claims.GetProperty("aud").GetString());
        Assert.Matches("^us_[!-~]{1,252}$", claims.GetProperty("sub").GetString());
        Assert.Equal("n-0S6 WzA2Mj", claims.GetProperty("nonce").GetString());
        Assert.Equal(Acr.Password, claims.GetProperty("acr").GetString());
        Assert.Equal("pwd", claims.GetProperty("amr")[0].GetString());
        Assert.Equal(22, claims.GetProperty("sid").GetString()!.Length);
        Assert.Equal(HalfHash(reply.AccessToken), claims.GetProperty("at_hash").GetString());
        var now = Server.Clock.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal(now, claims.GetProperty("iat").GetInt64());
        Assert.InRange(claims.GetProperty("exp").GetInt64(), now + 1, now + 600);
        Assert.InRange(claims.GetProperty("auth_time").GetInt64(), now - 3600, now);
        // §5.4: what scopes stand for is told at UserInfo.
        Assert.False(claims.TryGetProperty("email", out _));
        Assert.False(claims.TryGetProperty("azp", out _));
    }

    [Fact, Rfc(Core, "5.3.2"), Rfc(Core, "5.4"), Rfc(Core, "5.3.1")]
    [Rfc("OpenID Connect Core", "5.3")]
    public async Task UserInfo_tells_exactly_what_the_scopes_stand_for_to_whoever_holds_the_token()
    {
        var app = RelyingTown.Site(Server);
        var reply = await app.LetInAsync(Ada, RelyingTown.Identity("openid email profile address phone nonsense"));

        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            using var answer = await AskAsync(reply.AccessToken, method);
            var told = JsonElement.Parse(await answer.Content.ReadAsStringAsync());

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
            Assert.True(answer.Headers.CacheControl!.NoStore);
            Assert.Equal(
                ["email", "email_verified", "name", "sub"],
                told.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
            Assert.Equal(Claims(reply).GetProperty("sub").GetString(), told.GetProperty("sub").GetString());
            Assert.Equal("Ada Lovelace", told.GetProperty("name").GetString());
            Assert.Equal(Person.Ada, told.GetProperty("email").GetString());
            Assert.True(told.GetProperty("email_verified").GetBoolean());
        }
    }

    [Theory, Rfc(Core, "5.4"), Rfc(Core, "3.1.2.4")]
    [InlineData("openid", new string[0], "sub")]
    [InlineData("profile openid", new[] { "profile" }, "name sub")]
    [InlineData("openid email", new[] { "email" }, "email email_verified sub")]
    [InlineData("openid email profile", new[] { "email" }, "email email_verified sub")]
    [InlineData("openid email profile", new string[0], "sub")]
    public async Task A_person_leaves_on_what_may_be_told_and_the_answer_says_so(
        string scope, string[] left, string expected)
    {
        var app = RelyingTown.Site(Server);
        var question = await Ada.AskedAsync(app.Authorize(RelyingTown.Identity(scope, ("prompt", "consent"))));
        Assert.Empty(question.Tools);

        var stop = await Ada.AnswerAsync(question, "allow", fields => fields["told"] = [.. left]);
        var reply = await app.RedeemAsync(new Answer(stop.Left!).Code, ("resource", null));

        Assert.Equal(
            ["openid", .. left],
            reply.Scope!.Split(' ').Order(StringComparer.Ordinal).OrderBy(s => s is not "openid"));
        using var answer = await AskAsync(reply.AccessToken);
        var told = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(
            expected,
            string.Join(' ', told.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal)));
    }

    [Theory, Rfc(Core, "5.3.3"), Rfc(6750, "3.1")]
    [InlineData(null, HttpStatusCode.Unauthorized, null)]
    [InlineData("Bearer", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("Bearer nonsense", HttpStatusCode.Unauthorized, "invalid_token")]
    [InlineData("Bearer $id_token", HttpStatusCode.Unauthorized, "invalid_token")]
    [InlineData("Bearer $refresh_token", HttpStatusCode.Unauthorized, "invalid_token")]
    [InlineData("Bearer $tool", HttpStatusCode.Unauthorized, "invalid_token")]
    [InlineData("Bearer $narrow", HttpStatusCode.Forbidden, "insufficient_scope")]
    [InlineData("Basic $access_token", HttpStatusCode.Unauthorized, null)]
    public async Task UserInfo_is_shut_to_everything_but_its_own_token(
        string? authorization, HttpStatusCode status, string? error)
    {
        var app = RelyingTown.Site(Server);
        var reply = await app.LetInAsync(Ada, RelyingTown.Identity("openid email"));
        var tool = await app.LetInAsync(Ada, ("scope", "openid mcp:read"));
        var narrow = await app.RefreshAsync(reply.RefreshToken, ("scope", "email"));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/userinfo", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", authorization
            ?.Replace("$id_token", reply.Member("id_token"), StringComparison.Ordinal)
            .Replace("$refresh_token", reply.RefreshToken, StringComparison.Ordinal)
            .Replace("$access_token", reply.AccessToken, StringComparison.Ordinal)
            .Replace("$tool", tool.AccessToken, StringComparison.Ordinal)
            .Replace("$narrow", narrow.AccessToken, StringComparison.Ordinal));

        using var answer = await Server.Http.SendAsync(request);

        Assert.Equal(status, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsStringAsync());
        var challenge = answer.Headers.WwwAuthenticate.ToString();
        Assert.StartsWith("Bearer ", challenge, StringComparison.Ordinal);
        Assert.Equal(error is not null, challenge.Contains($"error=\"{error}\"", StringComparison.Ordinal));
    }

    [Fact, Rfc(8707, "2"), Rfc(9068, "4")]
    public async Task A_token_that_says_who_somebody_is_opens_no_server_and_a_servers_token_tells_nobody()
    {
        var app = RelyingTown.Site(Server);
        var reply = await app.LetInAsync(Ada, RelyingTown.Identity("openid email"));

        Assert.Equal(Server.Issuer + "/userinfo", reply.Claims.GetProperty("aud").GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, await app.CallAsync(reply.AccessToken));

        var both = await app.LetInAsync(Ada, ("scope", "openid email mcp:read"));

        Assert.Equal($"{Server.Issuer}/mcp/echo", both.Claims.GetProperty("aud").GetString());
        Assert.Equal("mcp:read", both.Claims.GetProperty("scope").GetString());
        using var answer = await AskAsync(both.AccessToken);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        // So the ID token tells it.
        Assert.Equal(Person.Ada, Claims(both).GetProperty("email").GetString());
    }

    [Fact, Rfc(Core, "12.2"), Rfc(Core, "12.1")]
    public async Task A_refreshed_ID_token_is_of_the_same_sign_in_and_repeats_no_nonce()
    {
        var app = RelyingTown.Site(Server);
        var first = await app.LetInAsync(Ada, RelyingTown.Identity("openid email", ("nonce", "once")));
        Server.Clock.Advance(TimeSpan.FromMinutes(3));

        var second = await app.RefreshAsync(first.RefreshToken);
        var without = await app.RefreshAsync(second.RefreshToken, ("scope", "email"));

        var (old, young) = (Claims(first), Claims(second));
        foreach (var name in (string[])["iss", "sub", "aud", "auth_time", "acr", "sid"])
        {
            Assert.Equal(old.GetProperty(name).ToString(), young.GetProperty(name).ToString());
        }

        Assert.Equal(old.GetProperty("iat").GetInt64() + 180, young.GetProperty("iat").GetInt64());
        Assert.False(young.TryGetProperty("nonce", out _));
        Assert.Equal(HalfHash(second.AccessToken), young.GetProperty("at_hash").GetString());
        Assert.Null(without.Member("id_token"));
    }

    [Fact, Rfc(Core, "3.1.2.1")]
    public async Task Without_openid_nobody_is_told_who_the_person_is()
    {
        var app = RelyingTown.Site(Server);

        var reply = await app.LetInAsync(Ada, ("scope", "mcp:read email profile"));
        var alone = await Ada.OpenAsync(app.Authorize(("scope", "email profile"), ("resource", null)));

        Assert.Equal("mcp:read", reply.Scope);
        Assert.Null(reply.Member("id_token"));
        Assert.Equal("invalid_target", new Answer(alone.Left!)["error"]);
    }

    [Fact, Rfc(Core, "5.5")]
    public async Task Single_claims_are_told_where_they_were_asked_for_and_no_more_of_their_scope()
    {
        var app = RelyingTown.Site(Server);
        const string claims =
            """{"userinfo":{"name":{"essential":true},"birthdate":null}"""
            + ""","id_token":{"email":null,"auth_time":{"essential":true}}}""";

        var reply = await app.LetInAsync(Ada, RelyingTown.Identity("openid", ("claims", claims)));

        Assert.Equal("openid", reply.Scope);
        Assert.Equal(Person.Ada, Claims(reply).GetProperty("email").GetString());
        Assert.False(Claims(reply).TryGetProperty("email_verified", out _));
        using var answer = await AskAsync(reply.AccessToken);
        var told = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(["sub", "name"], told.EnumerateObject().Select(member => member.Name));
    }

    [Fact, Rfc(Core, "5.5"), Rfc(Core, "5.5.1")]
    public async Task What_is_not_understood_of_a_request_for_claims_or_not_known_changes_nothing()
    {
        var app = RelyingTown.Site(Server);
        const string claims = """
            {"userinfo":{"name":{"essential":true,"unheard_of":[1]},"nickname":{"essential":true},
            "https://x.example/c":{"value":"a"}},"verified_claims":{"x":1},
            "id_token":{"acr":{"essential":true,"unheard_of":{}},"phone_number":{"essential":true}}}
            """;

        var reply = await app.LetInAsync(
            Ada, RelyingTown.Identity("openid", ("claims", claims.ReplaceLineEndings(""))));

        using var answer = await AskAsync(reply.AccessToken);
        var told = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(["sub", "name"], told.EnumerateObject().Select(member => member.Name));
        Assert.False(Claims(reply).TryGetProperty("phone_number", out _));
    }

    [Fact, Rfc(Core, "3.1.2.2")]
    public async Task Who_asks_who_somebody_is_says_where_the_answer_goes()
    {
        var app = RelyingTown.Site(Server);

        var stop = await Ada.OpenAsync(app.Authorize(RelyingTown.Identity("openid", ("redirect_uri", null))));

        Assert.Equal("invalid_request", new Answer(stop.Left!)["error"]);
    }

    [Theory, Rfc(Core, "5.5")]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("""{"userinfo":[]}""")]
    [InlineData("""{"userinfo":{"name":"yes"}}""")]
    [InlineData("""{"userinfo":{"name":null,"name":null}}""")]
    [InlineData("""{"id_token":{"a":{"b":{"c":{"d":{"e":{}}}}}}}""")]
    [InlineData("""{"id_token":{"acr":{"essential":"true","value":"phr"}}}""")]
    [InlineData("""{"userinfo":{"name":{"essential":1}}}""")]
    [InlineData("""{"id_token":{"acr":{"essential":true,"value":1}}}""")]
    [InlineData("""{"id_token":{"acr":{"essential":true,"values":"phr"}}}""")]
    [InlineData("""{"id_token":{"acr":{"essential":true,"values":[]}}}""")]
    [InlineData("""{"id_token":{"acr":{"essential":true,"values":["phr",1]}}}""")]
    [InlineData("""{"id_token":{"acr":{"essential":true,"value":"phr","values":["phr"]}}}""")]
    [InlineData("""{"userinfo":{"acr":{"essential":true,"value":null}}}""")]
    [InlineData("""{"id_token":{"sub":{"value":7}}}""")]
    public async Task Claims_that_are_no_request_for_claims_are_refused(string claims)
    {
        var stop = await Ada.OpenAsync(
            RelyingTown.Site(Server).Authorize(RelyingTown.Identity("openid", ("claims", claims))));

        Assert.Equal("invalid_request", new Answer(stop.Left!)["error"]);
    }

    [Theory, Rfc(Core, "5.5.1"), Rfc(Core, "5.5.1.1")]
    [InlineData("""{"id_token":{"acr":{"essential":true,"value":"phr"}}}""", "unmet_authentication_requirements")]
    [InlineData("""{"userinfo":{"acr":{"essential":true,"value":"phr"}}}""", "unmet_authentication_requirements")]
    [InlineData("""{"id_token":{"acr":{"essential":true,"value":"level-9"}}}""", "unmet_authentication_requirements")]
    [InlineData(
        """
        {"id_token":{"acr":{"essential":true,"value":"phr"}},
        "userinfo":{"acr":{"essential":true,"value":"urn:postern:acr:pwd"}}}
        """,
        "unmet_authentication_requirements")]
    [InlineData("""{"id_token":{"acr":{"essential":true}}}""", null)]
    [InlineData("""{"id_token":{"acr":{"essential":false,"value":"level-9"}}}""", null)]
    [InlineData("""{"id_token":{"acr":{"essential":true,"values":["level-9","urn:postern:acr:pwd"]}}}""", null)]
    public async Task What_is_essential_is_met_or_the_sign_in_failed(string claims, string? error)
    {
        var stop = await Ada.OpenAsync(RelyingTown.Site(Server).Authorize(
            RelyingTown.Identity("openid", ("claims", claims.ReplaceLineEndings("")))));

        Assert.Equal(error, stop.Left is { } left ? new Answer(left)["error"] : null);
    }

    [Fact, Rfc(Core, "5.3.2"), Rfc(Core, "8.1"), Rfc(Core, "3.1.3.7")]
    [Rfc("OpenID Connect Core", "8"), Rfc("OpenID Connect Registration", "2")]
    public async Task A_client_gets_the_signature_and_the_kind_of_name_it_registered_for()
    {
        var (one, two) = (RelyingTown.Pair(Server, "pair"), RelyingTown.Pair(Server, "pear"));
        var site = RelyingTown.Site(Server);
        var here = await one.LetInAsync(Ada, RelyingTown.Identity("openid"));
        var there = await two.LetInAsync(Ada, RelyingTown.Identity("openid"));
        var open = await site.LetInAsync(Ada, RelyingTown.Identity("openid"));

        var (header, claims) = await ReadAsync(here.Member("id_token")!);
        var names = new[] { here, there, open }.Select(reply => Claims(reply).GetProperty("sub").GetString()).ToList();
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        Assert.Equal(3, names.Distinct().Count());
        // Nobody but us can tell whose a pairwise name is.
        Assert.All(names.Take(2), name => Assert.Matches("^[A-Za-z0-9_-]{43}$", name));
        Assert.DoesNotContain(names[2]!["us_".Length..], names[0]!, StringComparison.Ordinal);
        Assert.Equal(names[0], here.Claims.GetProperty("sub").GetString());
        Assert.Equal(names[0], Claims(await one.RefreshAsync(here.RefreshToken)).GetProperty("sub").GetString());
        Assert.NotEqual(claims.GetProperty("sid").GetString(), Claims(there).GetProperty("sid").GetString());

        using var answer = await AskAsync(here.AccessToken);
        Assert.Equal("application/jwt", answer.Content.Headers.ContentType!.MediaType);
        var (_, told) = await ReadAsync(await answer.Content.ReadAsStringAsync());
        Assert.Equal(
            (names[0], "pair", Server.Issuer),
            (
                told.GetProperty("sub").GetString(),
                told.GetProperty("aud").GetString(),
                told.GetProperty("iss").GetString()));
    }

    private async Task<HttpResponseMessage> AskAsync(string token, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, new Uri("/userinfo", UriKind.Relative));
        request.Headers.Authorization = new("Bearer", token);
        return await Server.Http.SendAsync(request);
    }

    private Task<(JsonElement Header, JsonElement Claims)> ReadAsync(string jwt) => Jwt.ReadAsync(Server, jwt);

    private static JsonElement Claims(Reply reply) => Jwt.Claims(reply.Member("id_token")!);

    private static string HalfHash(string token) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token)).AsSpan(0, 16));
}

/// <summary>Reads tokens as a relying party does: by the keys the server publishes.</summary>
internal static class Jwt
{
    public static JsonElement Claims(string jwt) => JsonElement.Parse(Base64Url.DecodeFromChars(jwt.Split('.')[1]));

    public static Task<(JsonElement Header, JsonElement Claims)> ReadAsync(TestServer server, string jwt) =>
        ReadAsync(server.Http, jwt);

    public static async Task<(JsonElement Header, JsonElement Claims)> ReadAsync(HttpClient http, string jwt)
    {
        var parts = jwt.Split('.');
        var header = JsonElement.Parse(Base64Url.DecodeFromChars(parts[0]));
        var keys = JsonElement.Parse(await http.GetStringAsync(new Uri("/jwks", UriKind.Relative)));
        var key = keys.GetProperty("keys").EnumerateArray().Single(
            key => key.GetProperty("kid").GetString() == header.GetProperty("kid").GetString());
        Assert.Equal(key.GetProperty("alg").GetString(), header.GetProperty("alg").GetString());
        var (data, signature) = (
            Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]));
        Assert.True(key.GetProperty("kty").GetString() is "RSA"
            ? RsaOf(key).VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : EcOf(key).VerifyData(data, signature, HashAlgorithmName.SHA256));
        return (header, Claims(jwt));
    }

    private static RSA RsaOf(JsonElement key) => RSA.Create(new RSAParameters
    {
        Modulus = Bytes(key, "n"),
        Exponent = Bytes(key, "e"),
    });

    private static ECDsa EcOf(JsonElement key) => ECDsa.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new() { X = Bytes(key, "x"), Y = Bytes(key, "y") },
    });

    private static byte[] Bytes(JsonElement key, string name) =>
        Base64Url.DecodeFromChars(key.GetProperty(name).GetString()!);
}

/// <summary>A server with relying parties of several kinds, and a person with a name.</summary>
public sealed class RelyingTown : IAsyncLifetime
{
    public static readonly string Yaml = $$"""
        demo: false
        users:
          - { email: {{Person.Ada}}, password: {{Person.AdasPassword}}, name: Ada Lovelace, email_verified: true }
          - { email: {{Person.Bob}}, password: {{Person.BobsPassword}} }
        clients:
          - client_id: site
            client_secret: {{App.WebSecret}}
            redirect_uris: [https://site.example/cb]
            post_logout_redirect_uris: [https://site.example/bye]
          - client_id: pair
            client_secret: {{App.WebSecret}}
            redirect_uris: [https://pair.example/cb]
            subject_type: pairwise
            id_token_signed_response_alg: ES256
            userinfo_signed_response_alg: RS256
          - client_id: pear
            client_secret: {{App.WebSecret}}
            redirect_uris: [https://a.pear.example/cb, https://b.pear.example/cb]
            subject_type: pairwise
            sector_identifier_uri: https://pear.example/sector.json
          - { client_id: native, redirect_uris: [http://127.0.0.1:8765/callback] }
        servers:
          - { name: echo, http: http://127.0.0.1:9/mcp }
          - { name: files, http: http://127.0.0.1:9/mcp }
        """;

    internal TestServer Server { get; private set; } = null!;

    internal Person Ada { get; private set; } = null!;

    internal static App Site(TestServer server) => new(server, "site", "https://site.example/cb", App.WebSecret);

    internal static App Pair(TestServer server, string name) =>
        new(server, name, name is "pair" ? "https://pair.example/cb" : "https://a.pear.example/cb", App.WebSecret);

    /// <summary>Asks who the person is, and for no tool.</summary>
    internal static (string, string?)[] Identity(string scope, params (string, string?)[] more) =>
        [("scope", scope), ("resource", null), .. more];

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(Yaml);
        Ada = new(Server);
        await Ada.SignInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Ada.Dispose();
        await Server.DisposeAsync();
    }
}
