using System.Runtime.CompilerServices;

namespace Postern.Tests;

/// <summary>One thing that a standard demands of a server, and what shows that it is so.</summary>
/// <param name="Document">The standard, as tests cite it.</param>
/// <param name="Section">The section, without its sign.</param>
/// <param name="Demand">What is demanded, in our words.</param>
/// <param name="Tests">The tests that fail where it is not kept; none where <paramref name="Spared"/> says why.</param>
/// <param name="Spared">Why it asks nothing of this server.</param>
internal sealed record Requirement(
    string Document, string Section, string Demand, IReadOnlyList<string> Tests, string? Spared)
{
    /// <summary>All of them, by standard in the order of their names, by section as the file has them.</summary>
    public static IReadOnlyList<Requirement> All { get; } =
    [
        .. Directory.GetFiles(Path.Combine(Path.GetDirectoryName(Here())!, "Requirements"), "*.txt")
            .OrderBy(file => Path.GetFileName(file).Length)
            .ThenBy(file => file, StringComparer.Ordinal)
            .SelectMany(file => File.ReadLines(file).Select(line => Of(Path.GetFileNameWithoutExtension(file), line))),
    ];

    private static Requirement Of(string document, string line)
    {
        var parts = line.Split(" | ");
        Assert.True(parts.Length is 3, $"{document}: '{line}' is not a section, a demand and its tests");
        return parts[2].StartsWith("- ", StringComparison.Ordinal)
            ? new(document, parts[0], parts[1], [], parts[2][2..])
            : new(document, parts[0], parts[1], parts[2].Split(", "), null);
    }

    private static string Here([CallerFilePath] string file = "") => file;
}
