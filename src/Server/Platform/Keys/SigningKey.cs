using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Platform.Keys;

/// <summary>An ES256 key of ours (RFC 7518 §3.4), named by its thumbprint (RFC 7638).</summary>
/// <remarks>
/// Instances of <see cref="ECDsa"/> are not promised to be safe for threads, so each caller rents one.
/// </remarks>
internal sealed class SigningKey : IDisposable
{
    public const string Es256 = "ES256";

    /// <summary>Bytes of a signature: r and s, 32 each.</summary>
    public const int SignatureSize = 64;

    private readonly ConcurrentBag<ECDsa> rested = [];
    private readonly ConcurrentDictionary<string, byte[]> headers = new(StringComparer.Ordinal);
    private readonly ECParameters parameters;

    public SigningKey(
        ECParameters parameters, DateTimeOffset signsFrom, DateTimeOffset signsUntil, DateTimeOffset publishedUntil)
    {
        this.parameters = parameters;
        (SignsFrom, SignsUntil, PublishedUntil) = (signsFrom, signsUntil, publishedUntil);
        var (x, y) = (Base64Url.EncodeToString(parameters.Q.X), Base64Url.EncodeToString(parameters.Q.Y));
        Id = Base64Url.EncodeToString(SHA256.HashData(
            Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
        PublicJwk = $$"""{"kty":"EC","crv":"P-256","x":"{{x}}","y":"{{y}}","use":"sig","alg":"ES256","kid":"{{Id}}"}""";
    }

    public string Id { get; }

    /// <summary>The public half as JSON (RFC 7517); there is no writer for the private one.</summary>
    public string PublicJwk { get; }

    public DateTimeOffset SignsFrom { get; }

    public DateTimeOffset SignsUntil { get; }

    public DateTimeOffset PublishedUntil { get; }

    /// <summary>The public half, for whoever verifies in this process.</summary>
    public ECParameters Public => new() { Curve = parameters.Curve, Q = parameters.Q };

    /// <summary>
    /// The first part of a token of this kind that it signs (RFC 7515 §3.1), encoded; <paramref name="typ"/> is a word
    /// of the program's.
    /// </summary>
    public byte[] Header(string typ) => headers.TryGetValue(typ, out var known)
        ? known
        : headers.GetOrAdd(typ, Base64Url.EncodeToUtf8(
            Encoding.ASCII.GetBytes($$"""{"alg":"{{Es256}}","typ":"{{typ}}","kid":"{{Id}}"}""")));

    public static ECParameters Generate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportParameters(includePrivateParameters: true);
    }

    /// <summary>Signs with SHA-256 into <paramref name="signature"/>, <see cref="SignatureSize"/> bytes.</summary>
    public void Sign(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        var key = rested.TryTake(out var one) ? one : ECDsa.Create(parameters);
        key.SignData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        rested.Add(key);
    }

    public void Dispose()
    {
        while (rested.TryTake(out var key))
        {
            key.Dispose();
        }
    }
}
