using System.Globalization;
using System.Text;

namespace Postern.Bench.Report;

/// <summary>The figures, on the console and in <c>docs/bench.md</c>.</summary>
internal static class Page
{
    private const string WrittenByHand = "## What stands in the way";

    public static void Show(IReadOnlyList<Finding> findings)
    {
        foreach (var finding in findings)
        {
            var range = $"({finding.Range})";
            Console.WriteLine($"{Mark(finding),-6} {finding.Median,7} {range,-16} {finding.What} {finding.Promise}");
        }

        foreach (var figures in findings.Select(finding => finding.Figures).OfType<string>())
        {
            Console.WriteLine("       " + figures);
        }
    }

    /// <summary>Writes the figures; the words below them are a person's and stay.</summary>
    public static async Task WriteAsync(string root, string load, IReadOnlyList<Finding> findings)
    {
        var path = Path.Combine(root, "docs", "bench.md");
        var old = File.Exists(path) ? await File.ReadAllTextAsync(path) : "";
        var at = old.IndexOf(WrittenByHand, StringComparison.Ordinal);
        var words = at < 0 ? WrittenByHand + "\n" : old[at..];
        await File.WriteAllTextAsync(path, Text(load, findings) + words);
    }

    private static string Text(string load, IReadOnlyList<Finding> findings)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # How fast it is

            `./bench --write` wrote this on {DateTimeOffset.UtcNow:yyyy-MM-dd}: {Machine()}, load average {load}
            before it began. The requests come from the same machine, so only the comparisons mean something: product
            and yardsticks take turns in one run, after a warm-up. The middle one of the rounds is given, with the
            lowest and the highest.

            | what | must be | is | lowest – highest | |
            |---|---|---|---|---|

            """);
        foreach (var finding in findings)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {finding.What} | {finding.Promise} | {finding.Median} | {finding.Range} | {Mark(finding)} |\n");
        }

        text.Append("""

            *Floor* is a bare Kestrel endpoint that parses the form and signs one ES256 token. *Peer* is npm
            `oidc-provider` in memory, one process. *Wire* is nginx with kept-alive connections before the same MCP
            server. The product is the Release build as `postern serve` runs it, on SQLite, every commit waited for. At
            500 calls a second a latency counts from when its call was due.

            ## The figures behind it

            """);
        foreach (var finding in findings.Where(finding => finding.Figures is not null))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n- {finding.What}: {finding.Figures}");
        }

        return text.Append("\n\n").ToString();
    }

    private static string Mark(Finding finding) => finding switch
    {
        { IsMeasured: false } => "absent",
        { IsKept: true } => "kept",
        { IsKept: false } => "missed",
        _ => "",
    };

    private static string Machine()
    {
        var model = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} × {model?.Split(':')[1].Trim()}, .NET {Environment.Version}");
    }
}
