using System.Globalization;
using System.Text;

namespace Postern.Domain;

/// <summary>
/// Characters that cannot be seen, or that turn around what stands beside them: with them one text looks like another.
/// Joiners are none of these, since they are parts of scripts and of signs.
/// </summary>
internal static class Unseen
{
    public static bool IsIn(string text) => text.EnumerateRunes().Any(Is);

    // Half of a pair of surrogates is read as U+FFFD. The other ones are letters and signs by their category, and blank.
    private static bool Is(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Format => rune.Value is not (0x200C or 0x200D),
        UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned => true,
        _ => rune.Value is 0x034F or 0x115F or 0x1160 or 0x2800 or 0x3164 or 0xFFA0 or 0xFFFD,
    };
}
