using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Platform;

namespace Postern.Tests.OAuth;

/// <summary>
/// A client that is held to the FAPI 2.0 Security Profile: each behaviour that the conformance suite of the OpenID
/// Foundation looks for.
/// </summary>
public sealed class FapiTests(FapiTests.Bank bank) : IClassFixture<FapiTests.Bank>
{
    private const string Profile = "FAPI 2.0 Security Profile";

    private static readonly Signer One = new("k1"), Two = new("k2"), Three = new("k3");

    private TestServer Server => bank.Server;

    private FapiApp First => FapiApp.Of(Server, "first", One);

    [Fact, Rfc(Profile, "5.3.2.1")]
    public async Task The_metadata_has_what_the_profile_needs()
    {
        var metadata = JsonElement.Parse(await Server.Http.GetStringAsync(
            new Uri("/.well-known/openid-configuration", UriKind.Relative)));

        Assert.Equal(Server.Issuer, metadata.GetProperty("issuer").GetString());
        Assert.Equal($"{Server.Issuer}/par", Text("pushed_authorization_request_endpoint"));
        Assert.Contains("private_key_jwt", metadata.GetProperty("token_endpoint_auth_methods_supported").ToString());
        Assert.Contains("PS256", metadata.GetProperty("token_endpoint_auth_signing_alg_values_supported").ToString());
        Assert.Contains("ES256", metadata.GetProperty("dpop_signing_alg_values_supported").ToString());
        Assert.True(metadata.GetProperty("authorization_response_iss_parameter_supported").GetBoolean());

        string? Text(string name) => metadata.GetProperty(name).GetString();
    }

    [Theory, Rfc(Profile, "5.3.2.1"), Rfc(Profile, "5.3.2.2")]
    [InlineData("first"), InlineData("second")]
    [Combines("private_key_jwt", "DPoP", "PAR", "code", "FAPI 2.0")]
    public async Task Two_clients_go_the_whole_way(string id)
    {
        using var app = FapiApp.Of(Server, id, id is "first" ? One : Two);

        var tokens = await app.LetInAsync(bank.Ada);
        using var called = await app.CallAsync(tokens.AccessToken);

        Assert.Equal("DPoP", tokens.Member("token_type"));
        Assert.Equal(app.Key.Thumbprint, tokens.Claims.GetProperty("cnf").GetProperty("jkt").GetString());
        Assert.NotEqual(HttpStatusCode.Unauthorized, called.StatusCode);
    }

    [Fact, Rfc(9207, "2")]
    public async Task A_no_is_told_with_state_and_iss()
    {
        using var app = First;

        var answer = await bank.Ada.DenyAsync(app.App.Pushed(await app.PushAsync(("state", "s"))));

        Assert.Equal(
            ("access_denied", "s", Server.Issuer), (answer["error"], answer["state"], answer["iss"]));
    }

    [Theory]
    [InlineData("state", null), InlineData("nonce", null), InlineData("nonce", "64"), InlineData("nonce", "400")]
    [InlineData("state", "400")]
    public async Task State_and_nonce_may_be_left_out_or_be_long(string name, string? length)
    {
        using var app = First;
        var value = length is null ? null : new string('n', int.Parse(length, CultureInfo.InvariantCulture));

        var answer = await bank.Ada.AllowAsync(app.App.Pushed(await app.PushAsync(
            ("scope", "openid mcp:read"), (name, value))));
        var tokens = await app.RedeemAsync(answer.Code);

        Assert.Equal(HttpStatusCode.OK, tokens.Status);
        Assert.Equal(name is "state" ? value : "the state + of it", answer["state"]);
    }

    [Theory, InlineData("dpop"), InlineData("DPOP"), Rfc(9449, "7.1")]
    public async Task The_name_of_the_scheme_may_be_written_in_any_case(string scheme)
    {
        using var app = First;
        var tokens = await app.LetInAsync(bank.Ada);

        using var called = await app.CallAsync(tokens.AccessToken, scheme);

        Assert.NotEqual(HttpStatusCode.Unauthorized, called.StatusCode);
    }

    [Theory, InlineData(-10, true), InlineData(10, true), InlineData(-3600, false), InlineData(3600, false)]
    [Rfc(Profile, "5.3.2.1"), Rfc(9449, "4.3")]
    public async Task A_clock_may_be_ten_seconds_off_and_members_more(int seconds, bool isGood)
    {
        using var app = First;
        var code = await app.CodeAsync(bank.Ada);
        app.Proof = path => app.Key.Proof(app.Ask(path), claims =>
        {
            claims["iat"] = app.Now + seconds;
            claims["nbf"] = app.Now - 5;
            claims["exp"] = app.Now + 5;
        });

        var reply = await app.RedeemAsync(code);

        Assert.Equal(isGood ? null : "invalid_dpop_proof", reply.Error);
    }

    [Fact, Rfc(9449, "10"), Rfc(9449, "10.1")]
    public async Task A_code_goes_with_the_key_that_was_named_or_shown_when_it_was_pushed()
    {
        using var app = First;
        using var other = First;
        var mismatch = await app.PushAsync(("dpop_jkt", other.Key.Thumbprint));
        var shown = await app.CodeAsync(bank.Ada);
        var own = app.Proof;
        app.Proof = path => path is "/par" ? null : own(path);
        var named = await app.CodeAsync(bank.Ada, ("dpop_jkt", app.Key.Thumbprint));

        Assert.Equal("invalid_dpop_proof", mismatch.Error);
        foreach (var code in (string[])[shown, named])
        {
            app.Proof = path => other.Key.Proof(app.Ask(path));
            TokenTests.Refused(await app.RedeemAsync(code), "invalid_grant");
            app.Proof = own;
            Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(code)).Status);
        }
    }

    [Fact, Rfc(Profile, "5.3.2.2")]
    public async Task A_request_that_is_not_pushed_or_asks_for_tokens_at_once_is_refused()
    {
        using var app = First;

        var direct = await bank.Ada.OpenAsync(app.App.Authorize());

        Assert.Equal("invalid_request", new Answer(direct.Left!)["error"]);
        Assert.Equal("unsupported_response_type", (await app.PushAsync(("response_type", "token"))).Error);
        Assert.Equal("unsupported_response_type", (await app.PushAsync(("response_type", "code id_token"))).Error);
        Assert.Equal("invalid_request", (await app.PushAsync(("redirect_uri", null))).Error);
    }

    [Fact, Rfc(Profile, "5.3.2.1"), Rfc(Profile, "5.3.3")]
    public async Task No_token_is_made_or_taken_without_the_key()
    {
        using var app = First;
        using var other = First;
        var code = await app.CodeAsync(bank.Ada);
        var own = app.Proof;
        app.Proof = path => path is "/token" ? null : own(path);
        TokenTests.Refused(await app.RedeemAsync(code), "invalid_grant");
        var unbound = await app.PushAsync();
        app.Proof = _ => null;
        var bare = await app.CodeAsync(bank.Ada);
        TokenTests.Refused(await app.RedeemAsync(bare), "invalid_dpop_proof");
        app.Proof = own;
        var tokens = await app.RedeemAsync(code);

        using var bearer = await app.CallAsync(tokens.AccessToken, "Bearer");
        using var foreign = await other.CallAsync(tokens.AccessToken);

        Assert.Equal(HttpStatusCode.Created, unbound.Status);
        Assert.Equal(HttpStatusCode.Unauthorized, bearer.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, foreign.StatusCode);
    }

    [Fact, Rfc(Profile, "5.3.2.1")]
    public async Task Neither_code_nor_name_of_another_client_is_of_use()
    {
        using var app = First;
        using var thief = FapiApp.Of(Server, "second", Two);
        var code = await app.CodeAsync(bank.Ada);

        TokenTests.Refused(await thief.RedeemAsync(code, ("code_verifier", app.App.Verifier)), "invalid_grant");
        TokenTests.Refused(await app.RedeemAsync(code, ("client_id", "second")), "invalid_client");
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(code)).Status);
    }

    [Fact, Rfc(Profile, "5.3.2.1"), Rfc(6749, "4.1.2")]
    public async Task A_code_is_good_once_and_for_a_minute()
    {
        using var app = First;
        var (once, late) = (await app.CodeAsync(bank.Ada), await app.CodeAsync(bank.Ada));

        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(once)).Status);
        Server.Clock.Advance(TimeSpan.FromSeconds(1));
        TokenTests.Refused(await app.RedeemAsync(once), "invalid_grant");
        Server.Clock.Advance(TimeSpan.FromSeconds(60));
        TokenTests.Refused(await app.RedeemAsync(late), "invalid_grant");
    }

    [Theory, Rfc(Profile, "5.3.2.1"), Rfc(Profile, "5.4.1")]
    [InlineData("RS256", false), InlineData("PS256", true), InlineData("none", false), InlineData("missing", false)]
    [InlineData("expired", false), InlineData("no sub", false), InlineData("aud other", false)]
    [InlineData("aud array", false), InlineData("aud token endpoint", false), InlineData("aud pushed endpoint", false)]
    [InlineData("nbf 8 s ahead", true), InlineData("nbf 61 s ahead", false), InlineData("of the other", false)]
    public async Task An_assertion_is_exactly_as_the_profile_wants_it_at_both_endpoints(string what, bool isGood)
    {
        using var app = First;
        var code = await app.CodeAsync(bank.Ada);
        using var other = FapiApp.Of(Server, "first", Two);
        app.Assertion = () => what switch
        {
            "missing" => null,
            "of the other" => other.Assert(),
            "RS256" or "PS256" or "none" => app.Assert(alg: what),
            _ => app.Assert(claims =>
            {
                _ = what switch
                {
                    "expired" => claims["exp"] = app.Now - 300,
                    "aud other" => claims["aud"] = "https://other.example",
                    "aud array" => claims["aud"] = new JsonArray(Server.Issuer),
                    "aud token endpoint" => claims["aud"] = Server.Issuer + "/token",
                    "aud pushed endpoint" => claims["aud"] = Server.Issuer + "/par",
                    "nbf 8 s ahead" => claims["nbf"] = app.Now + 8,
                    "nbf 61 s ahead" => claims["nbf"] = app.Now + 61,
                    _ => claims.Remove("sub"),
                };
            }),
        };

        var pushed = await app.PushAsync();
        var redeemed = await app.RedeemAsync(code, ("client_id", "first"));

        Assert.Equal(isGood ? null : "invalid_client", pushed.Error);
        Assert.Equal(isGood ? null : "invalid_client", redeemed.Error);
    }

    [Fact, Rfc(Profile, "5.3.2.1"), Rfc(Profile, "5.4.1")]
    [Combines("private_key_jwt", "DPoP", "refresh", "FAPI 2.0")]
    public async Task A_refresh_token_is_the_clients_own_is_kept_and_needs_its_proof()
    {
        using var app = First;
        using var other = FapiApp.Of(Server, "second", Two);
        var tokens = await app.LetInAsync(bank.Ada);

        TokenTests.Refused(await other.RefreshAsync(tokens.RefreshToken), "invalid_grant");
        var (assertion, proof) = (app.Assertion, app.Proof);
        app.Assertion = () => null;
        TokenTests.Refused(await app.RefreshAsync(tokens.RefreshToken, ("client_id", "first")), "invalid_client");
        app.Assertion = assertion;
        app.Proof = _ => null;
        TokenTests.Refused(await app.RefreshAsync(tokens.RefreshToken), "invalid_dpop_proof");
        app.Proof = proof;

        Assert.Equal(tokens.RefreshToken, (await app.RefreshAsync(tokens.RefreshToken)).RefreshToken);
        Assert.Equal(tokens.RefreshToken, (await app.RefreshAsync(tokens.RefreshToken)).RefreshToken);
    }

    [Fact, Rfc(9126, "2.1"), Rfc(9126, "2.3"), Rfc(9126, "4"), Rfc(7636, "4.4.1"), Rfc(7636, "4.6")]
    public async Task What_is_pushed_is_whole_good_once_for_its_client_and_for_a_minute()
    {
        using var app = First;
        using var other = FapiApp.Of(Server, "second", Two);
        var pushed = await app.PushAsync();
        using var got = await Server.Http.GetAsync(new Uri("/par", UriKind.Relative));

        Assert.Equal(HttpStatusCode.MethodNotAllowed, got.StatusCode);
        Assert.Equal("invalid_request", (await app.PushAsync(("request_uri", pushed.Member("request_uri")))).Error);
        Assert.Equal("invalid_request", (await app.PushAsync(("code_challenge", null))).Error);
        Assert.Equal("invalid_request", (await app.PushAsync(("code_challenge_method", "plain"))).Error);
        // Read by another client, loaded again on the way, and answered once.
        Assert.Null((await bank.Ada.OpenAsync(other.App.Pushed(pushed))).Left);
        await bank.Ada.AskedAsync(app.App.Pushed(pushed));
        var code = (await bank.Ada.AllowAsync(app.App.Pushed(pushed))).Code;
        Assert.Null((await bank.Ada.OpenAsync(app.App.Pushed(pushed))).Left);
        TokenTests.Refused(await app.RedeemAsync(code, ("code_verifier", null)), "invalid_grant");
        TokenTests.Refused(await app.RedeemAsync(code, ("code_verifier", new string('v', 43))), "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(code)).Status);

        var late = await app.PushAsync();
        Server.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Null((await bank.Ada.OpenAsync(app.App.Pushed(late))).Left);
    }

    [Fact, Rfc(Profile, "5.4.1")]
    public async Task What_the_profile_forbids_to_sign_by_binds_nothing_and_signs_no_identity()
    {
        using var app = First;
        using var rsa = RSA.Create(2048);
        foreach (var alg in (string[])["RS256", "PS256"])
        {
            // With the same key it could sign by the one as by the other at the gateway.
            app.Proof = path => RsaProof(rsa, app.Ask(path), alg);
            Assert.Equal("invalid_dpop_proof", (await app.PushAsync()).Error);
        }

        app.Proof = path => app.Key.Proof(app.Ask(path));
        var code = await app.CodeAsync(bank.Ada, ("scope", "openid mcp:read"));

        var header = (await app.RedeemAsync(code)).Member("id_token")!.Split('.')[0];

        Assert.Contains("ES256", Encoding.UTF8.GetString(
            Base64Url.DecodeFromChars(header)), StringComparison.Ordinal);
    }

    [Fact, Rfc(Profile, "5.4.1"), Rfc("FAPI 2.0 Message Signing", "5.5.1")]
    public async Task Whatever_is_signed_for_a_client_of_the_profile_is_signed_by_what_the_profile_allows()
    {
        using var app = FapiApp.Of(Server, "second", Two);
        var tokens = await app.RedeemAsync(await app.CodeAsync(bank.Ada, ("scope", "openid"), ("resource", null)));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/userinfo", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", $"DPoP {tokens.AccessToken}");
        request.Headers.TryAddWithoutValidation(
            "DPoP", app.Key.Proof(new("GET", $"{Server.Issuer}/userinfo", app.Now, tokens.AccessToken)));

        using var told = await Server.Http.SendAsync(request);
        var known = await app.PostAsync(
            "/introspect", [("token", tokens.AccessToken)], "application/token-introspection+jwt");

        foreach (var jwt in (string[])
            [tokens.Member("id_token")!, await told.Content.ReadAsStringAsync(), known.Text])
        {
            var (header, _) = await Jwt.ReadAsync(Server, jwt);
            Assert.Equal("ES256", header.GetProperty("alg").GetString());
        }
    }

    [Theory, Rfc(Profile, "5.4.3"), InlineData("ES256"), InlineData("PS256")]
    public async Task Of_several_keys_of_one_name_the_one_that_fits_is_found(string alg)
    {
        using var app = FapiApp.Of(Server, "third", Three);
        app.Assertion = () => app.Assert(alg: alg, named: "k3");

        var reply = await app.PushAsync();

        // It proved itself, and should have signed what it asks as well.
        Assert.Equal("invalid_request", reply.Error);
    }

    [Fact, Rfc("FAPI 2.0 Message Signing", "5.3.1"), Rfc("FAPI 2.0 Message Signing", "5.4.1")]
    public async Task A_client_of_the_signing_profile_signs_what_it_asks_and_is_answered_signed()
    {
        using var app = FapiApp.Of(Server, "third", Three);

        var unsigned = await app.PushAsync(("response_mode", "jwt"));
        var unasked = await SignedAsync(app, null);
        var signed = await SignedAsync(app, "jwt");
        var answer = await bank.Ada.AllowAsync(app.App.Pushed(signed));

        Assert.Equal("invalid_request", unsigned.Error);
        Assert.Equal("invalid_request", unasked.Error);
        var (header, claims) = await Jwt.ReadAsync(Server, answer["response"]!);
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(claims.GetProperty("code").GetString()!)).Status);
    }

    [Theory, Rfc(Profile, "5.4.1"), InlineData(1024, 0, false), InlineData(1024, 128, false), InlineData(2048, 0, true)]
    public async Task What_is_signed_by_a_key_that_is_too_short_proves_nobody(int bits, int noughts, bool isGood)
    {
        using var rsa = RSA.Create(bits);
        var modulus = Base64Url.EncodeToString([.. new byte[noughts], .. rsa.ExportParameters(false).Modulus!]);
        var jwks = $$"""
            {"keys":[{"kty":"RSA","n":"{{modulus}}","e":"AQAB"}]}
            """;
        await using var server = await TestServer.StartAsync($$"""
            clients:
              - { client_id: short, jwks: '{{jwks}}', grant_types: [client_credentials], resources: [notes] }
            """);
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = "short",
            ["sub"] = "short",
            ["aud"] = server.Issuer,
            ["jti"] = "1",
            ["exp"] = now + 60,
        };
        var assertion = DpopKey.Sign(
            """{"alg":"PS256"}""",
            claims.ToJsonString(),
            signed => rsa.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));

        var reply = await new App(server, "short", "").PostAsync(
            "/token",
            [
                ("grant_type", "client_credentials"), ("client_assertion", assertion),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ]);

        Assert.Equal(isGood ? null : "invalid_client", reply.Error);
    }

    [Theory, Rfc(Profile, "5.3.2.1"), Rfc(Profile, "5.3.2.2")]
    [InlineData("client_secret: 0123456789012345678901234567890123456789, redirect_uris: [https://x.example/cb]")]
    [InlineData("redirect_uris: [https://x.example/cb]")]
    [InlineData(
        "jwks_uri: https://x.example/k, redirect_uris: [https://x.example/cb], token_endpoint_auth_signing_alg: RS256")]
    [InlineData("jwks_uri: https://x.example/jwks, redirect_uris: ['com.example.app:/cb']")]
    [InlineData("jwks_uri: https://x.example/jwks, grant_types: ['urn:openid:params:grant-type:ciba']")]
    public async Task A_client_that_cannot_keep_to_the_profile_stops_the_start(string client)
    {
        var failure = await Assert.ThrowsAsync<SetupException>(() => TestServer.StartAsync(
            $"clients:\n  - {{ client_id: x, profile: fapi2, {client} }}"));

        Assert.Contains("profile: fapi2", failure.Message, StringComparison.Ordinal);
    }

    private static Task<Reply> SignedAsync(FapiApp app, string? mode)
    {
        var claims = new JsonObject
        {
            ["iss"] = app.App.Id,
            ["aud"] = app.Ask("").Url,
            ["nbf"] = app.Now,
            ["exp"] = app.Now + 60,
        };
        Array.ForEach(app.App.Usual, parameter => claims[parameter.Name] = parameter.Value);
        if (mode is not null)
        {
            claims["response_mode"] = mode;
        }

        return app.PostAsync("/par", [("request", Three.Sign(claims))]);
    }

    private static string RsaProof(RSA rsa, ProofAsk ask, string alg)
    {
        var half = rsa.ExportParameters(false);
        var header = new JsonObject
        {
            ["typ"] = "dpop+jwt",
            ["alg"] = alg,
            ["jwk"] = new JsonObject
            {
                ["kty"] = "RSA",
                ["n"] = Base64Url.EncodeToString(half.Modulus),
                ["e"] = Base64Url.EncodeToString(half.Exponent),
            },
        };
        var padding = alg is "PS256"
            ? RSASignaturePadding.Pss
            : RSASignaturePadding.Pkcs1;
        return DpopKey.Sign(
            header.ToJsonString(),
            DpopKey.Claims(ask).ToJsonString(),
            signed => rsa.SignData(signed, HashAlgorithmName.SHA256, padding));
    }

    /// <summary>A server with two clients of the profile, after the minute in which it asks for nonces.</summary>
    public sealed class Bank : IAsyncLifetime
    {
        internal TestServer Server { get; private set; } = null!;

        internal Person Ada { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Server = await TestServer.StartAsync($$"""
                demo: false
                users:
                  - { email: {{Person.Ada}}, password: {{Person.AdasPassword}} }
                clients:
                  - { client_id: first, profile: fapi2, jwks: '{{One.Jwks}}',
                      redirect_uris: [https://first.example/cb] }
                  - { client_id: second, profile: fapi2, jwks: '{{Two.Jwks}}',
                      redirect_uris: [https://second.example/cb], introspects: [echo],
                      userinfo_signed_response_alg: RS256, introspection_signed_response_alg: RS256 }
                  - { client_id: third, profile: fapi2, jwks: '{{Three.Jwks.Replace("k3-rsa", "k3")}}',
                      redirect_uris: [https://third.example/cb],
                      require_signed_request_object: true, response_modes: [jwt] }
                servers:
                  - { name: echo, http: http://127.0.0.1:9/mcp }
                """);
            Server.Clock.Advance(TimeSpan.FromMinutes(2));
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
