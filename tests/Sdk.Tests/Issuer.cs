using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Tests;

/// <summary>An authorization server's keys and pen, which also write what no honest one would.</summary>
internal sealed class Issuer : IDisposable
{
    public const string Name = "https://as.example";
    public const string Resource = "https://api.example/notes";
    public const string EcId = "ec", RsaId = "rsa";

    public FakeClock Clock { get; } = new(new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public ECDsa Ec { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public RSA Rsa { get; } = RSA.Create(2048);

    public KeySet Keys => new(
        VerificationKey.FromEcdsa(EcId, Ec.ExportParameters(false)),
        VerificationKey.FromRsa(RsaId, Rsa.ExportParameters(false)));

    public long Now => Clock.GetUtcNow().ToUnixTimeSeconds();

    public static JsonObject Header => new() { ["alg"] = "ES256", ["typ"] = "at+jwt", ["kid"] = EcId };

    public JsonObject Claims => new()
    {
        ["iss"] = Name,
        ["sub"] = "user_1",
        ["aud"] = Resource,
        ["client_id"] = "app",
        ["scope"] = "notes:read notes:write",
        ["iat"] = Now,
        ["exp"] = Now + 600,
        ["jti"] = "token_1",
        ["grant_id"] = "gr_1",
    };

    public string Mint(Action<JsonObject>? claims = null, Action<JsonObject>? header = null)
    {
        var (h, c) = (Header, Claims);
        header?.Invoke(h);
        claims?.Invoke(c);
        return Sign(h.ToJsonString(), c.ToJsonString());
    }

    public string Sign(string header, string claims) => Sign(header, claims, ByEc);

    public static string Sign(string header, string claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public byte[] ByEc(byte[] signed) => Ec.SignData(signed, HashAlgorithmName.SHA256);

    public byte[] ByRsa(byte[] signed, RSASignaturePadding padding) =>
        Rsa.SignData(signed, HashAlgorithmName.SHA256, padding);

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public void Dispose()
    {
        Ec.Dispose();
        Rsa.Dispose();
    }
}
