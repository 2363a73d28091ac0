using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Postern.Tests.Shared;

/// <summary>
/// What may be sent as proof of a key, and must be taken; and what must be refused wherever it is sent.
/// </summary>
internal static class Proofs
{
    private delegate string[] Make(DpopKey key, ProofAsk ask);

    private static readonly Dictionary<string, Make> Bad = new()
    {
        ["two headers"] = (key, ask) => [key.Proof(ask), key.Proof(ask)],
        ["an empty header"] = (_, _) => [""],
        ["no JWT"] = (_, _) => ["proof"],
        ["two segments"] = (key, ask) => [key.Proof(ask)[..key.Proof(ask).LastIndexOf('.')]],
        ["four segments"] = (key, ask) => [key.Proof(ask) + ".x"],
        ["padding"] = (key, ask) => [key.Proof(ask) + "=="],
        ["too long"] = (key, ask) => [key.Proof(ask, c => c["x"] = new string('x', 9000))],
        ["no typ"] = (key, ask) => [key.Proof(ask, header: h => h.Remove("typ"))],
        ["no alg"] = (key, ask) => [key.Proof(ask, header: h => h.Remove("alg"))],
        ["no jwk"] = (key, ask) => [key.Proof(ask, header: h => h.Remove("jwk"))],
        ["no jti"] = (key, ask) => [key.Proof(ask, c => c.Remove("jti"))],
        ["no htm"] = (key, ask) => [key.Proof(ask, c => c.Remove("htm"))],
        ["no htu"] = (key, ask) => [key.Proof(ask, c => c.Remove("htu"))],
        ["no iat"] = (key, ask) => [key.Proof(ask, c => c.Remove("iat"))],
        ["typ of an access token"] = (key, ask) => [key.Proof(ask, header: h => h["typ"] = "at+jwt")],
        ["typ JWT"] = (key, ask) => [key.Proof(ask, header: h => h["typ"] = "JWT")],
        ["alg none"] = (key, ask) => [DpopKey.Sign(
            With(key.Header, "alg", "none"), DpopKey.Claims(ask).ToJsonString(), _ => [0])],
        ["alg HS256 with a shared key"] = (key, ask) => [DpopKey.Sign(
            """{"typ":"dpop+jwt","alg":"HS256","jwk":{"kty":"oct","k":"c2VjcmV0"}}""",
            DpopKey.Claims(ask).ToJsonString(),
            signed => HMACSHA256.HashData("secret"u8, signed))],
        ["alg ES384"] = (key, ask) => [key.Proof(ask, header: h => h["alg"] = "ES384")],
        ["alg of another type of key"] = (key, ask) => [key.Proof(ask, header: h => h["alg"] = "RS256")],
        ["a key for something else"] = (key, ask) => [key.Proof(ask, header: h => h["jwk"]!["use"] = "enc")],
        ["a key for another alg"] = (key, ask) => [key.Proof(ask, header: h => h["jwk"]!["alg"] = "PS256")],
        ["a private key"] = (key, ask) => [key.Proof(ask, header: h => h["jwk"]!["d"] = h["jwk"]!["x"]!.DeepClone())],
        ["a point off the curve"] = (key, ask) => [key.Proof(
            ask, header: h => h["jwk"]!["y"] = h["jwk"]!["x"]!.DeepClone())],
        ["a jku"] = (key, ask) => [key.Proof(ask, header: h => h["jku"] = "https://evil.example/")],
        ["an unknown crit"] = (key, ask) => [key.Proof(ask, header: h => h["crit"] = new JsonArray("x"))],
        ["a header twice over"] = (key, ask) => [key.Sign(
            key.Header.ToJsonString().Replace("{\"typ\"", "{\"typ\":\"dpop+jwt\",\"typ\""),
            DpopKey.Claims(ask).ToJsonString())],
        ["a claim twice"] = (key, ask) => [key.Sign(
            key.Header.ToJsonString(),
            DpopKey.Claims(ask).ToJsonString().Replace("{\"jti\"", "{\"jti\":\"x\",\"jti\""))],
        ["another's signature"] = (key, ask) => [Forged(key, ask)],
        ["changed after it was signed"] = (key, ask) => [Changed(key, ask)],
        ["another method"] = (key, ask) => [key.Proof(ask, c => c["htm"] = ask.Method is "GET" ? "POST" : "GET")],
        ["the method in lower case"] = (key, ask) => [key.Proof(ask, c => c["htm"] = ask.Method.ToLowerInvariant())],
        ["htm is no text"] = (key, ask) => [key.Proof(ask, c => c["htm"] = new JsonArray(ask.Method))],
        ["another path"] = (key, ask) => [key.Proof(ask, c => c["htu"] = ask.Url + "/more")],
        ["another host"] = (key, ask) => [key.Proof(ask, c => c["htu"] = "https://other.example" + Path(ask))],
        ["another scheme"] = (key, ask) => [key.Proof(ask, c => c["htu"] = "ftp" + ask.Url[ask.Url.IndexOf(':')..])],
        ["another port"] = (key, ask) => [key.Proof(
            ask, c => c["htu"] = new UriBuilder(ask.Url) { Port = 4 }.Uri.AbsoluteUri)],
        ["a user before the host"] = (key, ask) => [key.Proof(
            ask, c => c["htu"] = ask.Url.Replace("://", "://user@", StringComparison.Ordinal))],
        ["a path alone"] = (key, ask) => [key.Proof(ask, c => c["htu"] = Path(ask))],
        ["htu is no text"] = (key, ask) => [key.Proof(ask, c => c["htu"] = new JsonArray(ask.Url))],
        ["an hour old"] = (key, ask) => [key.Proof(ask, c => c["iat"] = ask.Now - 3600)],
        ["an hour ahead"] = (key, ask) => [key.Proof(ask, c => c["iat"] = ask.Now + 3600)],
        ["a minute and more old"] = (key, ask) => [key.Proof(ask, c => c["iat"] = ask.Now - 62)],
        ["iat is a text"] = (key, ask) => [key.Proof(ask, c => c["iat"] = $"{ask.Now}")],
        ["an empty jti"] = (key, ask) => [key.Proof(ask, c => c["jti"] = "")],
        ["a jti without end"] = (key, ask) => [key.Proof(ask, c => c["jti"] = new string('x', 300))],
        ["the nonce is no text"] = (key, ask) => [key.Proof(ask, c => c["nonce"] = 1)],
    };

    private static readonly Dictionary<string, Make> BadWithToken = new()
    {
        ["no header"] = (_, _) => [],
        ["no ath"] = (key, ask) => [key.Proof(ask, c => c.Remove("ath"))],
        ["the ath of another token"] = (key, ask) => [key.Proof(ask, c => c["ath"] = DpopKey.Hash("other"))],
        ["ath is no text"] = (key, ask) => [key.Proof(ask, c => c["ath"] = true)],
        ["made for the token endpoint"] = (key, ask) =>
            [key.Proof(new("POST", new Uri(new(ask.Url), "/token").AbsoluteUri, ask.Now))],
    };

    private static readonly Dictionary<string, Make> Good = new()
    {
        ["plain"] = (key, ask) => [key.Proof(ask)],
        ["htu with a query and a fragment"] = (key, ask) => [key.Proof(ask, c => c["htu"] = ask.Url + "?a=b#c")],
        ["htu in upper case with its port"] = (key, ask) => [key.Proof(ask, c => c["htu"] = Shouted(ask.Url))],
        ["htu with an escape of a plain character"] = (key, ask) => [key.Proof(
            ask, c => c["htu"] = string.Concat(ask.Url[..^1], $"%{(int)ask.Url[^1]:X2}"))],
        ["ten seconds old"] = (key, ask) => [key.Proof(ask, c => c["iat"] = ask.Now - 10)],
        ["ten seconds ahead"] = (key, ask) => [key.Proof(ask, c => c["iat"] = ask.Now + 10)],
        ["a part of a second"] = (key, ask) => [key.Proof(ask, c => c["iat"] = ask.Now - 0.25)],
        ["nbf, exp and a claim of its own"] = (key, ask) => [key.Proof(ask, c =>
        {
            (c["nbf"], c["exp"], c["mine"]) = (ask.Now + 60, ask.Now - 60, new JsonObject { ["a"] = 1 });
        })],
        ["typ in upper case"] = (key, ask) => [key.Proof(ask, header: h => h["typ"] = "DPOP+JWT")],
        ["typ in full"] = (key, ask) => [key.Proof(ask, header: h => h["typ"] = "application/dpop+jwt")],
        ["a key that names its use"] = (key, ask) => [key.Proof(ask, header: h => h["jwk"]!["use"] = "sig")],
    };

    public static IEnumerable<string> AllBad => Bad.Keys;

    public static IEnumerable<string> AllBadWithToken => [.. Bad.Keys, .. BadWithToken.Keys];

    public static IEnumerable<string> AllGood => Good.Keys;

    /// <summary>The values of the header DPoP.</summary>
    public static string[] Of(string name, DpopKey key, ProofAsk ask) =>
        (Good.GetValueOrDefault(name) ?? Bad.GetValueOrDefault(name) ?? BadWithToken[name])(key, ask);

    /// <summary>A proof by RSA and its thumbprint, for the algorithms that one key may use.</summary>
    public static string ByRsa(RSA rsa, string algorithm, ProofAsk ask, out string thumbprint)
    {
        var key = rsa.ExportParameters(false);
        var (n, e) = (Base64(key.Modulus!), Base64(key.Exponent!));
        thumbprint = DpopKey.Hash($$"""{"e":"{{e}}","kty":"RSA","n":"{{n}}"}""");
        var padding = algorithm is "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
        return DpopKey.Sign(
            $$"""{"typ":"dpop+jwt","alg":"{{algorithm}}","jwk":{"kty":"RSA","n":"{{n}}","e":"{{e}}"} }""",
            DpopKey.Claims(ask).ToJsonString(),
            signed => rsa.SignData(signed, HashAlgorithmName.SHA256, padding));
    }

    private static string Forged(DpopKey key, ProofAsk ask)
    {
        using var other = new DpopKey();
        return other.Proof(ask, header: h => h["jwk"] = key.Jwk);
    }

    private static string Changed(DpopKey key, ProofAsk ask)
    {
        var parts = key.Proof(ask).Split('.');
        return $"{parts[0]}.{key.Proof(ask).Split('.')[1]}.{parts[2]}";
    }

    private static string Shouted(string url)
    {
        var uri = new Uri(url);
        return $"{uri.Scheme.ToUpperInvariant()}://{uri.Host.ToUpperInvariant()}:{uri.Port}{uri.AbsolutePath}";
    }

    private static string Path(ProofAsk ask) => new Uri(ask.Url).AbsolutePath;

    private static string With(JsonObject json, string name, string value)
    {
        json[name] = value;
        return json.ToJsonString();
    }

    private static string Base64(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
