using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Postern.Bench.Sides;

/// <summary>
/// A client that holds a key and proves it (RFC 9449). Proofs are made before a turn: signing is the client's work and
/// not what is measured.
/// </summary>
internal sealed class Prover(string issuer) : IDisposable
{
    public const string Header = "DPoP: ";

    private readonly HttpClient http = new();
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>A request with a proof of its own, as often as wanted.</summary>
    public async Task<ConcurrentQueue<byte[]>> ProveAsync(
        string path, int times, string? token, Func<string, byte[]> request, CancellationToken stop)
    {
        var url = issuer + path;
        var nonce = await NonceAsync(url, token, stop);
        return new(Enumerable.Range(0, times).Select(_ => request(Header + Proof(url, nonce, token))));
    }

    /// <summary>One proof.</summary>
    /// <param name="url">What it is for.</param>
    /// <param name="nonce">What the server gave to put into it, if anything.</param>
    /// <param name="token">The bound token that it goes with, if any.</param>
    public string Proof(string url, string? nonce, string? token)
    {
        var claims = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(claims))
        {
            json.WriteStartObject();
            json.WriteString("jti"u8, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));
            json.WriteString("htm"u8, "POST"u8);
            json.WriteString("htu"u8, url);
            json.WriteNumber("iat"u8, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
            if (nonce is not null)
            {
                json.WriteString("nonce"u8, nonce);
            }

            if (token is not null)
            {
                var digest = SHA256.HashData(Encoding.ASCII.GetBytes(token));
                json.WriteString("ath"u8, Base64Url.EncodeToString(digest));
            }

            json.WriteEndObject();
        }

        var signed = $"{Head()}.{Base64Url.EncodeToString(claims.WrittenSpan)}";
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>Processor time that one check of such a signature takes here, in microseconds.</summary>
    public double CheckMicros(int times)
    {
        var signed = Encoding.ASCII.GetBytes(Proof(issuer, null, null));
        var signature = key.SignData(signed, HashAlgorithmName.SHA256);
        var start = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < times; i++)
        {
            _ = key.VerifyData(signed, signature, HashAlgorithmName.SHA256)
                ? true
                : throw new InvalidOperationException("A good signature is none.");
        }

        return (Environment.CpuUsage.TotalTime - start).TotalMicroseconds / times;
    }

    public void Dispose()
    {
        http.Dispose();
        key.Dispose();
    }

    private string Head()
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        return Base64Url.EncodeToString(Encoding.ASCII.GetBytes(
            $$$"""{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"{{{x}}}","y":"{{{y}}}"}}"""));
    }

    // Whoever asks without one is told, if one is needed.
    private async Task<string?> NonceAsync(string url, string? token, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url);
        request.Headers.TryAddWithoutValidation("DPoP", Proof(url, null, token));
        if (token is null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", Stage.Basic["Authorization: ".Length..]);
            request.Content = new FormUrlEncodedContent([new("grant_type", "client_credentials")]);
        }
        else
        {
            request.Headers.TryAddWithoutValidation("Authorization", "DPoP " + token);
        }

        using var answer = await http.SendAsync(request, stop);
        return answer.Headers.TryGetValues("DPoP-Nonce", out var nonces) ? nonces.First() : null;
    }
}
