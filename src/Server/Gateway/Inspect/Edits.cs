using System.Buffers;
using System.Runtime.InteropServices;

namespace Postern.Gateway.Inspect;

/// <summary>
/// What must read differently in a message that is passed on. The rest is copied as it came, so that what runs is what
/// was judged. Line breaks, which JSON allows between tokens alone, become blanks: framing by lines stays whole.
/// </summary>
internal sealed class Edits
{
    private Edit[] edits = new Edit[4];
    private int count;
    private bool isSettled;

    public void Replace(Part part, ReadOnlyMemory<byte> with) => Add(part.Start, part.Length, with);

    public void Replace(int start, int length, ReadOnlyMemory<byte> with) => Add(start, length, with);

    /// <summary>Adds members, each ready with its name and colon, at the end of an object.</summary>
    public void Append(ReadOnlySpan<byte> source, Part container, ReadOnlySpan<byte> members)
    {
        var inside = source[(container.Start + 1)..(container.End - 1)];
        var isEmpty = inside.IndexOfAnyExcept(" \t\r\n"u8) < 0;
        byte[] text = isEmpty ? [.. members] : [(byte)',', .. members];
        Add(container.End - 1, 0, text);
    }

    /// <summary>How long the message will be.</summary>
    public int LengthOf(ReadOnlySpan<byte> source)
    {
        var length = source.Length;
        foreach (var edit in Settle())
        {
            length += edit.With.Length - edit.Length;
        }

        return length;
    }

    public void WriteTo(ReadOnlySpan<byte> source, IBufferWriter<byte> to)
    {
        var at = 0;
        foreach (var edit in Settle())
        {
            Copy(source[at..edit.Start], to);
            Copy(edit.With.Span, to);
            at = edit.Start + edit.Length;
        }

        Copy(source[at..], to);
    }

    // In order, and without those that lie in a part that is replaced as a whole.
    private ReadOnlySpan<Edit> Settle()
    {
        if (!isSettled)
        {
            edits.AsSpan(0, count).Sort(static (one, other) => one.Start.CompareTo(other.Start));
            var (kept, at) = (0, 0);
            for (var i = 0; i < count; i++)
            {
                if (edits[i].Start >= at)
                {
                    at = edits[i].Start + edits[i].Length;
                    edits[kept++] = edits[i];
                }
            }

            (count, isSettled) = (kept, true);
        }

        return edits.AsSpan(0, count);
    }

    private static void Copy(ReadOnlySpan<byte> from, IBufferWriter<byte> to)
    {
        if (from.IsEmpty)
        {
            return;
        }

        var target = to.GetSpan(from.Length)[..from.Length];
        from.CopyTo(target);
        target.Replace((byte)'\n', (byte)' ');
        target.Replace((byte)'\r', (byte)' ');
        to.Advance(from.Length);
    }

    private void Add(int start, int length, ReadOnlyMemory<byte> with)
    {
        if (count == edits.Length)
        {
            Array.Resize(ref edits, count * 2);
        }

        edits[count++] = new(start, length, with);
        isSettled = false;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Edit(int Start, int Length, ReadOnlyMemory<byte> With);
}
