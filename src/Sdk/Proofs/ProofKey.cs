using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Proofs;

/// <summary>
/// What the header of a proof says (RFC 9449 §4.2): the public key, and which of our algorithms. A client's header is
/// the same in each of its proofs, so what was read from it is kept beside its bytes.
/// </summary>
internal sealed record ProofKey(byte[] Header, SignatureAlgorithm Algorithm, VerificationKey Key, string Thumbprint)
{
    // Private halves (RFC 7518 §6): whoever shows one has no key (CVE-2026-54431).
    private static readonly string[] Private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    // Other ways to bring a key; crit names rules that this code does not know; b64 and zip would have others read
    // another text.
    private static readonly string[] Forbidden = ["jku", "x5u", "x5c", "crit", "b64", "zip"];

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 4 };

    /// <summary>Reads a header; null with the reason when it is not one of a proof.</summary>
    public static ProofKey? Read(byte[] header, out string reason)
    {
        reason = "header: not one strict JSON object with a usable key";
        try
        {
            using var document = JsonDocument.Parse(header, Strict);
            return document.RootElement.ValueKind is JsonValueKind.Object
                ? Read(document.RootElement, header, ref reason)
                : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException
            or KeyNotFoundException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static ProofKey? Read(JsonElement json, byte[] header, ref string reason)
    {
        if (!IsProofType(Text(json, "typ")))
        {
            reason = "header: typ is not dpop+jwt";
            return null;
        }

        if (SignatureAlgorithms.Parse(Text(json, "alg")) is not { } algorithm)
        {
            reason = "header: alg is not ES256, PS256 or RS256";
            return null;
        }

        var jwk = json.GetProperty("jwk");
        if (Array.Exists(Forbidden, name => json.TryGetProperty(name, out _))
            || Array.Exists(Private, name => jwk.TryGetProperty(name, out _)))
        {
            reason = "header: a private key, or another way to bring one";
            return null;
        }

        if (Text(jwk, "use") is not (null or "sig") || (Text(jwk, "alg") ?? Text(json, "alg")) != Text(json, "alg"))
        {
            reason = "header: the key is for something else";
            return null;
        }

        return Text(jwk, "kty") is "EC" ? Ec(jwk, header, algorithm) : Rsa(jwk, header, algorithm);
    }

    private static ProofKey Ec(JsonElement jwk, byte[] header, SignatureAlgorithm algorithm)
    {
        var (curve, x, y) = (Text(jwk, "crv"), Member(jwk, "x"), Member(jwk, "y"));
        if (curve is not "P-256")
        {
            throw new FormatException("P-256 is the only curve.");
        }

        var key = VerificationKey.FromEcdsa("", new()
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new() { X = Bytes(x), Y = Bytes(y) },
        });
        return new(header, algorithm, key, Digest($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}"""));
    }

    private static ProofKey Rsa(JsonElement jwk, byte[] header, SignatureAlgorithm algorithm)
    {
        var (type, n, e) = (Text(jwk, "kty"), Member(jwk, "n"), Member(jwk, "e"));
        if (type is not "RSA")
        {
            throw new FormatException("EC and RSA are the only types.");
        }

        var key = VerificationKey.FromRsa("", new() { Modulus = Bytes(n), Exponent = Bytes(e) }, algorithm);
        return new(header, algorithm, key, Digest($$"""{"e":"{{e}}","kty":"RSA","n":"{{n}}"}"""));
    }

    private static bool IsProofType(string? type) =>
        string.Equals(type, "dpop+jwt", StringComparison.OrdinalIgnoreCase)
        || string.Equals(type, "application/dpop+jwt", StringComparison.OrdinalIgnoreCase);

    // RFC 7638 §3: the required members in the order of their names, without blanks. The texts are base64url, which
    // JSON writes as it is.
    private static string Digest(string json) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(json)));

    // One spelling of one key, so that it has one thumbprint.
    private static byte[] Bytes(string text) =>
        Base64Url.DecodeFromChars(text) is { Length: > 0 } bytes && Base64Url.EncodeToString(bytes) == text
            ? bytes
            : throw new FormatException("Not base64url in its one spelling.");

    private static string Member(JsonElement json, string name) =>
        Text(json, name) ?? throw new FormatException($"{name} is missing.");

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.GetString() : null;
}

/// <summary>
/// The keys of proofs that were good, so that a key is read once and not at each request. A fixed number of places; a
/// key that is displaced is read again.
/// </summary>
internal sealed class ProofKeys
{
    private const int Places = 1024;

    private readonly ProofKey?[] places = new ProofKey?[Places];

    public ProofKey? Find(ReadOnlySpan<byte> header) =>
        Volatile.Read(ref places[PlaceOf(header)]) is { } known && header.SequenceEqual(known.Header) ? known : null;

    public void Keep(ProofKey key) => Volatile.Write(ref places[PlaceOf(key.Header)], key);

    // Seeded per process: nobody outside can choose keys that crowd into one place.
    private static int PlaceOf(ReadOnlySpan<byte> header)
    {
        var hash = default(HashCode);
        hash.AddBytes(header);
        return hash.ToHashCode() & (Places - 1);
    }
}
