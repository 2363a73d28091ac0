namespace Postern.Bench.Sides;

/// <summary>
/// A browser's cookies. Those of the framework refuse a cookie for a path other than the request's,
/// which is how the peer tells one interaction from another.
/// </summary>
internal sealed class Cookies
{
    private readonly Dictionary<(string Path, string Name), string> values = [];

    public string For(string path) => string.Join("; ", values
        .Where(cookie => path.StartsWith(cookie.Key.Path, StringComparison.Ordinal))
        .Select(cookie => $"{cookie.Key.Name}={cookie.Value}"));

    public void Keep(IEnumerable<string> set)
    {
        foreach (var cookie in set)
        {
            var parts = cookie.Split(';', StringSplitOptions.TrimEntries);
            var pair = parts[0].Split('=', 2);
            var place = Array.Find(parts, part => part.StartsWith("path=", StringComparison.OrdinalIgnoreCase));
            var path = place?[5..] ?? "/";
            if (pair[1] is "")
            {
                values.Remove((path, pair[0]));
                continue;
            }

            values[(path, pair[0])] = pair[1];
        }
    }
}
