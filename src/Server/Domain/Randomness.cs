using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Postern.Domain;

/// <summary>
/// What the server draws from its one source of randomness, which is handed in as the clock is. Key pairs, TLS, the
/// salts of passwords and the challenges of passkeys are drawn by the platform's own cryptography.
/// </summary>
public static class Randomness
{
    extension(RandomNumberGenerator random)
    {
        public byte[] Bytes(int count)
        {
            var bytes = new byte[count];
            random.GetBytes(bytes);
            return bytes;
        }

        /// <summary>An identifier that sorts by time: 48 bits of milliseconds, 74 random (RFC 9562 §5.7).</summary>
        public Guid Version7(DateTimeOffset now)
        {
            Span<byte> bytes = stackalloc byte[16];
            BinaryPrimitives.WriteInt64BigEndian(bytes, now.ToUnixTimeMilliseconds() << 16);
            random.GetBytes(bytes[6..]);
            bytes[6] = (byte)(0x70 | (bytes[6] & 0x0f));
            bytes[8] = (byte)(0x80 | (bytes[8] & 0x3f));
            return new(bytes, bigEndian: true);
        }
    }
}
