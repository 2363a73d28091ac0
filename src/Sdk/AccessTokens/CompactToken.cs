using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Postern.AspNetCore.AccessTokens;

/// <summary>
/// The compact form of a signed token (RFC 7515 §7.1), decoded strictly: a token has exactly one spelling, so nothing
/// that remembers tokens can be made to see two in one.
/// </summary>
internal sealed class CompactToken
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    private const byte Dot = (byte)'.';

    private static readonly SearchValues<byte> AlphabetBytes = SearchValues.Create([.. Alphabet.Select(c => (byte)c)]);

    private readonly byte[] text;
    private readonly int signedLength;

    private CompactToken(byte[] text, int signedLength, byte[] header, byte[] payload, byte[] signature) =>
        (this.text, this.signedLength, Header, Payload, Signature) = (text, signedLength, header, payload, signature);

    public byte[] Header { get; }

    public byte[] Payload { get; }

    public byte[] Signature { get; }

    /// <summary>RFC 7515 §5.2 step 8: what the signature is over.</summary>
    public ReadOnlySpan<byte> Signed => text.AsSpan(0, signedLength);

    public static bool TryParse(byte[] text, [NotNullWhen(true)] out CompactToken? token)
    {
        token = null;
        int first = Array.IndexOf(text, Dot), last = Array.LastIndexOf(text, Dot);
        if (first == last
            || Decode(text.AsSpan(0, first)) is not { } header
            || Decode(text.AsSpan((first + 1)..last)) is not { } payload
            || Decode(text.AsSpan(last + 1)) is not { } signature)
        {
            return false;
        }

        token = new(text, last, header, payload, signature);
        return true;
    }

    // RFC 7515 §2: base64url without padding. The base library would also take padding, white space and stray last
    // bits.
    private static byte[]? Decode(ReadOnlySpan<byte> segment)
    {
        var strayBits = (segment.Length % 4) switch { 0 => 0, 2 => 0b1111, 3 => 0b11, _ => -1 };
        if (segment.IsEmpty || strayBits < 0 || segment.ContainsAnyExcept(AlphabetBytes))
        {
            return null;
        }

        var lastBits = Alphabet.IndexOf((char)segment[^1], StringComparison.Ordinal);
        return (lastBits & strayBits) is 0 ? Base64Url.DecodeFromUtf8(segment) : null;
    }
}
