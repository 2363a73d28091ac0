using System.Runtime.CompilerServices;

namespace Postern.Hosting.Processes;

/// <summary>Splits a stream at newlines. A line over the cap comes in pieces, each marked as cut.</summary>
internal sealed class LineReader(Stream stream, int most)
{
    private const int SmallBuffer = 16 * 1024;

    private byte[] buffer = new byte[Math.Min(most, SmallBuffer)];

    /// <param name="Bytes">A copy; the reader keeps nothing of it.</param>
    internal readonly record struct Line(ReadOnlyMemory<byte> Bytes, bool IsCut);

    public async IAsyncEnumerable<Line> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var length = 0;
        while (await stream.ReadAsync(buffer.AsMemory(length), stop) is > 0 and var read)
        {
            var (searched, start) = (length, 0);
            length += read;
            while (buffer.AsSpan(searched..length).IndexOf((byte)'\n') is >= 0 and var found)
            {
                yield return new(Copy(start, searched + found), IsCut: false);
                start = searched = searched + found + 1;
            }

            length = MoveToFront(start, length);
            if (length == most)
            {
                yield return new(Copy(0, length), IsCut: true);
                length = 0;
            }

            Resize(length);
        }

        if (length > 0)
        {
            yield return new(Copy(0, length), IsCut: true);
        }
    }

    private byte[] Copy(int start, int end) =>
        buffer[start..(end > start && buffer[end - 1] is (byte)'\r' ? end - 1 : end)];

    private int MoveToFront(int start, int length)
    {
        buffer.AsSpan(start..length).CopyTo(buffer);
        return length - start;
    }

    // Grows while a long line lasts and gives the memory back after it.
    private void Resize(int length)
    {
        if (length == buffer.Length)
        {
            Array.Resize(ref buffer, Math.Min(most, buffer.Length * 2));
        }
        else if (length is 0 && buffer.Length > SmallBuffer)
        {
            buffer = new byte[SmallBuffer];
        }
    }
}
