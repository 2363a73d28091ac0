using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>Requests that the client signed (RFC 9101).</summary>
public sealed class RequestObjectTests(RequestObjectTests.Signers signers) : IClassFixture<RequestObjectTests.Signers>
{
    private static readonly Signer Own = new("k1"), Foreign = new("k1");

    private TestServer Server => signers.Server;

    private App App => signers.App;

    [Theory, InlineData("ES256", "oauth-authz-req+jwt"), InlineData("PS256", "oauth-authz-req+jwt")]
    [InlineData("ES256", null), InlineData("ES256", "application/oauth-authz-req+jwt")]
    [Rfc(9101, "5.1"), Rfc(9101, "6.2"), Rfc(9126, "3")]
    [Rfc("OpenID Connect Core", "6.1")]
    [Combines("PAR", "JAR", "code")]
    public async Task A_signed_request_leads_to_a_code_by_address_and_pushed(string alg, string? typ)
    {
        var text = Own.Sign(Claims(), typ, alg);

        var byValue = await signers.Ada.AllowAsync(Address(text));
        var pushed = await App.PostAsync("/par", Pushed(text));
        var byReference = await signers.Ada.AllowAsync(App.Pushed(pushed));

        Assert.Equal(HttpStatusCode.Created, pushed.Status);
        Assert.Equal("inner", byValue["state"]);
        Assert.Equal("inner", byReference["state"]);
        Assert.Equal(HttpStatusCode.OK, (await App.RedeemAsync(byValue.Code)).Status);
    }

    [Fact, Rfc(9101, "5"), Rfc(9101, "6.3")]
    public async Task Only_what_is_inside_counts()
    {
        var claims = Claims();
        claims.Remove("state");
        var text = Own.Sign(claims);

        var outside = await signers.Ada.AllowAsync(
            Address(text, ("state", "outer"), ("redirect_uri", "https://evil.example/cb"), ("scope", "admin")));
        var pushed = await App.PostAsync("/par", [.. Pushed(text), ("state", "outer"), ("scope", "admin")]);

        Assert.Equal("signer.example", outside.Address.Host);
        Assert.Null(outside["state"]);
        Assert.Null((await signers.Ada.AllowAsync(App.Pushed(pushed)))["state"]);
    }

    [Fact, Rfc(9101, "6.3"), Rfc("OpenID Connect Core", "6.1")]
    public async Task An_ID_token_repeats_the_nonce_inside_and_never_the_one_beside()
    {
        var (with, without) = (Claims(), Claims());
        (with["scope"], without["scope"], with["nonce"]) = ("openid mcp:read", "openid mcp:read", "inner");

        Assert.Equal("inner", await NonceAsync(with));
        Assert.Null(await NonceAsync(without));

        async Task<string?> NonceAsync(JsonObject claims)
        {
            var answer = await signers.Ada.AllowAsync(Address(Own.Sign(claims), ("nonce", "outer")));
            var told = Jwt.Claims((await App.RedeemAsync(answer.Code)).Member("id_token")!);
            return told.TryGetProperty("nonce", out var nonce) ? nonce.GetString() : null;
        }
    }

    [Theory, Rfc(8725, "3.11"), Rfc(7515, "4.1.9")]
    [InlineData("application/oauth-authz-req+jwt"), InlineData("OAuth-AuthZ-Req+JWT")]
    public async Task A_type_is_the_same_in_any_case_and_with_its_prefix(string typ) =>
        Assert.NotNull((await signers.Ada.AllowAsync(Address(Own.Sign(Claims(), typ)))).Code);

    [Theory, Rfc(9101, "6.2"), Rfc(9101, "6.3"), Rfc(9101, "10.8"), Rfc(8725, "3.11")]
    [InlineData("iss", null), InlineData("iss", "other")]
    [InlineData("client_id", null), InlineData("client_id", "other")]
    [InlineData("aud", null), InlineData("aud", "https://elsewhere.example"), InlineData("aud", "ISSUER/par")]
    [InlineData("exp", null), InlineData("exp", "-1"), InlineData("exp", "3700"), InlineData("exp", "text")]
    [InlineData("nbf", null), InlineData("nbf", "60"), InlineData("nbf", "-3700"), InlineData("nbf", "text")]
    [InlineData("iat", "60"), InlineData("sub", "signer"), InlineData("redirect_uri", null)]
    [InlineData("request", "x"), InlineData("request_uri", "https://elsewhere.example/r")]
    [InlineData("scope", "JSON"), InlineData("state", "JSON"), InlineData("resource", "JSON")]
    [Rfc(9101, "4"), Rfc(9101, "7"), Rfc("FAPI 2.0 Message Signing", "5.3.1")]
    public async Task An_object_that_is_not_exactly_for_this_is_refused(string claim, string? value)
    {
        var claims = Claims();
        claims[claim] = value switch
        {
            "text" => "soon",
            "JSON" => new JsonObject(),
            not null when int.TryParse(value, out var seconds) => Now + seconds,
            not null => value.Replace("ISSUER", Server.Issuer, StringComparison.Ordinal),
            _ => null,
        };
        if (value is null)
        {
            claims.Remove(claim);
        }

        await IsRefusedAsync(Own.Sign(claims), "invalid_request_object");
    }

    [Theory, Rfc(9101, "6.1"), Rfc(9101, "6.2"), Rfc(8725, "3.1")]
    [InlineData("none"), InlineData("HS256"), InlineData("RS256"), InlineData("foreign"), InlineData("cut")]
    [InlineData("JWT"), InlineData("encrypted"), InlineData("kid unknown"), InlineData("kid of the other key")]
    [InlineData("at+jwt"), InlineData("dpop+jwt"), InlineData("client-authentication+jwt"), InlineData("no JWT")]
    public async Task An_object_that_its_client_did_not_sign_as_one_is_refused(string how)
    {
        var text = how switch
        {
            "foreign" => Foreign.Sign(Claims()),
            "cut" => Own.Sign(Claims())[..^8],
            "no JWT" => "x",
            "encrypted" => string.Join('.', Enumerable.Repeat("e30", 5)),
            "kid unknown" => Own.Sign(Claims(), named: "k9"),
            "kid of the other key" => Own.Sign(Claims(), named: "k1-rsa"),
            _ when how.Contains("jwt", StringComparison.OrdinalIgnoreCase) => Own.Sign(Claims(), how),
            _ => Own.Sign(Claims(), alg: how),
        };

        await IsRefusedAsync(text, "invalid_request_object");
    }

    [Theory, InlineData("claims", """{"id_token":{"\ud800":null}}""")]
    [InlineData("authorization_details", """[{"type":"\ud800"}]"""), InlineData("state", "\"\\ud800\"")]
    public async Task An_object_with_half_a_letter_in_it_is_refused(string claim, string value)
    {
        var claims = Claims();
        claims.Remove(claim);
        var text = claims.ToJsonString().Insert(1, $"\"{claim}\":{value},");

        await IsRefusedAsync(Own.SignBytes(Encoding.UTF8.GetBytes(text)), "invalid_request_object");
    }

    [Fact, Rfc(9101, "6.3")]
    public async Task Times_may_be_a_little_off_and_an_audience_one_of_several()
    {
        var claims = Claims();
        claims["nbf"] = Now + 8;
        claims["exp"] = Now + 3600;
        claims["aud"] = new JsonArray(Server.Issuer, "https://elsewhere.example");

        Assert.NotNull((await signers.Ada.AllowAsync(Address(Own.Sign(claims)))).Code);
    }

    [Theory, Rfc(9101, "5"), Rfc("OpenID Connect Core", "6")]
    [InlineData("https://elsewhere.example/request", "request_uri_not_supported")]
    [InlineData("urn:ietf:params:oauth:request_uri:x", "invalid_request")]
    public async Task An_object_and_a_reference_are_not_taken_together(string reference, string error)
    {
        var text = Own.Sign(Claims());

        var stop = await signers.Ada.OpenAsync(
            Address(text, ("request_uri", reference), ("redirect_uri", "https://signer.example/cb")));
        var pushed = await App.PostAsync("/par", [.. Pushed(text), ("request_uri", reference)]);

        Assert.Equal(error, new Answer(stop.Left!)["error"]);
        Assert.Equal("invalid_request", pushed.Error);
    }

    [Fact, Rfc(9101, "6.2")]
    public async Task An_object_of_one_client_is_nothing_for_another()
    {
        var text = Own.Sign(Claims());

        var stop = await signers.Ada.OpenAsync($"/authorize?client_id=other&request={text}");
        var unsigning = await App.Web(Server).PostAsync(
            "/par", [("client_id", "web"), ("client_secret", App.WebSecret), ("request", text)]);

        Assert.True(stop.Left is null || new Answer(stop.Left)["error"] is "invalid_request_object");
        Assert.Equal("request_not_supported", unsigning.Error);
    }

    [Fact, Rfc(9101, "10.5"), Rfc(9126, "2.3")]
    public async Task A_client_that_must_sign_is_heard_no_other_way()
    {
        var app = new App(Server, "strict", "https://strict.example/cb", App.PeerSecret);

        var plain = await signers.Ada.OpenAsync(app.Authorize());
        var pushed = await app.PushAsync();
        var claims = Claims("strict", "https://strict.example/cb");
        var byKeyOfTheOtherKind = await app.PostAsync("/par",
            [("client_id", "strict"), ("client_secret", App.PeerSecret), ("request", Own.Sign(claims))]);
        var signed = await app.PostAsync("/par",
            [("client_id", "strict"), ("client_secret", App.PeerSecret), ("request", Own.Sign(claims, alg: "PS256"))]);

        Assert.Equal("invalid_request", new Answer(plain.Left!)["error"]);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (pushed.Status, pushed.Error));
        Assert.Equal("invalid_request_object", byKeyOfTheOtherKind.Error);
        Assert.NotNull((await signers.Ada.AllowAsync(app.Pushed(signed))).Code);
    }

    [Theory]
    [InlineData("\"request_object_signing_alg\":\"none\"")]
    [InlineData("\"require_signed_request_object\":true")]
    [InlineData("\"request_object_signing_alg\":\"RS256\"")]
    [InlineData("\"authorization_signed_response_alg\":\"none\"")]
    public async Task A_registration_that_weakens_or_cannot_keep_it_is_refused(string member)
    {
        var reply = await Registered.PostAsync(
            Server, $$"""{"redirect_uris":["https://self.example/cb"],{{member}}}""");

        Assert.Equal("invalid_client_metadata", reply.Error);
    }

    private long Now => Server.Clock.GetUtcNow().ToUnixTimeSeconds();

    private JsonObject Claims(string client = "signer", string redirect = "https://signer.example/cb")
    {
        var claims = new JsonObject
        {
            ["iss"] = client,
            ["aud"] = Server.Issuer,
            ["nbf"] = Now,
            ["exp"] = Now + 60,
        };
        foreach (var (name, value) in App.Usual)
        {
            claims[name] = name switch
            {
                "state" => "inner",
                "client_id" => client,
                "redirect_uri" => redirect,
                _ => value,
            };
        }

        return claims;
    }

    private static string Address(string text, params (string Name, string? Value)[] beside) =>
        "/authorize?" + App.Encode([("client_id", "signer"), ("request", text), .. beside]);

    private static (string Name, string? Value)[] Pushed(string text) =>
        [("client_id", "signer"), ("client_secret", App.WebSecret), ("request", text)];

    // With nothing beside it that is proven, a person is told; the client is, when it pushes.
    private async Task IsRefusedAsync(string text, string error)
    {
        var stop = await signers.Ada.OpenAsync(Address(text, ("redirect_uri", "https://evil.example/cb")));
        var told = await signers.Ada.OpenAsync(Address(text, ("redirect_uri", "https://signer.example/cb")));
        var pushed = await App.PostAsync("/par", Pushed(text));

        Assert.Equal((HttpStatusCode.BadRequest, null), (stop.Status, stop.Left));
        Assert.Equal(error, new Answer(told.Left!)["error"]);
        Assert.Equal((HttpStatusCode.BadRequest, error), (pushed.Status, pushed.Error));
    }

    /// <summary>Clients with keys, on one server.</summary>
    public sealed class Signers : IAsyncLifetime
    {
        internal TestServer Server { get; private set; } = null!;

        internal Person Ada { get; private set; } = null!;

        internal App App { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            var clients = $$"""
                clients:
                  - client_id: signer
                    client_secret: {{App.WebSecret}}
                    redirect_uris: [https://signer.example/cb, https://signer.example/other]
                    jwks: '{{Own.Jwks}}'
                  - client_id: strict
                    client_secret: {{App.PeerSecret}}
                    redirect_uris: [https://strict.example/cb]
                    jwks: '{{Own.Jwks}}'
                    require_signed_request_object: true
                    request_object_signing_alg: PS256
                  - client_id: other
                    client_secret: {{App.PeerSecret}}
                    redirect_uris: [https://other.example/cb]
                    jwks: '{{Foreign.Jwks}}'
                """;
            Server = await TestServer.StartAsync(App.Town.Replace("clients:", clients, StringComparison.Ordinal));
            App = new(Server, "signer", "https://signer.example/cb", App.WebSecret);
            Ada = new(Server);
            await Ada.SignInAsync();
        }

        public async ValueTask DisposeAsync()
        {
            Ada.Dispose();
            await Server.DisposeAsync();
        }
    }
}
