using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>
/// private_key_jwt (RFC 7523 §3): an assertion is good for this issuer, from this client, soon, and once.
/// </summary>
public sealed class AssertionTests(AssertionTests.Agents agents) : IClassFixture<AssertionTests.Agents>
{
    private const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly ECDsa Foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly RSA Rsa = RSA.Create(2048);

    private readonly TestServer server = agents.Server;

    private const string Torn = "\"x\":{\"\\ud800\":1,\"\\udfff\":2},";

    public static TheoryData<string, bool> Assertions => new()
    {
        { "as it should be", true },
        { "without kid", true },
        { "typ client-authentication+jwt", true },
        { "without typ", true },
        { "PS256", true },
        { "RS256", true },
        { "PS256 by a key for PS256", true },
        { "RS256 by a key for PS256", false },
        { "RS256 by a key to encrypt", false },
        { "iat and nbf 8 s ahead", true },
        { "without iat", true },
        { "with claims that nobody knows", true },
        { "aud token endpoint", false },
        { "aud with slash", false },
        { "aud array of one", false },
        { "aud array with another", false },
        { "aud another server", false },
        { "aud number", false },
        { "aud missing", false },
        { "iss missing", false },
        { "iss other", false },
        { "sub missing", false },
        { "sub other", false },
        { "sub array", false },
        { "both other", false },
        { "exp missing", false },
        { "exp now", false },
        { "exp past", false },
        { "exp in an hour", false },
        { "exp text", false },
        { "exp huge", false },
        { "exp negative", false },
        { "iat 60 s ahead", false },
        { "nbf 60 s ahead", false },
        { "jti missing", false },
        { "jti empty", false },
        { "jti too long", false },
        { "jti number", false },
        { "alg none", false },
        { "alg None with signature", false },
        { "alg HS256 with the public key", false },
        { "alg ES384", false },
        { "alg missing", false },
        { "kid unknown", false },
        { "kid a path", false },
        { "kid of the other kind of key", false },
        { "signed by another", false },
        { "header jwk", false },
        { "header jku", false },
        { "header x5u", false },
        { "header x5c", false },
        { "header crit", false },
        { "header b64", false },
        { "header zip", false },
        { "typ at+jwt", false },
        { "typ dpop+jwt", false },
        { "payload altered", false },
        { "signature cut off", false },
        { "signature DER", false },
        { "four parts", false },
        { "five parts", false },
        { "two parts", false },
        { "padded", false },
        { "blank inside", false },
        { "trailing bits", false },
        { "payload no JSON", false },
        { "payload array", false },
        { "payload lone surrogate", false },
        { "payload lone surrogate in a name inside", false },
        { "header lone surrogate in a name inside", false },
        { "header no object", false },
        { "endless", false },
        { "empty", false },
    };

    [Theory, MemberData(nameof(Assertions)), Rfc(7523, "3"), Rfc(8725, "3.1"), Rfc(8725, "3.11")]
    [Rfc(7523, "2.2"), Rfc(8725, "3.8"), Rfc(8725, "3.9")]
    [Rfc(8725, "3.10"), Rfc(8725, "3.12"), Rfc("OpenID Connect Core", "9")]
    public async Task An_assertion_proves_the_client_only_when_everything_in_it_is_right(string what, bool isGood)
    {
        var reply = await SendAsync(Make(what));

        Assert.True(isGood == reply.Status is HttpStatusCode.OK, $"{what}: {reply.Text}");
        if (!isGood && what is not ("empty" or "endless"))
        {
            TokenTests.Refused(reply, "invalid_client");
        }
    }

    [Theory, OnBoth, Rfc(7523, "3")]
    public async Task An_assertion_is_good_once_also_when_fifty_race_for_it(On on)
    {
        await using var town = await TestServer.StartAsync($$"""
            demo: false
            clients:
              - client_id: agent
                jwks: '{"keys":[{{Jwk(Key, "k1")}}]}'
                grant_types: [client_credentials]
                resources: [echo]
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """, on);
        var assertion = Sign(Claims(town), Header("ES256", "k1"));

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => SendAsync(assertion, to: town)));

        Assert.Single(replies, reply => reply.Status is HttpStatusCode.OK);
        Assert.Equal(49, replies.Count(reply => reply.Error is "invalid_client"));
    }

    [Theory, Rfc(7521, "4.2"), Rfc(7521, "4.2.1")]
    [InlineData("client_id", "other", "invalid_client")]
    [InlineData("client_secret", "secret", "invalid_client")]
    [InlineData("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "invalid_request")]
    [InlineData("client_assertion_type", null, "invalid_request")]
    public async Task An_assertion_stands_alone(string parameter, string? value, string error)
    {
        var reply = await SendAsync(Make("as it should be"), (parameter, value));

        TokenTests.Refused(reply, error);
    }

    [Theory, Rfc("OpenID Connect Registration", "2")]
    [InlineData("ES256", false), InlineData("RS256", false), InlineData("PS256", true)]
    public async Task A_client_that_registered_one_algorithm_proves_itself_by_that_alone(string alg, bool isGood)
    {
        var claims = Claims(server);
        (claims["iss"], claims["sub"]) = ("narrow", "narrow");

        var reply = await SendAsync(alg is "ES256"
            ? Sign(claims, Header(alg, "k1"))
            : SignRsa(claims, Header(alg, "r1"), alg));

        Assert.Equal(isGood ? null : "invalid_client", reply.Error);
    }

    [Fact]
    public async Task A_client_with_keys_is_not_believed_by_name_or_secret()
    {
        var app = new App(server, "agent", "");

        TokenTests.Refused(await app.AsItselfAsync(), "invalid_client");
        TokenTests.Refused(await app.AsItselfAsync(("client_secret", "anything")), "invalid_client");
    }

    private Task<Reply> SendAsync(string assertion, (string Name, string? Value)? change = null, TestServer? to = null)
    {
        List<(string Name, string? Value)> fields =
            [("grant_type", "client_credentials"), ("client_assertion_type", Type), ("client_assertion", assertion)];
        if (change is { } changed)
        {
            fields.RemoveAll(field => field.Name == changed.Name);
            fields.Add(changed);
        }

        return new App(to ?? server, "agent", "").PostAsync("/token", fields);
    }

    private string Make(string what)
    {
        var (claims, header) = (Claims(server), Header("ES256", "k1"));
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        switch (what)
        {
            case "without kid": header.Remove("kid"); break;
            case "typ client-authentication+jwt": header["typ"] = "client-authentication+jwt"; break;
            case "without typ": header.Remove("typ"); break;
            case "PS256" or "RS256": return SignRsa(claims, Header(what, "r1"), what);
            case "PS256 by a key for PS256" or "RS256 by a key for PS256":
                return SignRsa(claims, Header(what[..5], "p1"), what[..5]);
            case "RS256 by a key to encrypt": return SignRsa(claims, Header("RS256", "e1"), "RS256");
            case "iat and nbf 8 s ahead": (claims["iat"], claims["nbf"]) = (now + 8, now + 8); break;
            case "with claims that nobody knows": claims["unheard_of"] = new JsonArray(1, "a"); break;
            case "without iat": claims.Remove("iat"); break;
            case "aud token endpoint": claims["aud"] = server.Issuer + "/token"; break;
            case "aud with slash": claims["aud"] = server.Issuer + "/"; break;
            case "aud array of one": claims["aud"] = new JsonArray(server.Issuer); break;
            case "aud array with another":
                claims["aud"] = new JsonArray("https://elsewhere.example", server.Issuer);
                break;
            case "aud another server": claims["aud"] = "https://elsewhere.example"; break;
            case "aud number": claims["aud"] = 7; break;
            case "iss other" or "sub other": claims[what[..3]] = "other"; break;
            case "sub array": claims["sub"] = new JsonArray("agent"); break;
            case "both other": (claims["iss"], claims["sub"]) = ("other", "other"); break;
            case "exp now": claims["exp"] = now; break;
            case "exp past": claims["exp"] = now - 300; break;
            case "exp in an hour": claims["exp"] = now + 3600; break;
            case "exp text": claims["exp"] = $"{now + 60}"; break;
            case "exp huge": claims["exp"] = JsonNode.Parse("1e300"); break;
            case "exp negative": claims["exp"] = -1; break;
            case "iat 60 s ahead": claims["iat"] = now + 60; break;
            case "nbf 60 s ahead": claims["nbf"] = now + 60; break;
            case "jti empty": claims["jti"] = ""; break;
            case "jti too long": claims["jti"] = new string('j', 201); break;
            case "jti number": claims["jti"] = 7; break;
            case "alg none": return Encode(claims, Header("none", "k1")) + ".";
            case "alg None with signature": header["alg"] = "None"; break;
            case "alg HS256 with the public key":
                var input = Encode(claims, Header("HS256", "k1"));
                var asSecret = Encoding.ASCII.GetBytes(Key.ExportSubjectPublicKeyInfoPem());
                return $"{input}.{Encoded(HMACSHA256.HashData(asSecret, Encoding.ASCII.GetBytes(input)))}";
            case "alg ES384": header["alg"] = "ES384"; break;
            case "alg missing": header.Remove("alg"); break;
            case "kid unknown": header["kid"] = "k9"; break;
            case "kid a path": header["kid"] = "../../../../dev/null"; break;
            case "kid of the other kind of key": header["kid"] = "r1"; break;
            case "signed by another": return Sign(claims, header, Foreign);
            case "header jwk": header["jwk"] = JsonNode.Parse(Jwk(Foreign, "k1")); return Sign(claims, header, Foreign);
            case "header jku" or "header x5u": header[what[7..]] = "https://elsewhere.example/keys"; break;
            case "header x5c": header["x5c"] = new JsonArray("MIIB"); break;
            case "header crit": header["crit"] = new JsonArray("b64"); break;
            case "header b64": header["b64"] = true; break;
            case "header zip": header["zip"] = "DEF"; break;
            case "typ at+jwt" or "typ dpop+jwt": header["typ"] = what[4..]; break;
            case "payload altered":
                var good = Sign(claims, header).Split('.');
                claims["jti"] = "another";
                return $"{good[0]}.{Encode(claims, header).Split('.')[1]}.{good[2]}";
            case "signature cut off": return Sign(claims, header)[..^10];
            case "signature DER":
                var bare = Encode(claims, header);
                return $"{bare}.{Encoded(Key.SignData(
                    Encoding.ASCII.GetBytes(bare),
                    HashAlgorithmName.SHA256,
                    DSASignatureFormat.Rfc3279DerSequence))}";
            case "four parts": return Sign(claims, header) + ".x";
            case "five parts": return Sign(claims, header) + ".x.y";
            case "two parts": return Encode(claims, header);
            case "padded": return Sign(claims, header) + "==";
            case "blank inside": return Sign(claims, header).Insert(10, " ");
            case "trailing bits": return TrailingBits(Sign(claims, header));
            case "payload no JSON": return SignText("{", header);
            case "payload array": return SignText("[]", header);
            case "payload lone surrogate":
                var torn = claims.ToJsonString()
                    .Replace("\"sub\":\"agent\"", "\"sub\":\"\\ud800\"", StringComparison.Ordinal);
                return SignText(torn, header);
            case "payload lone surrogate in a name inside":
                return SignText(claims.ToJsonString().Insert(1, Torn), header);
            case "header lone surrogate in a name inside":
                var names = Encoding.UTF8.GetBytes(header.ToJsonString().Insert(1, Torn));
                var signed = $"{Encoded(names)}.{Encode(claims, header).Split('.')[1]}";
                return $"{signed}.{Encoded(Key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
            case "header no object": return $"{Encoded("7"u8)}.{Encode(claims, header).Split('.')[1]}.AAAA";
            case "endless": claims["pad"] = new string('x', 8000); break;
            case "empty": return "";
            case var missing when missing.EndsWith("missing", StringComparison.Ordinal):
                claims.Remove(missing[..3]);
                break;
            case "as it should be": break;
            default: throw new InvalidOperationException(what);
        }

        return Sign(claims, header);
    }

    private static JsonObject Claims(TestServer server)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        return new()
        {
            ["iss"] = "agent",
            ["sub"] = "agent",
            ["aud"] = server.Issuer,
            ["iat"] = now,
            ["exp"] = now + 60,
            ["jti"] = Guid.NewGuid().ToString(),
        };
    }

    private static JsonObject Header(string alg, string kid) => new() { ["alg"] = alg, ["kid"] = kid, ["typ"] = "JWT" };

    private static string Encode(JsonObject claims, JsonObject header) => Encode(claims.ToJsonString(), header);

    private static string Encode(string payload, JsonObject header) =>
        $"{Encoded(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Encoded(Encoding.UTF8.GetBytes(payload))}";

    private static string Encoded(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    private static string Sign(JsonObject claims, JsonObject header, ECDsa? key = null) =>
        SignText(claims.ToJsonString(), header, key);

    private static string SignText(string payload, JsonObject header, ECDsa? key = null)
    {
        var input = Encode(payload, header);
        return $"{input}.{Encoded((key ?? Key).SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256))}";
    }

    private static string SignRsa(JsonObject claims, JsonObject header, string alg)
    {
        var input = Encode(claims, header);
        var padding = alg is "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
        return $"{input}.{Encoded(Rsa.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, padding))}";
    }

    // 64 bytes are 85 characters and one that carries two bits: its other four may say anything to a lenient decoder.
    private static string TrailingBits(string token)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return token[..^1] + alphabet[alphabet.IndexOf(token[^1], StringComparison.Ordinal) | 1];
    }

    private static string Jwk(ECDsa key, string kid)
    {
        var q = key.ExportParameters(false).Q;
        return $$"""{"kty":"EC","crv":"P-256","kid":"{{kid}}","x":"{{Encoded(q.X)}}","y":"{{Encoded(q.Y)}}"}""";
    }

    private static string Jwk(RSA key, string kid, string more = "")
    {
        var rsa = key.ExportParameters(false);
        var (n, e) = (Encoded(rsa.Modulus), Encoded(rsa.Exponent));
        return $$"""{"kty":"RSA","kid":"{{kid}}","n":"{{n}}","e":"{{e}}"{{more}}}""";
    }

    // RFC 7517 §4: what nobody understands in it is passed over.
    private static readonly string Jwks = string.Join(
        ',',
        Jwk(Key, "k1"),
        Jwk(Rsa, "r1"),
        Jwk(Rsa, "p1", ",\"alg\":\"PS256\",\"x-note\":[1]"),
        Jwk(Rsa, "e1", ",\"use\":\"enc\""));

    /// <summary>Two clients with keys, on one server for all assertions.</summary>
    public sealed class Agents : IAsyncLifetime
    {
        internal TestServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await TestServer.StartAsync($$"""
            demo: false
            clients:
              - client_id: agent
                jwks: '{"keys":[{{Jwks}}],"x-note":1}'
                grant_types: [client_credentials]
                resources: [echo]
              - client_id: narrow
                jwks: '{"keys":[{{Jwk(Key, "k1")}},{{Jwk(Rsa, "r1")}}]}'
                token_endpoint_auth_signing_alg: PS256
                grant_types: [client_credentials]
                resources: [echo]
              - client_id: other
                jwks: '{"keys":[{{Jwk(Foreign, "k1")}}]}'
                grant_types: [client_credentials]
                resources: [echo]
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """);

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
