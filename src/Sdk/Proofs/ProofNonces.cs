using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Postern.AspNetCore.Proofs;

/// <summary>
/// The nonces that proofs carry (RFC 9449 §8): made from the clock and a key, never stored. One lasts for the minute in
/// which it was made and the next.
/// </summary>
/// <param name="key">Whoever has the same key makes the same nonces; at least 16 bytes.</param>
/// <param name="clock">The minutes.</param>
/// <exception cref="ArgumentException">The key is too short.</exception>
public sealed class ProofNonces(byte[] key, TimeProvider clock)
{
    private const long Minute = 60;

    private readonly byte[] key = key.Length >= 16
        ? key
        : throw new ArgumentException("Expected at least 16 bytes.", nameof(key));

    /// <summary>The nonce of this minute at an address; one of another origin is none here.</summary>
    public string Current(string url) => Make(url, Now);

    /// <summary>Whether a nonce is good, and whether it is the last of its minutes.</summary>
    /// <param name="nonce">As it came.</param>
    /// <param name="url">The address it came to.</param>
    /// <param name="endsSoon">Whether the next one should be offered.</param>
    public bool IsGood(string nonce, string url, out bool endsSoon)
    {
        var now = Now;
        endsSoon = !Is(nonce, Make(url, now));
        return !endsSoon || Is(nonce, Make(url, now - 1));
    }

    private long Now => clock.GetUtcNow().ToUnixTimeSeconds() / Minute;

    private string Make(string url, long minute)
    {
        var origin = new Uri(url).GetLeftPart(UriPartial.Authority);
        var text = string.Create(CultureInfo.InvariantCulture, $"{origin}\n{minute}");
        return Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)).AsSpan(0, 18));
    }

    private static bool Is(string nonce, string made) => CryptographicOperations.FixedTimeEquals(
        MemoryMarshal.AsBytes(nonce.AsSpan()), MemoryMarshal.AsBytes(made.AsSpan()));
}
