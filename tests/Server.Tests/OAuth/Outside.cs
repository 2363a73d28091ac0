using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>Somebody outside who signs tokens.</summary>
internal sealed class Outside(string kid = "k1")
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string Jwks
    {
        get
        {
            var q = key.ExportParameters(false).Q;
            var (x, y) = (Base64Url.EncodeToString(q.X), Base64Url.EncodeToString(q.Y));
            return $$"""{"keys":[{"kty":"EC","crv":"P-256","kid":"{{kid}}","x":"{{x}}","y":"{{y}}"}]}""";
        }
    }

    public string Sign(JsonObject claims, string? typ, Action<JsonObject>? change = null)
    {
        var header = new JsonObject { ["alg"] = "ES256", ["kid"] = kid };
        if (typ is not null)
        {
            header["typ"] = typ;
        }

        change?.Invoke(header);
        var input = $"{Encode(header.ToJsonString())}.{Encode(claims.ToJsonString())}";
        var signature = key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256);
        return $"{input}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
