using System.Globalization;

namespace Postern.Platform.Pages;

/// <summary>Times as people say them; the exact instant stands beside them for who points at the words.</summary>
public static class PlainTime
{
    public static string Exact(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public static string Month(DateTimeOffset at) =>
        at.UtcDateTime.ToString("MMMM yyyy", CultureInfo.InvariantCulture);

    /// <summary>A day of this year without the year: <c>22 December</c>.</summary>
    public static string Day(DateTimeOffset at, DateTimeOffset now) => at.UtcDateTime.ToString(
        at.UtcDateTime.Year == now.UtcDateTime.Year ? "d MMMM" : "d MMMM yyyy", CultureInfo.InvariantCulture);

    /// <summary>The past near now in words, further back by its day.</summary>
    public static string Since(DateTimeOffset at, DateTimeOffset now) => (now - at) switch
    {
        { TotalMinutes: < 1 } => "just now",
        { TotalHours: < 1 } ago => Count((int)ago.TotalMinutes, "minute") + " ago",
        { TotalDays: < 1 } ago => Count((int)ago.TotalHours, "hour") + " ago",
        { TotalDays: < 2 } => "yesterday",
        _ => Day(at, now),
    };

    /// <summary>A wait, rounded up, so that who waits that long is never turned away again.</summary>
    public static string Wait(TimeSpan wait) => wait.TotalSeconds < 60
        ? Count(Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)), "second")
        : Count((int)Math.Ceiling(wait.TotalMinutes), "minute");

    /// <summary>A length of time in the largest unit that is true to it.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { TotalDays: >= 2 } => Count((int)span.TotalDays, "day"),
        { TotalHours: >= 2 } => Count((int)span.TotalHours, "hour"),
        _ => Wait(span),
    };

    public static string Count(int count, string thing) => count is 1 ? $"1 {thing}" : $"{count} {thing}s";
}
