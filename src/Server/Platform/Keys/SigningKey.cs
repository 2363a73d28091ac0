using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Platform.Keys;

/// <summary>
/// A key of ours, ES256 or RS256 (RFC 7518 §3.3, §3.4), named by its thumbprint (RFC 7638). A key signs by one
/// algorithm alone.
/// </summary>
/// <remarks>
/// Instances of the platform's keys are not promised to be safe for threads, so each caller rents one.
/// </remarks>
internal sealed class SigningKey : IDisposable
{
    public const string Es256 = "ES256", Rs256 = "RS256";

    /// <summary>Bytes of a signature by ES256: r and s, 32 each.</summary>
    public const int SignatureSize = 64;

    private const int RsaBits = 2048;

    private readonly ConcurrentBag<AsymmetricAlgorithm> rested = [];
    private readonly ConcurrentDictionary<string, byte[]> headers = new(StringComparer.Ordinal);
    private readonly byte[] pkcs8;

    /// <param name="pair">The key pair; it stays the caller's.</param>
    /// <param name="signsFrom">When it begins to sign.</param>
    /// <param name="signsUntil">When the next one does.</param>
    /// <param name="publishedUntil">When the last token it signed has expired.</param>
    public SigningKey(
        AsymmetricAlgorithm pair, DateTimeOffset signsFrom, DateTimeOffset signsUntil, DateTimeOffset publishedUntil)
    {
        pkcs8 = pair.ExportPkcs8PrivateKey();
        (SignsFrom, SignsUntil, PublishedUntil) = (signsFrom, signsUntil, publishedUntil);
        (Algorithm, Id, PublicJwk) = pair switch
        {
            ECDsa ec => Describe(ec),
            RSA rsa => Describe(rsa),
            _ => throw new UnreachableException(),
        };
    }

    public string Id { get; }

    /// <summary>The <c>alg</c> of everything it signs.</summary>
    public string Algorithm { get; }

    /// <summary>The public half as JSON (RFC 7517); there is no writer for the private one.</summary>
    public string PublicJwk { get; }

    public DateTimeOffset SignsFrom { get; }

    public DateTimeOffset SignsUntil { get; }

    public DateTimeOffset PublishedUntil { get; }

    /// <summary>Bytes of a signature by this key.</summary>
    public int Size => Algorithm is Rs256 ? RsaBits / 8 : SignatureSize;

    /// <summary>
    /// The first part of a token of this kind that it signs (RFC 7515 §3.1), encoded; <paramref name="typ"/> is a word
    /// of the program's.
    /// </summary>
    public byte[] Header(string typ) => headers.TryGetValue(typ, out var known)
        ? known
        : headers.GetOrAdd(typ, Base64Url.EncodeToUtf8(
            Encoding.ASCII.GetBytes($$"""{"alg":"{{Algorithm}}","typ":"{{typ}}","kid":"{{Id}}"}""")));

    /// <summary>Makes a key pair for an algorithm; the caller disposes.</summary>
    public static AsymmetricAlgorithm Generate(string algorithm) => algorithm is Rs256
        ? RSA.Create(RsaBits)
        : ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Reads a key pair as it is kept; the caller disposes.</summary>
    public static AsymmetricAlgorithm Import(string algorithm, ReadOnlySpan<byte> pkcs8)
    {
        AsymmetricAlgorithm pair = algorithm is Rs256 ? RSA.Create() : ECDsa.Create();
        pair.ImportPkcs8PrivateKey(pkcs8, out _);
        return pair;
    }

    /// <summary>Signs with SHA-256 into <paramref name="signature"/>, <see cref="Size"/> bytes.</summary>
    public void Sign(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        var key = rested.TryTake(out var one) ? one : Import(Algorithm, pkcs8);
        _ = key is ECDsa ec
            ? ec.SignData(
                data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
            : ((RSA)key).SignData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        rested.Add(key);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(pkcs8);
        while (rested.TryTake(out var key))
        {
            key.Dispose();
        }
    }

    private static (string Algorithm, string Id, string Jwk) Describe(ECDsa pair)
    {
        var point = pair.ExportParameters(includePrivateParameters: false).Q;
        var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        var id = Thumbprint($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""");
        return (Es256, id, $$"""
            {"kty":"EC","crv":"P-256","x":"{{x}}","y":"{{y}}","use":"sig","alg":"ES256","kid":"{{id}}"}
            """);
    }

    private static (string Algorithm, string Id, string Jwk) Describe(RSA pair)
    {
        var half = pair.ExportParameters(includePrivateParameters: false);
        var (n, e) = (Base64Url.EncodeToString(half.Modulus), Base64Url.EncodeToString(half.Exponent));
        var id = Thumbprint($$"""{"e":"{{e}}","kty":"RSA","n":"{{n}}"}""");
        return (Rs256, id, $$"""{"kty":"RSA","n":"{{n}}","e":"{{e}}","use":"sig","alg":"RS256","kid":"{{id}}"}""");
    }

    private static string Thumbprint(string members) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(members)));
}
