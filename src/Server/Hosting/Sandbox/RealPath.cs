namespace Postern.Hosting.Sandbox;

/// <summary>
/// A path without links in it. What is hidden and what is shown are compared as paths, so a link must not make one
/// folder look like another.
/// </summary>
internal static class RealPath
{
    private const int MaxLinks = 40;

    public static string Of(string path)
    {
        var links = 0;
        return Resolve(Path.GetFullPath(path), ref links);
    }

    public static bool Contains(string folder, string path) =>
        folder == path || path.StartsWith(folder.TrimEnd('/') + '/', StringComparison.Ordinal);

    private static string Resolve(string path, ref int links)
    {
        var real = "/";
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = Path.Combine(real, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new IOException($"{path} goes through too many links.");
            }

            real = Resolve(Path.GetFullPath(target, real), ref links);
        }

        return real;
    }
}
