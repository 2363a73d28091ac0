using System.Buffers;
using System.Text;

namespace Postern.Gateway.Inspect;

/// <summary>Characters that a model reads and a person does not see.</summary>
internal static class HiddenText
{
    private const int Flag = 0x1F3F4;

    /// <summary>Whether a text that is shown to a person before it is trusted holds anything unseen.</summary>
    public static bool IsIn(string text)
    {
        var before = default(Rune);
        foreach (var rune in text.EnumerateRunes())
        {
            // Joiners between pictures and the two common variation selectors belong to emoji.
            if (IsHidden(rune.Value) && !(rune.Value is 0x200D && before.Value >= 0x2190))
            {
                return true;
            }

            before = rune;
        }

        return false;
    }

    /// <summary>
    /// Takes tag characters, which spell ASCII invisibly, out of a message; regional flags keep theirs.
    /// </summary>
    public static void Strip(ReadOnlySpan<byte> json, Edits edits)
    {
        StripEncoded(json, edits);
        StripEscaped(json, edits);
    }

    // U+E0000 to U+E007F are F3 A0 80 80 to F3 A0 81 BF.
    private static void StripEncoded(ReadOnlySpan<byte> json, Edits edits)
    {
        for (var at = 0; ;)
        {
            var step = json[at..].IndexOf((byte)0xF3);
            if (step < 0)
            {
                return;
            }

            at += step;
            if (json[at..] is [_, 0xA0, 0x80 or 0x81, _, ..] && !FollowsFlag(json[..at]))
            {
                edits.Replace(at, 4, default);
            }

            at += Math.Min(4, json.Length - at);
        }
    }

    // The same as \udb40\udc00 to \udb40\udc7f. An even number of backslashes before would make it plain text.
    private static void StripEscaped(ReadOnlySpan<byte> json, Edits edits)
    {
        for (var at = 0; ;)
        {
            var step = json[at..].IndexOf("\\u"u8);
            if (step < 0)
            {
                return;
            }

            at += step;
            if (IsEscapedTag(json[at..]) && (json[..at].Length - json[..at].TrimEnd((byte)'\\').Length) % 2 is 0)
            {
                edits.Replace(at, 12, default);
            }

            at += 2;
        }
    }

    private static bool IsEscapedTag(ReadOnlySpan<byte> text) =>
        text.Length >= 12
        && Ascii.EqualsIgnoreCase(text[..10], "\\udb40\\udc"u8)
        && text[10] is >= (byte)'0' and <= (byte)'7';

    // The flags of England, Scotland and Wales: a black flag, then up to six tags and the tag that ends them.
    private static bool FollowsFlag(ReadOnlySpan<byte> before)
    {
        for (var tags = 0; tags < 7 && before is [.., 0xF3, 0xA0, 0x80 or 0x81, _]; tags++)
        {
            before = before[..^4];
        }

        return Rune.DecodeLastFromUtf8(before, out var rune, out _) is OperationStatus.Done && rune.Value is Flag;
    }

    private static bool IsHidden(int c) => c is
        >= 0xE0000 and <= 0xE01EF // tags and rare variation selectors
        or >= 0x202A and <= 0x202E or >= 0x2066 and <= 0x2069 or 0x200E or 0x200F or 0x061C // direction
        or >= 0x200B and <= 0x200D or 0x2060 or 0xFEFF or 0x00AD or 0x180E // no width
        or >= 0xFE00 and <= 0xFE0D
        or < 0x20 and not (0x09 or 0x0A or 0x0D);
}
