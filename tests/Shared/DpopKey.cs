using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Postern.Tests.Shared;

/// <summary>A client's key, which makes DPoP proofs: right ones, and those that no honest client would.</summary>
internal sealed class DpopKey : IDisposable
{
    public ECDsa Ec { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public JsonObject Jwk
    {
        get
        {
            var point = Ec.ExportParameters(false).Q;
            return new() { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Text(point.X!), ["y"] = Text(point.Y!) };
        }
    }

    /// <summary>RFC 7638.</summary>
    public string Thumbprint => Hash($$"""{"crv":"P-256","kty":"EC","x":"{{Jwk["x"]}}","y":"{{Jwk["y"]}}"}""");

    /// <summary>A proof for a request, with what a test changes.</summary>
    public string Proof(
        ProofAsk ask, Action<JsonObject>? claims = null, Action<JsonObject>? header = null, string? nonce = null)
    {
        var (h, c) = (Header, Claims(ask));
        if (nonce is not null)
        {
            c["nonce"] = nonce;
        }

        header?.Invoke(h);
        claims?.Invoke(c);
        return Sign(h.ToJsonString(), c.ToJsonString());
    }

    public JsonObject Header => new() { ["typ"] = "dpop+jwt", ["alg"] = "ES256", ["jwk"] = Jwk };

    public static JsonObject Claims(ProofAsk ask)
    {
        var claims = new JsonObject
        {
            ["jti"] = Text(RandomNumberGenerator.GetBytes(16)),
            ["htm"] = ask.Method,
            ["htu"] = ask.Url,
            ["iat"] = ask.Now,
        };
        if (ask.Token is { } token)
        {
            claims["ath"] = Hash(token);
        }

        return claims;
    }

    public string Sign(string header, string claims) =>
        Sign(header, claims, signed => Ec.SignData(signed, HashAlgorithmName.SHA256));

    public static string Sign(string header, string claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Text(Encoding.UTF8.GetBytes(header))}.{Text(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Text(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public static string Hash(string text) => Text(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    public void Dispose() => Ec.Dispose();

    private static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);
}

/// <summary>The request that a proof is for; the token that goes with it, if one does.</summary>
internal sealed record ProofAsk(string Method, string Url, long Now, string? Token = null);
