using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>A key of a client's and what it signs with it.</summary>
internal sealed class Signer(string kid)
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RSA rsa = RSA.Create(2048);

    /// <summary>The public halves, a key set; the RSA key is named like the other with <c>-rsa</c>.</summary>
    public string Jwks
    {
        get
        {
            var (q, half) = (key.ExportParameters(false).Q, rsa.ExportParameters(false));
            return $$"""
                {"keys":[{"kty":"EC","crv":"P-256","kid":"{{kid}}","x":"{{Text(q.X)}}","y":"{{Text(q.Y)}}"},
                {"kty":"RSA","kid":"{{kid}}-rsa","n":"{{Text(half.Modulus)}}","e":"{{Text(half.Exponent)}}"}]}
                """.ReplaceLineEndings("");
        }
    }

    /// <summary>A JWT of these claims, signed with ES256 unless said otherwise.</summary>
    public string Sign(
        JsonObject claims, string? typ = "oauth-authz-req+jwt", string alg = "ES256", string? named = null) =>
        SignBytes(Encoding.UTF8.GetBytes(claims.ToJsonString()), typ, alg, named);

    /// <summary>Another's JWT, header and all, under this signature.</summary>
    public string SignLike(string jwt)
    {
        var text = jwt[..jwt.LastIndexOf('.')];
        var bytes = Encoding.ASCII.GetBytes(text);
        return $"{text}.{Text(rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    /// <summary>The same of what may be no JSON at all.</summary>
    public string SignBytes(
        byte[] claims, string? typ = "oauth-authz-req+jwt", string alg = "ES256", string? named = null)
    {
        var header = new JsonObject { ["alg"] = alg, ["kid"] = named ?? (alg is "ES256" ? kid : kid + "-rsa") };
        if (typ is not null)
        {
            header["typ"] = typ;
        }

        var text = $"{Text(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Text(claims)}";
        var bytes = Encoding.ASCII.GetBytes(text);
        var signature = alg switch
        {
            "none" => [],
            "HS256" => HMACSHA256.HashData(key.ExportSubjectPublicKeyInfo(), bytes),
            "PS256" => rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
            "RS256" => rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            _ => key.SignData(bytes, HashAlgorithmName.SHA256),
        };
        return $"{text}.{Text(signature)}";
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
