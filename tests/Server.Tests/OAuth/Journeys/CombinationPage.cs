using System.Reflection;
using static Postern.Tests.Combinations;

namespace Postern.Tests.OAuth.Journeys;

/// <summary>docs/combinations.md: what is served together, and the test that shows it.</summary>
internal static class CombinationPage
{
    private const int MostNamed = 2;

    /// <summary>The tests of each two, those that were written for them first.</summary>
    public static IReadOnlyDictionary<(string One, string Other), IReadOnlyList<string>> Shown { get; } = Read();

    public static string Write()
    {
        var (all, reasons) = (Combinations.All, new List<string>());
        foreach (var (one, other) in Pairs(all))
        {
            if (WhyNot(one, other) is { } why && !reasons.Contains(why))
            {
                reasons.Add(why);
            }
        }

        var head = string.Concat(all.Select((_, i) => $" {i + 1} |"));
        var rows = all.Select((feature, i) => $"| {i + 1} | {feature} |"
            + string.Concat(all.Select(other => $" {Mark(feature, other, reasons)} |")) + "\n");
        var tests = Pairs(all).Where(Shown.ContainsKey).Select(pair =>
            $"| {pair.One} | {pair.Other} | {string.Join("; ", Shown[pair].Take(MostNamed))} |\n");
        return "# What works together\n\n"
            + "A point is a combination that tests show, a letter one that cannot meet, and why.\n\n"
            + $"| | |{head}\n|---|---|{string.Concat(all.Select(_ => "---|"))}\n{string.Concat(rows)}\n"
            + string.Concat(reasons.Select((why, i) => $"- **{Letter(i)}**: {why}\n"))
            + "\n## Shown by\n\n*Journeys* are those of `What_can_meet_works_together`, by the features they have.\n\n"
            + $"| this | with this | shown by |\n|---|---|---|\n{string.Concat(tests)}";
    }

    private static string Mark(string one, string other, List<string> reasons)
    {
        if (one == other)
        {
            return "";
        }

        return WhyNot(one, other) is { } why ? Letter(reasons.IndexOf(why)) : "•";
    }

    private static string Letter(int index) => ((char)('a' + index)).ToString();

    private static Dictionary<(string, string), IReadOnlyList<string>> Read()
    {
        var marked =
            from type in typeof(CombinationPage).Assembly.GetTypes()
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            from mark in method.GetCustomAttributes<CombinesAttribute>()
            orderby method.Name
            select (mark.Features, Name: method.Name.Replace('_', ' '));
        var walked = Journey.All.Select(journey => (journey.Features, Name: $"*{journey}*"));
        return marked.Concat(walked)
            .SelectMany(test => Pairs(InOrder(test.Features)), (test, pair) => (pair, test.Name))
            .GroupBy(test => test.pair, test => test.Name)
            .ToDictionary(pair => pair.Key, pair => (IReadOnlyList<string>)[.. pair.Distinct()]);
    }

    // Words that are none are a mistake of the test.
    private static IReadOnlyList<string> InOrder(IReadOnlyList<string> features) =>
        features.All(Combinations.All.Contains)
            ? [.. Combinations.All.Where(features.Contains)]
            : throw new InvalidOperationException($"Unknown among {string.Join(", ", features)}.");
}
