using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Postern.Bench.Load;

/// <summary>
/// An HTTP/1.1 answer, read no further than measuring needs. The body lies in the connection's buffer.
/// </summary>
internal readonly record struct Answer(int Status, ReadOnlyMemory<byte> Body)
{
    /// <summary>The answer at the start of what came; false while more is to come.</summary>
    /// <param name="came">What was received.</param>
    /// <param name="space">Where a chunked body is put together.</param>
    /// <param name="answer">The answer.</param>
    public static bool TryRead(ReadOnlyMemory<byte> came, Memory<byte> space, out Answer answer)
    {
        answer = default;
        var end = came.Span.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return false;
        }

        var head = came.Span[..(end + 2)];
        var rest = came[(end + 4)..];
        _ = Utf8Parser.TryParse(head[9..12], out int status, out _);
        if (Header(head, "transfer-encoding"u8).StartsWith("chunked"u8))
        {
            var length = Join(rest.Span, space.Span);
            answer = new(status, space[..Math.Max(length, 0)]);
            return length >= 0;
        }

        _ = Utf8Parser.TryParse(Header(head, "content-length"u8), out int size, out _);
        answer = new(status, rest[..Math.Min(size, rest.Length)]);
        return rest.Length >= size;
    }

    public override string ToString()
    {
        var start = Encoding.UTF8.GetString(Body.Span[..Math.Min(Body.Length, 400)]);
        return string.Create(CultureInfo.InvariantCulture, $"{Status} {start}");
    }

    private static ReadOnlySpan<byte> Header(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        while (head.IndexOf("\r\n"u8) is var end and >= 0)
        {
            var line = head[..end];
            if (line.Length > name.Length
                && line[name.Length] is (byte)':'
                && Ascii.EqualsIgnoreCase(line[..name.Length], name))
            {
                return line[(name.Length + 1)..].TrimStart((byte)' ');
            }

            head = head[(end + 2)..];
        }

        return default;
    }

    // The bytes of all chunks, or -1 while the last is missing.
    private static int Join(ReadOnlySpan<byte> chunks, Span<byte> into)
    {
        var length = 0;
        while (chunks.IndexOf("\r\n"u8) is var line and >= 0 && Utf8Parser.TryParse(chunks, out int size, out _, 'X'))
        {
            if (chunks.Length < line + 2 + size + 2)
            {
                return -1;
            }

            if (size is 0)
            {
                return length;
            }

            chunks.Slice(line + 2, size).CopyTo(into[length..]);
            length += size;
            chunks = chunks[(line + 2 + size + 2)..];
        }

        return -1;
    }
}
