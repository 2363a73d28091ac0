using System.Buffers;
using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// Reads the messages of an event stream, one at a time and of bounded size. What is returned is good until the next is
/// asked for. An event cut off by the end of the stream is none.
/// </summary>
internal sealed class SseReader(Stream stream, int most) : IDisposable
{
    private readonly PooledBytes data = new(1024);
    private byte[] buffer = ArrayPool<byte>.Shared.Rent(4096);
    private int start, end;

    /// <summary>The data of the next message; null at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">A message is longer than allowed.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken stop)
    {
        var isMessage = true;
        data.Clear();
        while (await LineAsync(stop) is { } line)
        {
            if (!line.IsEmpty)
            {
                isMessage &= Take(line.Span);
                continue;
            }

            if (isMessage && data.Count > 0)
            {
                return data.Written;
            }

            isMessage = true;
            data.Clear();
        }

        return null;
    }

    public void Dispose()
    {
        data.Dispose();
        ArrayPool<byte>.Shared.Return(Interlocked.Exchange(ref buffer, []));
    }

    // False when the line says that the event is of another kind. Identifiers, retry times and comments are not for us.
    private bool Take(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("event:"u8))
        {
            return line[6..].Trim((byte)' ').SequenceEqual("message"u8);
        }

        if (!line.StartsWith("data:"u8))
        {
            return true;
        }

        if (data.Count + line.Length > most)
        {
            throw new InvalidDataException("A message is longer than allowed.");
        }

        if (data.Count > 0)
        {
            data.Write("\n"u8);
        }

        data.Write(line[5..] is [(byte)' ', .. var text] ? text : line[5..]);
        return true;
    }

    private async ValueTask<ReadOnlyMemory<byte>?> LineAsync(CancellationToken stop)
    {
        for (var searched = 0; ;)
        {
            var length = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (length >= 0)
            {
                var line = buffer.AsMemory(start, searched + length);
                start += searched + length + 1;
                return line.TrimEnd((byte)'\r');
            }

            searched = end - start;
            if (!await ReadMoreAsync(stop))
            {
                return null;
            }
        }
    }

    private async ValueTask<bool> ReadMoreAsync(CancellationToken stop)
    {
        if (end - start > most)
        {
            throw new InvalidDataException("A message is longer than allowed.");
        }

        if (end == buffer.Length)
        {
            MakeRoom();
        }

        var read = await stream.ReadAsync(buffer.AsMemory(end), stop);
        end += read;
        return read > 0;
    }

    private void MakeRoom()
    {
        var target = start > buffer.Length / 2 ? buffer : ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(start, end - start).CopyTo(target);
        (end, start) = (end - start, 0);
        if (!ReferenceEquals(target, buffer))
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = target;
        }
    }
}
