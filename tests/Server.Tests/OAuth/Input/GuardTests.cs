using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Postern.Tests.OAuth.Input;

/// <summary>docs/refusals.md leaves out no endpoint of the protocol, and nothing that one reads.</summary>
public sealed partial class GuardTests
{
    // People's own pages and administration have tests of their own, and so has what MCP sends.
    private static readonly string[] Elsewhere =
    [
        "/", "/api", "/assets", "/console", "/healthz", "/me", "/readyz", "/setup", "/signin", "/signout",
        "/.well-known/oauth-protected-resource",
    ];

    private static readonly string[] OfMcp =
    [
        "GET /mcp/{server}", "DELETE /mcp/{server}", "OPTIONS /mcp/{server}",
    ];

    /// <summary>Whose parameters a folder, or a file of it, reads.</summary>
    private static readonly Dictionary<string, string[]> Readers = new(StringComparer.Ordinal)
    {
        ["Authorize"] = ["GET /authorize"],
        ["Backchannel"] = ["POST /bc-authorize"],
        ["ClientAuth/Workloads.cs"] = ["POST /token"],
        ["ClientAuth/ClientCredentials.cs"] =
        [
            "POST /token", "POST /par", "POST /bc-authorize", "POST /introspect", "POST /revoke",
        ],
        ["ClientAuth"] = ["POST /register", "PUT /register/{id}"],
        ["Device"] = ["POST /device_authorization"],
        ["Feed"] = ["GET /revocations"],
        ["Introspect"] = ["POST /introspect"],
        ["Logout"] = ["GET /logout", "POST /logout"],
        ["Push"] = ["POST /par"],
        ["Register"] = ["PUT /register/{id}"],
        ["Requests/AuthorizeRequest.cs"] = ["GET /authorize", "POST /par"],
        ["Requests/WishReader.cs"] = ["POST /bc-authorize", "POST /device_authorization"],
        ["Revoke"] = ["POST /revoke"],
        ["Status"] = ["GET /statuslists/{list}"],
        ["Token"] = ["POST /token"],
    };

    private static readonly string Sources = At("../../../../src/Server/OAuth");

    private static readonly ILookup<string, string> Rows = RowsOf(At("../../../../docs/refusals.md"));

    [Fact]
    public void Every_endpoint_of_the_protocol_has_its_table_or_reads_nothing()
    {
        var routes = Route().Matches(File.ReadAllText(At("../../../../docs/routes.md")))
            .Select(match => $"{match.Groups[1].Value} {Bare(match.Groups[2].Value)}")
            .Where(route => !Elsewhere.Contains("/" + route.Split('/')[1]) && !OfMcp.Contains(route))
            .Where(route => !Elsewhere.Any(place => route.Contains(place + "/mcp", StringComparison.Ordinal)))
            .Where(route => !Elsewhere.Contains(route.Split(' ')[1]))
            .ToList();

        Assert.InRange(routes.Count, 30, 60);
        Assert.Empty(routes.Except(Rows.Select(rows => rows.Key)).Except(Tables.Readless));
    }

    [Fact]
    public void Everything_that_a_reader_knows_has_its_row()
    {
        var read = Directory.EnumerateFiles(Sources, "*.cs", SearchOption.AllDirectories)
            .SelectMany(
                file => Read().Matches(File.ReadAllText(file)),
                (file, match) => (File: Path.GetRelativePath(Sources, file), Name: NameOf(match)))
            .Distinct()
            .ToList();
        var missing =
            from one in read
            from route in Readers.GetValueOrDefault(one.File) ?? Readers.GetValueOrDefault(one.File.Split('/')[0], [""])
            where !Rows[route].Contains(one.Name)
            select $"{route}: {one.Name} ({one.File})";

        Assert.InRange(read.Count, 100, 400);
        Assert.Empty(missing);
    }

    [Fact]
    public void Whoever_may_bring_a_proof_has_a_row_for_it()
    {
        var proving = Directory.EnumerateFiles(Sources, "*Endpoint.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText)
            .Where(text => text.Contains("proofs.ProveAsync(", StringComparison.Ordinal))
            .Select(text => "POST " + Posted().Match(text).Groups[1].Value)
            .ToList();

        Assert.Equal(4, proving.Count);
        Assert.All([.. proving, "GET /userinfo", "POST /mcp/{server}"], route => Assert.Contains("DPoP", Rows[route]));
    }

    private static string At(string path, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, path));

    private static string NameOf(Match match) =>
        match.Groups.Values.Skip(1).First(group => group.Success).Value;

    // A constraint is none of the route's name, nor is a slash at the end.
    private static string Bare(string path) =>
        path is "/" ? path : path.Replace(":int", "", StringComparison.Ordinal).TrimEnd('/');

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

    [GeneratedRegex(@"^\| `([A-Z]+) (\S+)` \|", RegexOptions.Multiline)]
    private static partial Regex Route();

    [GeneratedRegex("^## ([A-Z]+ [^ ,]+)")]
    private static partial Regex Table();

    [GeneratedRegex("^\\| `([^`]+)` \\|")]
    private static partial Regex Row();

    [GeneratedRegex("""MapPost\(\s*"([^"]+)""")]
    private static partial Regex Posted();

    [GeneratedRegex(
        """(?:form|Query|Request\.Headers)\["([\w-]+)"\]|(?:= One|parameters|Query\.ContainsKey)\("(\w+)"\)"""
        + """|members\.[A-Z]\w+\("(\w+)"|= "(tls_client_(?:auth|cert)\w*_\w+)""")]
    private static partial Regex Read();
}
