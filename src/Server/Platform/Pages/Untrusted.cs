using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Postern.Platform.Pages;

/// <summary>
/// Makes text that an outsider wrote fit to be shown in one line. It stops names that turn the sentence around them,
/// hide letters, pose as markup, tower over the neighbouring lines or fill the page.
/// </summary>
public static partial class Untrusted
{
    public const int NameLength = 60, SentenceLength = 200;

    private const int MaxInput = 4000, MarksPerLetter = 2;

    /// <summary>A name; null when nothing readable is left of it.</summary>
    public static string? Name(string? text) => Line(text, NameLength);

    public static string? Sentence(string? text) => Line(text, SentenceLength);

    /// <summary>
    /// The host of an address in the form that cannot be confused (punycode), with a port that is unusual.
    /// </summary>
    public static string Host(Uri address) =>
        Cap(address.IsDefaultPort || address.Port < 0 ? address.IdnHost : $"{address.IdnHost}:{address.Port}", 253);

    /// <summary>
    /// Where an answer goes: the host on the web; the scheme for an app, which may write anything as its host.
    /// </summary>
    public static string Place(Uri address) => address.Scheme is "http" or "https" ? Host(address) : address.Scheme;

    private static string? Line(string? text, int length)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        var plain = Tag.Replace(text.Length > MaxInput ? text[..MaxInput] : text, " ");
        var line = Spaces.Replace(Readable(plain), " ").Trim();
        return line is "" ? null : Cap(line, length);
    }

    private static string Readable(string text)
    {
        var line = new StringBuilder(text.Length);
        var marks = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            marks = category is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark ? marks + 1 : 0;
            line.Append(IsUnfit(rune, category) || marks > MarksPerLetter ? "" : Space(rune, category));
        }

        return line.ToString();
    }

    // Format characters hold all bidirectional and zero-width ones. The fillers are letters by category, and blank.
    private static bool IsUnfit(Rune rune, UnicodeCategory category) =>
        category is UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
            or UnicodeCategory.Surrogate
        || rune.Value is '<' or '>' or 0x034F or 0x115F or 0x1160 or 0x2800 or 0x3164 or 0xFFA0 or 0xFFFD
            or (>= 0xFE00 and <= 0xFE0F);

    private static string Space(Rune rune, UnicodeCategory category) =>
        category is UnicodeCategory.Control or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator
            ? " "
            : rune.ToString();

    private static string Cap(string line, int length)
    {
        var elements = new StringInfo(line);
        return elements.LengthInTextElements <= length
            ? line
            : elements.SubstringByTextElements(0, length - 1).TrimEnd() + "…";
    }

    [GeneratedRegex("</?[a-zA-Z!][^>]{0,200}>", RegexOptions.None, 1000)]
    private static partial Regex Tag { get; }

    [GeneratedRegex(" {2,}", RegexOptions.None, 1000)]
    private static partial Regex Spaces { get; }
}
