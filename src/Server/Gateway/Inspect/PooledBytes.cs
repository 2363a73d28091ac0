using System.Buffers;

namespace Postern.Gateway.Inspect;

/// <summary>
/// Bytes under construction in a rented array; given back when disposed, and not to be read afterwards.
/// </summary>
internal sealed class PooledBytes(int capacity) : IBufferWriter<byte>, IDisposable
{
    private byte[]? array = ArrayPool<byte>.Shared.Rent(capacity);

    public int Count { get; private set; }

    public ReadOnlyMemory<byte> Written => array.AsMemory(0, Count);

    public void Clear() => Count = 0;

    public void Advance(int count) => Count += count;

    public Memory<byte> GetMemory(int sizeHint = 0) => Room(sizeHint).AsMemory(Count);

    public Span<byte> GetSpan(int sizeHint = 0) => Room(sizeHint).AsSpan(Count);

    /// <summary>Reads a stream to its end, or fails when it is longer than allowed.</summary>
    public async ValueTask<bool> TryFillAsync(Stream from, int most, CancellationToken stop)
    {
        while (await from.ReadAsync(GetMemory(1), stop) is > 0 and var read)
        {
            Advance(read);
            if (Count > most)
            {
                return false;
            }
        }

        return true;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref array, null) is { } rented)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private byte[] Room(int sizeHint)
    {
        var current = array ?? throw new ObjectDisposedException(nameof(PooledBytes));
        if (current.Length - Count >= Math.Max(sizeHint, 1))
        {
            return current;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(current.Length * 2, Count + sizeHint));
        current.AsSpan(0, Count).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(current);
        return array = larger;
    }
}
