using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;

namespace Postern.AspNetCore.Keys;

/// <summary>
/// The public keys of an issuer at one time (RFC 7517 §5). It never changes: a rotation makes a new set.
/// </summary>
public sealed class KeySet
{
    /// <summary>The most keys a set may have.</summary>
    public const int MaxCount = 100;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    private readonly FrozenDictionary<string, VerificationKey> keys;

    /// <summary>A set of these keys.</summary>
    /// <exception cref="ArgumentException">Two keys have one <c>kid</c>, or there are too many.</exception>
    public KeySet(params IEnumerable<VerificationKey> keys)
    {
        var list = keys.Take(MaxCount + 1).ToList();
        if (list.Count > MaxCount || list.DistinctBy(key => key.Id).Count() != list.Count)
        {
            throw new ArgumentException($"A kid names two keys, or there are more than {MaxCount} keys.", nameof(keys));
        }

        this.keys = list.ToFrozenDictionary(key => key.Id);
    }

    /// <summary>The key with this <c>kid</c>, or null.</summary>
    public VerificationKey? this[string id] => keys.GetValueOrDefault(id);

    /// <summary>
    /// Reads a JWK set. Keys that are of no use here (without <c>kid</c>, not for signatures, of other types) are
    /// passed over; one that claims to be of use and is malformed, or that shows a private part, spoils the set.
    /// </summary>
    /// <exception cref="FormatException">The document is not a JWK set, or a key in it is malformed.</exception>
    public static KeySet Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            var members = document.RootElement.GetProperty("keys").EnumerateArray();
            return new(members.Select(Read).OfType<VerificationKey>());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or ArgumentException or FormatException)
        {
            throw new FormatException("The document is not a usable JWK set.", e);
        }
    }

    private static VerificationKey? Read(JsonElement key)
    {
        if (key.TryGetProperty("d", out _))
        {
            throw new FormatException("A private key is published.");
        }

        var id = Text(key, "kid");
        if (id is null || Text(key, "use") is not (null or "sig"))
        {
            return null;
        }

        return (Text(key, "kty"), Text(key, "crv"), Text(key, "alg")) switch
        {
            ("EC", "P-256", null or "ES256") => VerificationKey.FromEcdsa(id, new()
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new() { X = Bytes(key, "x"), Y = Bytes(key, "y") },
            }),
            ("RSA", _, null) => Rsa(id, key, null),
            ("RSA", _, "RS256") => Rsa(id, key, SignatureAlgorithm.RS256),
            ("RSA", _, "PS256") => Rsa(id, key, SignatureAlgorithm.PS256),
            _ => null,
        };
    }

    private static VerificationKey Rsa(string id, JsonElement key, SignatureAlgorithm? only) =>
        VerificationKey.FromRsa(id, new() { Modulus = Bytes(key, "n"), Exponent = Bytes(key, "e") }, only);

    private static string? Text(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static byte[] Bytes(JsonElement key, string name) =>
        Base64Url.DecodeFromChars(Text(key, name) ?? throw new FormatException($"{name} is missing."));
}
