using System.Globalization;
using Postern.Bench.Rows;

namespace Postern.Bench.Report;

/// <summary>One line of the page: what was promised and what was found.</summary>
internal sealed record Finding(string What, string Promise, string Median, string Range, bool? IsKept)
{
    /// <summary>The plain figures behind it, for the second table.</summary>
    public string? Figures { get; private init; }

    public bool IsMeasured { get; private init; } = true;

    public static Finding AtLeast(string what, double promise, Spread found, string? figures = null) =>
        Of(what, "≥ " + Text(promise), found, found.Median >= promise, figures);

    public static Finding AtMost(string what, double promise, Spread found, string? figures = null) =>
        Of(what, "≤ " + Text(promise), found, found.Median <= promise, figures);

    public static Finding Shown(string what, Spread found, string? figures = null) =>
        Of(what, "", found, null, figures);

    public static Finding NotMeasured(string what, string why) => new(what, "", "", why, null) { IsMeasured = false };

    private static Finding Of(string what, string promise, Spread found, bool? isKept, string? figures) =>
        new(what, promise, Text(found.Median), $"{Text(found.Least)} – {Text(found.Most)}", isKept)
        {
            Figures = figures,
        };

    private static string Text(double value) =>
        value.ToString(Math.Abs(value) < 10 ? "0.##" : "0", CultureInfo.InvariantCulture);
}
