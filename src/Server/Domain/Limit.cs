using System.Globalization;

namespace Postern.Domain;

/// <summary>
/// How far one member of a detail reaches. Two limits of the same member can be compared, and have a largest one within
/// both, unless they have nothing in common.
/// </summary>
public abstract record Limit
{
    private Limit()
    {
    }

    /// <summary>Whether everything that this allows the other allows too.</summary>
    public abstract bool IsWithin(Limit other);

    /// <summary>What both allow; null for nothing.</summary>
    public abstract Limit? Intersect(Limit other);

    /// <summary>Any of these.</summary>
    public sealed record Texts(IReadOnlyList<string> Values) : Limit
    {
        public override bool IsWithin(Limit other) => other is Texts most && Values.All(most.Values.Contains);

        public override Limit? Intersect(Limit other) =>
            other is Texts more && Values.Where(more.Values.Contains).ToList() is { Count: > 0 } both
                ? new Texts(both)
                : null;
    }

    /// <summary>Exactly this.</summary>
    public sealed record Same(string Value) : Limit
    {
        public override bool IsWithin(Limit other) => Equals(other);

        public override Limit? Intersect(Limit other) => Equals(other) ? this : null;
    }

    /// <summary>From here to there, of which one end may be open.</summary>
    public sealed record Range(decimal Least, decimal Most) : Limit
    {
        public override bool IsWithin(Limit other) => other is Range most && Least >= most.Least && Most <= most.Most;

        public override Limit? Intersect(Limit other) =>
            other is Range more && Math.Max(Least, more.Least) is var least && Math.Min(Most, more.Most) is var most
            && least <= most
                ? new Range(least, most)
                : null;
    }

    /// <summary>Not after this.</summary>
    public sealed record Until(DateTimeOffset At) : Limit
    {
        public override bool IsWithin(Limit other) => other is Until most && At <= most.At;

        public override Limit? Intersect(Limit other) => other is Until more ? (At <= more.At ? this : more) : null;
    }

    /// <summary>
    /// So many in every minute, hour or day of the calendar; the shorter ones fit whole into the longer.
    /// </summary>
    public sealed record Rate(long Calls, TimeSpan Per) : Limit
    {
        /// <summary>The words for the lengths there are.</summary>
        public static readonly (string Word, TimeSpan Per)[] All =
            [("minute", TimeSpan.FromMinutes(1)), ("hour", TimeSpan.FromHours(1)), ("day", TimeSpan.FromDays(1))];

        public string Word => Array.Find(All, one => one.Per == Per).Word;

        public override bool IsWithin(Limit other) =>
            other is Rate most && Calls * Math.Max(1, most.Per.Ticks / Per.Ticks) <= most.Calls;

        // With neither within the other, as few as the smaller allows in as long as the longer one lasts is within
        // both.
        public override Limit? Intersect(Limit other) => other is not Rate more ? null
            : IsWithin(more) ? this
            : more.IsWithin(this) ? more
            : new Rate(Math.Min(Calls, more.Calls), Per > more.Per ? Per : more.Per);

        /// <summary>The beginning of the minute, hour or day, in Unix seconds.</summary>
        public long Begin(DateTimeOffset now) =>
            now.ToUnixTimeSeconds() / (long)Per.TotalSeconds * (long)Per.TotalSeconds;

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Calls} per {Word}");
    }
}
