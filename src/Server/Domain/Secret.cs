using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Domain;

/// <summary>A value that must not be seen: it prints as <c>***</c> and compares in fixed time.</summary>
public sealed class Secret(string value)
{
    /// <summary>Characters of a secret the server makes.</summary>
    public const int Length = 43;

    /// <summary>256 random bits, base64url: what every secret the server makes consists of.</summary>
    public static Secret New(RandomNumberGenerator random) => new(Base64Url.EncodeToString(random.Bytes(32)));

    /// <summary>The value itself, for the one place that must send or hash it.</summary>
    public string Reveal() => value;

    /// <summary>SHA-256, base64url: the form in which secrets of 256 bits are stored.</summary>
    public string Hash() => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(value)));

    /// <summary>Compares with a stored <see cref="Hash"/>, in time that does not depend on where they differ.</summary>
    public bool Matches(string hash)
    {
        Span<byte> own = stackalloc byte[SHA256.HashSizeInBytes], other = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(value), own);
        return Base64Url.DecodeFromChars(hash, other, out _, out _) is OperationStatus.Done
            && CryptographicOperations.FixedTimeEquals(own, other);
    }

    public override string ToString() => "***";
}
