using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Postern.Tests.OAuth.Input;

/// <summary>docs/refusals.md as it stands: which route has a row for which parameter.</summary>
internal static partial class Refusals
{
    public static readonly ILookup<string, string> Rows = RowsOf(At("../../../../docs/refusals.md"));

    /// <summary>A path from this folder.</summary>
    public static string At(string path, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, path));

    private static ILookup<string, string> RowsOf(string file)
    {
        var route = "";
        var rows = new List<(string Route, string Name)>();
        foreach (var line in File.ReadLines(file))
        {
            route = Table().Match(line) is { Success: true } table ? table.Groups[1].Value : route;
            if (Row().Match(line) is { Success: true } row)
            {
                rows.Add((route, row.Groups[1].Value));
            }
        }

        return rows.ToLookup(row => row.Route, row => row.Name);
    }

    [GeneratedRegex("^## ([A-Z]+ [^ ,]+)")]
    private static partial Regex Table();

    [GeneratedRegex("^\\| `([^`]+)` \\|")]
    private static partial Regex Row();
}
