using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Postern.AspNetCore.Proofs;

/// <summary>
/// The proofs that were used, for as long as they would be taken (RFC 9449 §11.1). It forgets none before its time and
/// takes no more than it can remember: 28 to 56 bytes for each, so 32 MiB at most with the usual 524288.
/// </summary>
/// <param name="capacity">The most proofs that are remembered at a time.</param>
internal sealed class SeenProofs(int capacity)
{
    /// <summary>Proofs that end within the same half minute are forgotten together.</summary>
    private const long Slice = 30;

    private readonly Shard[] shards =
        [.. Enumerable.Range(0, 16).Select(_ => new Shard(Math.Max(1, capacity / 16)))];

    /// <summary>True for the first who brings it, false for everybody after; null when there is no room.</summary>
    /// <param name="digest">Names the proof.</param>
    /// <param name="until">The second from which on it is refused anyway.</param>
    /// <param name="now">The second it is.</param>
    public bool? Take(ReadOnlySpan<byte> digest, long until, long now)
    {
        var name = new Name(
            BinaryPrimitives.ReadInt64BigEndian(digest), BinaryPrimitives.ReadInt64BigEndian(digest[8..]));
        return shards[digest[16] % shards.Length].Take(name, until / Slice, now / Slice);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Name(long High, long Low)
    {
        // Seeded per process: whoever chooses identifiers cannot choose where they fall.
        public override int GetHashCode() => HashCode.Combine(High, Low);
    }

    private sealed class Shard(int capacity)
    {
        private readonly Lock gate = new();
        private readonly Dictionary<long, HashSet<Name>> slices = [];
        private int count;
        private long sweptAt;

        public bool? Take(Name name, long until, long now)
        {
            lock (gate)
            {
                Forget(now);
                if (!slices.TryGetValue(until, out var slice))
                {
                    slices.Add(until, slice = []);
                }

                if (slice.Contains(name))
                {
                    return false;
                }

                if (count >= capacity)
                {
                    return null;
                }

                count++;
                return slice.Add(name);
            }
        }

        private void Forget(long now)
        {
            if (now == sweptAt)
            {
                return;
            }

            sweptAt = now;
            foreach (var (end, slice) in slices)
            {
                if (end < now)
                {
                    slices.Remove(end);
                    count -= slice.Count;
                }
            }
        }
    }
}
