using System.Buffers;

namespace Postern.Gateway.Inspect;

/// <summary>
/// The names seen in the objects that are open. Hashes lie apart so that a search is one vectorized scan; they are
/// seeded per process and objects are capped, so no body can make the scan quadratic in its size.
/// </summary>
internal ref struct NameStack()
{
    private const int MaxMembers = 4096;

    private int[] hashes = ArrayPool<int>.Shared.Rent(64);
    private ReadOnlyMemory<byte>[] names = ArrayPool<ReadOnlyMemory<byte>>.Shared.Rent(64);

    /// <summary>Set back to what it was before an object, it forgets the object's names.</summary>
    public int Count { get; set; }

    /// <summary>Adds a name to the object whose names begin at <paramref name="first"/>, unless it is there.</summary>
    public bool TryPush(ReadOnlyMemory<byte> name, int first)
    {
        var hash = HashOf(name.Span);
        if (Count - first >= MaxMembers || Has(name.Span, hash, first))
        {
            return false;
        }

        if (Count == Math.Min(hashes.Length, names.Length))
        {
            Grow();
        }

        (hashes[Count], names[Count]) = (hash, name);
        Count++;
        return true;
    }

    public readonly void Return()
    {
        ArrayPool<int>.Shared.Return(hashes);
        ArrayPool<ReadOnlyMemory<byte>>.Shared.Return(names, clearArray: true);
    }

    private readonly bool Has(ReadOnlySpan<byte> name, int hash, int first)
    {
        for (var at = first; at < Count; at++)
        {
            var step = hashes.AsSpan(at, Count - at).IndexOf(hash);
            if (step < 0)
            {
                return false;
            }

            at += step;
            if (names[at].Span.SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    private static int HashOf(ReadOnlySpan<byte> name)
    {
        var hash = new HashCode();
        hash.AddBytes(name);
        return hash.ToHashCode();
    }

    private void Grow()
    {
        var (oldHashes, oldNames) = (hashes, names);
        hashes = ArrayPool<int>.Shared.Rent(Count * 2);
        names = ArrayPool<ReadOnlyMemory<byte>>.Shared.Rent(Count * 2);
        oldHashes.AsSpan(0, Count).CopyTo(hashes);
        oldNames.AsSpan(0, Count).CopyTo(names);
        ArrayPool<int>.Shared.Return(oldHashes);
        ArrayPool<ReadOnlyMemory<byte>>.Shared.Return(oldNames, clearArray: true);
    }
}
