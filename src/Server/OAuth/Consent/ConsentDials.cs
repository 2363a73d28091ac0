using System.Globalization;
using Postern.Platform.Pages;

namespace Postern.OAuth.Consent;

/// <summary>For how long a person lets somebody in: what the page offers is what an answer may say.</summary>
internal static class ConsentDials
{
    private static readonly (int Days, string Label)[] Terms =
        [(1, "Today"), (7, "A week"), (30, "30 days"), (90, "90 days"), (180, "Half a year")];

    private const int Usual = 30;

    public static IReadOnlyList<Choice> Until(Tenant tenant, DateTimeOffset now)
    {
        var offered = Terms.Where(term => TimeSpan.FromDays(term.Days) <= tenant.RefreshAbsolute).ToList();
        var chosen = offered.LastOrDefault(term => term.Days <= Usual).Days;
        return offered is []
            ? [Choice(tenant.RefreshAbsolute, "As long as is allowed here", now, isChosen: true)]
            : [.. offered.Select(term => Choice(TimeSpan.FromDays(term.Days), term.Label, now, term.Days == chosen))];
    }

    /// <summary>The end a person chose; null when the answer is none that was offered.</summary>
    public static DateTimeOffset? Read(string? value, Tenant tenant, DateTimeOffset now) =>
        Until(tenant, now).Any(choice => choice.Value == value)
        && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds() + seconds)
            : null;

    private static Choice Choice(TimeSpan term, string label, DateTimeOffset now, bool isChosen) => new(
        ((long)term.TotalSeconds).ToString(CultureInfo.InvariantCulture),
        label,
        $" until {PlainTime.Day(now + term, now)}",
        isChosen);
}
