using System.Globalization;

namespace Postern.Platform.Configuration;

/// <summary>Durations as people write them: <c>30s</c>, <c>10m</c>, <c>12h</c>, <c>30d</c>.</summary>
internal static class Durations
{
    public static TimeSpan? Parse(string text)
    {
        var digits = text.AsSpan(0, Math.Max(0, text.Length - 1));
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || count > 1_000_000)
        {
            return null;
        }

        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(count),
            'm' => TimeSpan.FromMinutes(count),
            'h' => TimeSpan.FromHours(count),
            'd' => TimeSpan.FromDays(count),
            _ => null,
        };
    }

    public static string Format(TimeSpan span) => span switch
    {
        { TotalDays: >= 1 } when span.TotalDays % 1 is 0 => $"{span.TotalDays}d",
        { TotalHours: >= 1 } when span.TotalHours % 1 is 0 => $"{span.TotalHours}h",
        { TotalMinutes: >= 1 } when span.TotalMinutes % 1 is 0 => $"{span.TotalMinutes}m",
        _ => $"{span.TotalSeconds}s",
    };
}
