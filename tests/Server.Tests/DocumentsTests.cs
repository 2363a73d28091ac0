using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Postern.Tests.OAuth.Journeys;

namespace Postern.Tests;

/// <summary>The documents that tests write: what they say is what is there.</summary>
public sealed class DocumentsTests
{
    private static IEnumerable<MethodInfo> Tests => typeof(DocumentsTests).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
        .Where(method => method.GetCustomAttributes().Any(attribute => attribute is FactAttribute));

    [Fact]
    public void The_conformance_page_lists_every_requirement_and_what_shows_it()
    {
        var tables = Requirement.All.GroupBy(demand => demand.Document).Select(document =>
            $"\n## {document.Key}\n\n| § | what is demanded | shown by |\n|---|---|---|\n"
            + string.Concat(document.Select(demand =>
                $"| {demand.Section} | {demand.Demand} | {ShownBy(demand)} |\n")));

        var listed = Requirement.All.Select(demand => demand.Document).ToHashSet();
        var lines = Tests
            .SelectMany(
                method => method.GetCustomAttributes<RfcAttribute>(),
                (method, rfc) => (rfc.Document, rfc.Section, method.Name))
            .Where(line => !listed.Contains(line.Document))
            .OrderBy(line => line.Document.Length)
            .ThenBy(line => line.Document, StringComparer.Ordinal)
            .ThenBy(line => line.Section, StringComparer.Ordinal)
            .ThenBy(line => line.Name, StringComparer.Ordinal)
            .Select(line => $"- {line.Document} §{line.Section}: {Sentence(line.Name)}\n");

        CommittedFile.Matches(
            "# Requirements and the tests that hold them\n" + string.Concat(tables)
            + "\n## Of other standards\n\n" + string.Concat(lines),
            "../../docs/conformance.md");

        static string ShownBy(Requirement demand) =>
            demand.Spared is { } why ? $"nothing: {why}" : string.Join("; ", demand.Tests.Select(Sentence));
    }

    [Fact]
    public void The_page_of_combinations_says_what_works_together_or_cannot_meet() =>
        CommittedFile.Matches(CombinationPage.Write(), "../../docs/combinations.md");

    [Fact]
    public void Every_requirement_that_is_claimed_has_its_test()
    {
        var names = Tests.Select(test => test.Name).Concat(TestsOfTheSdk()).ToHashSet(StringComparer.Ordinal);
        Assert.NotEmpty(Requirement.All);
        Assert.All(Requirement.All, demand => Assert.All(demand.Tests, name => Assert.Contains(name, names)));
        Assert.Distinct(Requirement.All.Select(demand => (demand.Document, demand.Section, demand.Demand)));
    }

    [Fact]
    public void Every_defence_that_is_claimed_has_its_test()
    {
        var names = Tests.Select(test => test.Name).Concat(TestsOfTheSdk()).ToHashSet(StringComparer.Ordinal);
        var rows = File.ReadLines(Here("../../THREATS.md"))
            .Where(line => line.StartsWith("| T", StringComparison.Ordinal))
            .ToList();

        Assert.NotEmpty(rows);
        Assert.All(rows, row =>
        {
            var claimed = Regex.Matches(row.Split('|')[^2], "`(\\w+)`");
            Assert.NotEmpty(claimed);
            Assert.All(claimed, name => Assert.Contains(name.Groups[1].Value, names));
        });
    }

    [Fact]
    public async Task The_schema_page_is_the_migrated_database()
    {
        await using var server = await TestServer.StartAsync();
        var statements = await server.Db.AllAsync(
            $"""
            select sql from sqlite_master where sql is not null and name not like {"sqlite_%"}
            order by tbl_name, type desc, name
            """,
            row => row.GetString(0),
            default);

        CommittedFile.Matches(
            "-- The tables as the migrations leave them. On PostgreSQL they are the same.\n\n"
            + string.Concat(statements.Select(sql => sql + ";\n")),
            "../../docs/schema.sql");
    }

    [Fact]
    public async Task The_routes_page_lists_every_door_and_who_may_use_it()
    {
        await using var server = await TestServer.StartAsync();
        var doors = Route.Of(server).Select(route => $"| `{route.Method} {route.Path}` | {route.Who} |\n");

        CommittedFile.Matches(
            "# Routes\n\n| route | who may use it |\n|---|---|\n" + string.Concat(doors.Order(StringComparer.Ordinal)),
            "../../docs/routes.md");
    }

    // What binds resource servers is shown there; that assembly is none of this one's.
    private static IEnumerable<string> TestsOfTheSdk() =>
        Directory.GetFiles(Here("../Sdk.Tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Regex.Matches(File.ReadAllText(file), @"public (?:async )?(?:Task|void) (\w+)\("))
            .Select(test => test.Groups[1].Value);

    private static string Sentence(string name) => name.Replace('_', ' ');

    private static string Here(string name, [CallerFilePath] string test = "") =>
        Path.Combine(Path.GetDirectoryName(test)!, name);
}
