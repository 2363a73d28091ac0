using System.Globalization;
using Postern.Platform.Http;

namespace Postern.Api;

/// <summary>
/// The query of a list. A name it does not know is refused, so that a misspelt limit is not no limit.
/// </summary>
internal static class Query
{
    public static Problem? Refuse(IQueryCollection query, params IReadOnlyList<string> known) =>
        query.Any(pair => !known.Contains(pair.Key) || pair.Value.Count is not 1)
            ? Problem.Bad($"This list knows the parameters {string.Join(" and ", known)}, each at most once.")
            : null;

    /// <summary>A number within bounds, or null; <paramref name="fallback"/> when it is not said.</summary>
    public static long? Number(IQueryCollection query, string name, long fallback, long least, long most)
    {
        if (query[name] is not [{ } text])
        {
            return fallback;
        }

        return text.Length <= 20
            && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= least && number <= most ? number : null;
    }
}
