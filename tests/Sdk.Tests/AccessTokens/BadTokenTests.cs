using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Tests.AccessTokens;

/// <summary>Attacks a real resource server, each time with a token that is wrong in one thing.</summary>
public sealed class BadTokenTests(ProtectedApi api) : IClassFixture<ProtectedApi>
{
    private static readonly Dictionary<string, (string Because, Func<Issuer, string> Make)> Attacks = new()
    {
        ["empty"] = ("token: not three", _ => "."),
        ["two segments"] = ("token: not three", i => i.Mint()[..i.Mint().LastIndexOf('.')]),
        ["no signature"] = ("token: not three", i => i.Mint()[..(i.Mint().LastIndexOf('.') + 1)]),
        ["extra segment"] = ("token: not three", i => i.Mint() + ".e30"),
        ["empty extra segment"] = ("token: not three", i => i.Mint() + "."),
        ["five segments"] = ("token: not three", _ => "e30.e30.e30.e30.e30"),
        ["padded base64"] = ("token: not three", i => i.Mint() + "=="),
        ["plain base64"] = ("token: not three", i => i.Mint().Insert(20, "+/+/")),
        ["white space inside"] = ("token: not three", i => i.Mint().Insert(20, " ")),
        ["second token after a comma"] = ("token: not three", i => $"{i.Mint()}, Bearer {i.Mint()}"),
        ["stray last bits"] = ("token: not three", i => WithStrayBits(i.Mint())),
        ["truncated"] = ("token: not three", i => i.Mint()[..^1]),
        ["signature cut by three bytes"] = ("signature:", i => i.Mint()[..^6] + "AA"),
        ["signature longer by three bytes"] = ("signature:", i => i.Mint()[..^2] + "AAAAAA"),
        ["huge"] = ("token: too long", i => i.Mint(c => c["jti"] = new string('x', 9000))),
        ["swapped case"] = ("", i => SwapCase(i.Mint())),
        ["swapped case in the signature"] = ("", SwapCaseOfSignature),
        ["encrypted"] = ("token: not three", _ => "eyJhbGciOiJkaXIifQ..e30.e30.e30"),

        ["alg none"] = ("header: alg", i => i.Mint(header: h => h["alg"] = "none")),
        ["alg none, no signature"] = ("token: not three", i =>
            Issuer.Sign("""{"alg":"none","typ":"at+jwt"}""", i.Claims.ToJsonString(), _ => [])),
        ["alg None"] = ("header: alg", i => i.Mint(header: h => h["alg"] = "None")),
        ["alg es256"] = ("header: alg", i => i.Mint(header: h => h["alg"] = "es256")),
        ["alg ES384"] = ("header: alg", i => i.Mint(header: h => h["alg"] = "ES384")),
        ["alg missing"] = ("header: alg", i => i.Mint(header: h => h.Remove("alg"))),
        ["alg an array"] = ("header: alg", i => i.Mint(header: h => h["alg"] = new JsonArray("ES256"))),
        ["HS256 with the public key"] = ("header: alg", SymmetricWithPublicKey),
        ["RS256 claimed for an EC key"] = ("signature:", i => i.Mint(header: h => h["alg"] = "RS256")),
        ["ES256 claimed for an RSA key"] = ("signature:", i => i.Mint(header: h => h["kid"] = Issuer.RsaId)),
        ["PS256 claimed, RS256 made"] = ("signature:", i => ByRsa(i, "PS256", RSASignaturePadding.Pkcs1)),
        ["ECDSA signature in DER"] = ("signature:", i => SignedWith(i, signed =>
            i.Ec.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence))),
        ["signature of zeros"] = ("signature:", i => SignedWith(i, _ => new byte[64])),
        ["signature of ones"] = ("signature:", i => SignedWith(i, _ => Ones(64))),
        ["RSA signature of ones"] = ("signature:", i => Issuer.Sign(RsaHeader("RS256"), i.Claims.ToJsonString(),
            _ => Ones(256))),
        ["signed by a stranger"] = ("signature:", SignedByStranger),
        ["claims changed after signing"] = ("signature:", ClaimsChanged),
        ["header changed after signing"] = ("signature:", HeaderChanged),

        ["typ missing"] = ("header: typ", i => i.Mint(header: h => h.Remove("typ"))),
        ["typ JWT, an ID token"] = ("header: typ", i => i.Mint(header: h => h["typ"] = "JWT")),
        ["typ of a logout token"] = ("header: typ", i => i.Mint(header: h => h["typ"] = "logout+jwt")),
        ["typ of an ID-JAG"] = ("header: typ", i => i.Mint(header: h => h["typ"] = "oauth-id-jag+jwt")),
        ["typ of a proof"] = ("header: typ", i => i.Mint(header: h => h["typ"] = "dpop+jwt")),
        ["typ with a suffix"] = ("header: typ", i => i.Mint(header: h => h["typ"] = "at+jwt;x")),
        ["typ a number"] = ("header: typ", i => i.Mint(header: h => h["typ"] = 1)),
        ["jku"] = ("header: jku", i => i.Mint(header: h => h["jku"] = "https://evil.example/jwks")),
        ["x5u"] = ("header: jku", i => i.Mint(header: h => h["x5u"] = "https://evil.example/cert")),
        ["x5c"] = ("header: jku", i => i.Mint(header: h => h["x5c"] = new JsonArray("MIIB"))),
        ["jwk"] = ("header: jku", WithItsOwnKey),
        ["crit"] = ("header: jku", i => i.Mint(header: h => h["crit"] = new JsonArray("exp"))),
        ["b64"] = ("header: jku", i => i.Mint(header: h => h["b64"] = false)),
        ["zip"] = ("header: jku", i => i.Mint(header: h => h["zip"] = "DEF")),
        ["crit, empty"] = ("header: jku", i => i.Mint(header: h => h["crit"] = new JsonArray())),
        ["kid missing"] = ("header: kid", i => i.Mint(header: h => h.Remove("kid"))),
        ["kid empty"] = ("header: kid", i => i.Mint(header: h => h["kid"] = "")),
        ["kid a path"] = ("signature:", i => i.Mint(header: h => h["kid"] = "../../../../dev/null")),
        ["kid a query"] = ("signature:", i => i.Mint(header: h => h["kid"] = "' or 1=1 --")),
        ["kid in other case"] = ("signature:", i => i.Mint(header: h => h["kid"] = "EC")),
        ["kid long"] = ("header: kid", i => i.Mint(header: h => h["kid"] = new string('k', 257))),
        ["kid half a surrogate pair"] = ("header: not one", i =>
            WithHeader(i, """{"alg":"ES256","typ":"at+jwt","kid":"\ud800"}""")),
        ["header an array"] = ("header: not an object", i => WithHeader(i, "[]")),
        ["header not JSON"] = ("header: not one", i => WithHeader(i, "alg=ES256")),
        ["header with a comment"] = ("header: not one", i => WithHeader(i, Issuer.Header.ToJsonString() + "/**/")),
        ["header twice"] = ("header: not one", i => WithHeader(i, Issuer.Header.ToJsonString() + "{}")),
        ["header with a duplicate"] = ("header: not one", i =>
            WithHeader(i, """{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"ec"}""")),
        ["header with an escaped duplicate"] = ("header: not one", i =>
            WithHeader(i, """{"\u0061lg":"none","alg":"ES256","typ":"at+jwt","kid":"ec"}""")),
        ["header nested deep"] = ("header: not one", i =>
            WithHeader(i, $$"""{"x":{{new string('[', 500)}}{{new string(']', 500)}},"alg":"ES256"}""")),
        ["header not UTF-8"] = ("header: not one", HeaderNotUtf8),

        ["claims not JSON"] = ("claims: not strict", i => WithClaims(i, "sub=ada")),
        ["claims an array"] = ("claims: not an object", i => WithClaims(i, "[]")),
        ["claims with a duplicate"] = ("claims: not strict", i =>
            WithClaims(i, i.Claims.ToJsonString().Insert(1, "\"aud\":\"https://other.example\","))),
        ["claims nested deep"] = ("claims: not strict", i =>
            WithClaims(i, i.Claims.ToJsonString().Insert(1, $"\"x\":{new string('[', 20)}{new string(']', 20)},"))),
        ["iss missing"] = ("claim: iss", i => i.Mint(c => c.Remove("iss"))),
        ["iss another"] = ("claim: iss", i => i.Mint(c => c["iss"] = "https://evil.example")),
        ["iss with a slash"] = ("claim: iss", i => i.Mint(c => c["iss"] = Issuer.Name + "/")),
        ["iss in other case"] = ("claim: iss", i => i.Mint(c => c["iss"] = "https://AS.example")),
        ["aud missing"] = ("claim: aud", i => i.Mint(c => c.Remove("aud"))),
        ["aud null"] = ("claim: aud", i => i.Mint(c => c["aud"] = null)),
        ["aud empty"] = ("claim: aud", i => i.Mint(c => c["aud"] = "")),
        ["aud another resource"] = ("claim: aud", i => i.Mint(c => c["aud"] = "https://api.example/other")),
        ["aud the issuer"] = ("claim: aud", i => i.Mint(c => c["aud"] = Issuer.Name)),
        ["aud with a slash"] = ("claim: aud", i => i.Mint(c => c["aud"] = Issuer.Resource + "/")),
        ["aud a prefix"] = ("claim: aud", i => i.Mint(c => c["aud"] = "https://api.example")),
        ["aud in other case"] = ("claim: aud", i => i.Mint(c => c["aud"] = "https://API.example/notes")),
        ["aud an array of one"] = ("claim: aud", i => i.Mint(c => c["aud"] = new JsonArray(Issuer.Resource))),
        ["aud an array of two"] = ("claim: aud", i =>
            i.Mint(c => c["aud"] = new JsonArray(Issuer.Resource, "https://other.example"))),
        ["exp missing"] = ("claim: exp", i => i.Mint(c => c.Remove("exp"))),
        ["exp past"] = ("claim: exp", i => i.Mint(c => c["exp"] = i.Now - 31)),
        ["exp a string"] = ("claim: exp", i => i.Mint(c => c["exp"] = $"{i.Now + 600}")),
        ["exp beyond all time"] = ("claim: exp", i => i.Mint(c => c["exp"] = long.MaxValue)),
        ["exp beyond all numbers"] = ("claim: exp", i =>
            WithClaims(i, i.Claims.ToJsonString().Replace($"{i.Now + 600}", "1e400", StringComparison.Ordinal))),
        ["exp negative"] = ("claim: exp", i => i.Mint(c => c["exp"] = -1)),
        ["nbf ahead"] = ("claim: nbf", i => i.Mint(c => c["nbf"] = i.Now + 61)),
        ["nbf a string"] = ("claim: nbf", i => i.Mint(c => c["nbf"] = "now")),
        ["iat missing"] = ("claim: iat", i => i.Mint(c => c.Remove("iat"))),
        ["iat ahead"] = ("claim: nbf or iat", i => i.Mint(c => c["iat"] = i.Now + 61)),
        ["sub missing"] = ("claim: sub", i => i.Mint(c => c.Remove("sub"))),
        ["sub a number"] = ("claim: sub", i => i.Mint(c => c["sub"] = 7)),
        ["client_id missing"] = ("claim: client_id", i => i.Mint(c => c.Remove("client_id"))),
        ["jti missing"] = ("claim: jti", i => i.Mint(c => c.Remove("jti"))),
        ["scope an array"] = ("claim: scope", i => i.Mint(c => c["scope"] = new JsonArray("notes:read"))),
        ["scope with two spaces"] = ("claim: scope", i => i.Mint(c => c["scope"] = "notes:read  admin")),
        ["scope with a quotation mark"] = ("claim: scope", i => i.Mint(c => c["scope"] = "notes:read\"")),
        ["cnf of a DPoP key"] = ("claim: cnf", i => i.Mint(c => c["cnf"] = new JsonObject { ["jkt"] = "0ZcO" })),
        ["cnf of a DPoP key and no proof"] = ("cnf: a bound token without its proof", i => i.Mint(c =>
            c["cnf"] = new JsonObject { ["jkt"] = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })),
        ["cnf null"] = ("claim: cnf", i => i.Mint(c => c["cnf"] = null)),
        ["act a string"] = ("claim: act", i => i.Mint(c => c["act"] = "agent_7")),
        ["act without sub"] = ("claim: act", i => i.Mint(c => c["act"] = new JsonObject { ["iss"] = Issuer.Name })),
        ["authorization_details of an unknown type"] = ("claim: authorization_details", i =>
            i.Mint(c => c["authorization_details"] = new JsonArray(new JsonObject { ["type"] = "payment" }))),
        ["authorization_details without type"] = ("claim: authorization_details", i =>
            i.Mint(c => c["authorization_details"] = new JsonArray(new JsonObject()))),
    };

    public static TheoryData<string> Names => [.. Attacks.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task A_bad_token_is_refused(string name)
    {
        var (because, make) = Attacks[name];
        var token = make(api.Issuer);

        using var answer = await api.Server.GetAsync("/notes", token);
        using var control = await api.Server.GetAsync("/notes", api.Issuer.Mint());
        var validator = new AccessTokenValidator(Issuer.Name, new LocalKeys(api.Issuer.Keys), api.Issuer.Clock);
        var refusal = Assert.IsType<TokenRefusal>(await validator.ValidateAsync(token, Issuer.Resource));

        Assert.Equal(HttpStatusCode.OK, control.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        var challenge = answer.Headers.WwwAuthenticate.First().ToString();
        Assert.Contains("error=\"invalid_token\"", challenge, StringComparison.Ordinal);
        Assert.Contains("resource_metadata=\"https://api.example/.well-known/", challenge, StringComparison.Ordinal);
        Assert.StartsWith(because, refusal.Reason, StringComparison.Ordinal);
    }

    private static string WithHeader(Issuer issuer, string header) => issuer.Sign(header, issuer.Claims.ToJsonString());

    private static string WithClaims(Issuer issuer, string claims) => issuer.Sign(Issuer.Header.ToJsonString(), claims);

    private static string SignedWith(Issuer issuer, Func<byte[], byte[]> sign) =>
        Issuer.Sign(Issuer.Header.ToJsonString(), issuer.Claims.ToJsonString(), sign);

    private static byte[] Ones(int count) => [.. Enumerable.Repeat((byte)255, count)];

    private static string ByRsa(Issuer issuer, string algorithm, RSASignaturePadding padding) => Issuer.Sign(
        RsaHeader(algorithm), issuer.Claims.ToJsonString(), signed => issuer.ByRsa(signed, padding));

    private static string RsaHeader(string algorithm)
    {
        var header = Issuer.Header;
        (header["kid"], header["alg"]) = (Issuer.RsaId, algorithm);
        return header.ToJsonString();
    }

    // 64 bytes are 86 characters, and the last carries four bits that decode to nothing.
    private static string WithStrayBits(string token) => token[..^1] + (char)(token[^1] + 1);

    private static string SwapCase(string text) =>
        string.Concat(text.Select(c => char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c)));

    private static string SwapCaseOfSignature(Issuer issuer)
    {
        var token = issuer.Mint();
        var at = token.LastIndexOf('.') + 1;
        return token[..at] + SwapCase(token[at..^1]) + token[^1];
    }

    private static string SymmetricWithPublicKey(Issuer issuer)
    {
        var header = Issuer.Header;
        header["alg"] = "HS256";
        var secret = Encoding.ASCII.GetBytes(issuer.Ec.ExportSubjectPublicKeyInfoPem());
        return Issuer.Sign(
            header.ToJsonString(), issuer.Claims.ToJsonString(), signed => HMACSHA256.HashData(secret, signed));
    }

    private static string SignedByStranger(Issuer _)
    {
        using var stranger = new Issuer();
        return stranger.Mint();
    }

    private static string WithItsOwnKey(Issuer _)
    {
        using var stranger = new Issuer();
        var point = stranger.Ec.ExportParameters(false).Q;
        return stranger.Mint(header: h => h["jwk"] = new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["x"] = Base64Url.EncodeToString(point.X),
            ["y"] = Base64Url.EncodeToString(point.Y),
        });
    }

    private static string ClaimsChanged(Issuer issuer)
    {
        var parts = issuer.Mint().Split('.');
        var claims = issuer.Claims;
        claims["sub"] = "root";
        return $"{parts[0]}.{Issuer.Encode(claims.ToJsonString())}.{parts[2]}";
    }

    private static string HeaderChanged(Issuer issuer)
    {
        var parts = issuer.Mint().Split('.');
        var header = Issuer.Header;
        header["x"] = 1;
        return $"{Issuer.Encode(header.ToJsonString())}.{parts[1]}.{parts[2]}";
    }

    private static string HeaderNotUtf8(Issuer issuer)
    {
        var header = Encoding.Latin1.GetBytes("""{"alg":"ES256","typ":"at+jwt","kid":"é"}""");
        var signed = $"{Base64Url.EncodeToString(header)}.{Issuer.Encode(issuer.Claims.ToJsonString())}";
        return $"{signed}.{Base64Url.EncodeToString(issuer.ByEc(Encoding.ASCII.GetBytes(signed)))}";
    }
}
