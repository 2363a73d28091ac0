using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Postern.Tests.Interop;

/// <summary>A key as scripts are given it (RFC 7517), made for one run.</summary>
internal sealed class JsonKey
{
    private readonly ECParameters key = ECDsa.Create(ECCurve.NamedCurves.nistP256).ExportParameters(true);

    public string Public => Text(new());

    public string Private => Text(new() { ["d"] = Base64Url.EncodeToString(key.D) });

    private string Text(Dictionary<string, string> jwk)
    {
        (jwk["kty"], jwk["crv"], jwk["kid"]) = ("EC", "P-256", "k1");
        (jwk["x"], jwk["y"]) = (Base64Url.EncodeToString(key.Q.X), Base64Url.EncodeToString(key.Q.Y));
        return JsonSerializer.Serialize(jwk);
    }
}
