using System.Buffers;
using System.Globalization;
using System.Text;

namespace Postern.Audit;

/// <summary>
/// Writes canonical JSON (RFC 8785) of strings and whole numbers. Members are written in order by the caller, and the
/// order is checked, so that one record has one text.
/// </summary>
internal sealed class CanonicalJson
{
    [ThreadStatic]
    private static CanonicalJson? ofThread;

    private readonly ArrayBufferWriter<byte> buffer = new(768);
    private readonly string?[] last = new string?[4];
    private int depth = -1;
    private bool needsComma;

    /// <summary>An empty one, until this thread asks for the next.</summary>
    public static CanonicalJson OfThread()
    {
        var json = ofThread ??= new();
        json.buffer.ResetWrittenCount();
        (json.depth, json.needsComma) = (-1, false);
        return json;
    }

    public ReadOnlySpan<byte> Written => buffer.WrittenSpan;

    public int Length => buffer.WrittenCount;

    public void Begin(string? name = null)
    {
        if (name is not null)
        {
            Name(name);
        }

        last[++depth] = null;
        Raw("{"u8);
        needsComma = false;
    }

    public void End()
    {
        depth--;
        Raw("}"u8);
        needsComma = true;
    }

    /// <summary>A member with a text; nothing when the text is null.</summary>
    public void Text(string name, string? value)
    {
        if (value is null)
        {
            return;
        }

        Name(name);
        Quote(value);
        needsComma = true;
    }

    /// <summary>A member with a text of letters that are never escaped.</summary>
    public void Text(string name, ReadOnlySpan<byte> plain)
    {
        Name(name);
        Raw("\""u8);
        Raw(plain);
        Raw("\""u8);
        needsComma = true;
    }

    public void Number(string name, long value)
    {
        Name(name);
        Span<byte> digits = stackalloc byte[20];
        value.TryFormat(digits, out var written, provider: CultureInfo.InvariantCulture);
        Raw(digits[..written]);
        needsComma = true;
    }

    private void Name(string name)
    {
        if (string.CompareOrdinal(last[depth], name) >= 0)
        {
            throw new InvalidOperationException($"Member {name} is out of order.");
        }

        last[depth] = name;
        if (needsComma)
        {
            Raw(","u8);
        }

        Quote(name);
        Raw(":"u8);
    }

    // RFC 8785 §3.2.2.2: only quotation mark, backslash and controls are escaped; everything else is itself.
    private void Quote(string text)
    {
        Raw("\""u8);
        var rest = text.AsSpan();
        while (rest.IndexOfAny(Escaped) is var at and >= 0)
        {
            Utf8(rest[..at]);
            Escape(rest[at]);
            rest = rest[(at + 1)..];
        }

        Utf8(rest);
        Raw("\""u8);
    }

    private static readonly SearchValues<char> Escaped =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(c => (char)c), '"', '\\']);

    private void Escape(char c)
    {
        switch (c)
        {
            case '"': Raw("\\\""u8); break;
            case '\\': Raw("\\\\"u8); break;
            case '\b': Raw("\\b"u8); break;
            case '\t': Raw("\\t"u8); break;
            case '\n': Raw("\\n"u8); break;
            case '\f': Raw("\\f"u8); break;
            case '\r': Raw("\\r"u8); break;
            default: Utf8(string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}")); break;
        }
    }

    private void Utf8(ReadOnlySpan<char> text)
    {
        var into = buffer.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        buffer.Advance(Encoding.UTF8.GetBytes(text, into));
    }

    private void Raw(ReadOnlySpan<byte> bytes) => buffer.Write(bytes);
}
