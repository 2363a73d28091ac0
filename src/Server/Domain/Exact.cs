using System.Globalization;
using System.Text.Json;

namespace Postern.Domain;

/// <summary>
/// Numbers of JSON as the decimals they are. One that would have to be rounded is none: what is judged and what the
/// server reads must be the same number.
/// </summary>
internal static class Exact
{
    // As many digits always fit; and so many, moved so far, still do.
    private const int MaxText = 28, MaxMantissa = 12, MaxExponent = 15;

    // Sums of such amounts are exact, too.
    private const int MaxWhole = 15, MaxFraction = 12;

    public static decimal? Number(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Number)
        {
            return null;
        }

        var text = value.GetRawText();
        var at = text.AsSpan().IndexOfAny('e', 'E');
        var fits = at < 0
            ? text.Length <= MaxText
            : at <= MaxMantissa
                && int.TryParse(
                    text.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent)
                && exponent is >= -MaxExponent and <= MaxExponent;
        return fits && value.TryGetDecimal(out var number) ? number : null;
    }

    /// <summary>An amount of money: digits, and perhaps a point with digits behind it. Never below nothing.</summary>
    public static decimal? Amount(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Number || value.GetRawText() is not { Length: <= MaxText } text
            || !text.All(c => c is '.' || char.IsAsciiDigit(c)))
        {
            return null;
        }

        var point = text.IndexOf('.', StringComparison.Ordinal);
        var (whole, fraction) = point < 0 ? (text.Length, 0) : (point, text.Length - point - 1);
        return whole <= MaxWhole && fraction <= MaxFraction
            ? decimal.Parse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture)
            : null;
    }
}
