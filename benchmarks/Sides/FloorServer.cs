using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Postern.Bench.Sides;

/// <summary>
/// The least a token endpoint can do on Kestrel: parse the form, sign one ES256 token, answer. It knows no client,
/// keeps no entry and refuses nothing.
/// </summary>
internal static class FloorServer
{
    private static readonly ECParameters Key = MakeKey();

    private static readonly byte[] Header = Encoding.ASCII.GetBytes(
        Base64Url.EncodeToString(
            """{"alg":"ES256","typ":"at+jwt","kid":"IuHDsNGM6Gl7tbdV1Eq8Qf1M4X3oRkmLOSVBxZ3BRVA"}"""u8) + ".");

    [ThreadStatic]
    private static ECDsa? signer;

    public static async Task RunAsync(int port)
    {
        var builder = Child.Builder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));
        await using var app = builder.Build();
        app.MapGet("/", () => "ready");
        app.MapPost("/token", (RequestDelegate)TokenAsync);
        Child.EndWithParent(app);
        await app.RunAsync();
    }

    private static async Task TokenAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync();
        var body = Answer(form["scope"].ToString());
        http.Response.ContentType = "application/json";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.ContentLength = body.WrittenCount;
        await http.Response.BodyWriter.WriteAsync(body.WrittenMemory);
    }

    private static ArrayBufferWriter<byte> Answer(string scope)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(body);
        json.WriteStartObject();
        json.WriteString("access_token"u8, Token(scope));
        json.WriteString("token_type"u8, "Bearer"u8);
        json.WriteNumber("expires_in"u8, 600);
        json.WriteString("scope"u8, scope);
        json.WriteEndObject();
        json.Flush();
        return body;
    }

    private static byte[] Token(string scope)
    {
        var claims = Claims(scope);
        var length = Header.Length + Base64Url.GetEncodedLength(claims.Length);
        var token = new byte[length + 1 + Base64Url.GetEncodedLength(64)];
        Header.CopyTo(token, 0);
        Base64Url.EncodeToUtf8(claims, token.AsSpan(Header.Length));
        Span<byte> signature = stackalloc byte[64];
        (signer ??= ECDsa.Create(Key)).SignData(token.AsSpan(0, length), signature, HashAlgorithmName.SHA256);
        token[length] = (byte)'.';
        Base64Url.EncodeToUtf8(signature, token.AsSpan(length + 1));
        return token;
    }

    private static ReadOnlySpan<byte> Claims(string scope)
    {
        var claims = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(claims);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        json.WriteStartObject();
        json.WriteString("iss"u8, "http://127.0.0.1:7400"u8);
        json.WriteString("sub"u8, "bench"u8);
        json.WriteString("aud"u8, "http://127.0.0.1:7400/mcp/echo"u8);
        json.WriteString("client_id"u8, "bench"u8);
        json.WriteString("scope"u8, scope);
        json.WriteNumber("exp"u8, now + 600);
        json.WriteNumber("iat"u8, now);
        json.WriteString("jti"u8, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));
        json.WriteString("grant_id"u8, "grn_0192a9c3e2aa7cc28b7a1c47c51c2a40"u8);
        json.WriteEndObject();
        json.Flush();
        return claims.WrittenSpan;
    }

    private static ECParameters MakeKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportParameters(includePrivateParameters: true);
    }
}
