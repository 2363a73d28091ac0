using System.Text.RegularExpressions;

namespace Postern.Tests.OAuth.Input;

/// <summary>docs/refusals.md leaves out nothing that an endpoint of the protocol reads.</summary>
public sealed partial class GuardTests
{
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

    private static readonly string Sources = Refusals.At("../../../../src/Server/OAuth");

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
            where !Refusals.Rows[route].Contains(one.Name)
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
        Assert.All(
            [.. proving, "GET /userinfo", "POST /mcp/{server}"],
            route => Assert.Contains("DPoP", Refusals.Rows[route]));
    }

    private static string NameOf(Match match) =>
        match.Groups.Values.Skip(1).First(group => group.Success).Value;

    [GeneratedRegex("""MapPost\(\s*"([^"]+)""")]
    private static partial Regex Posted();

    [GeneratedRegex(
        """(?:form|Query|Request\.Headers)\["([\w-]+)"\]|(?:= One|parameters|Query\.ContainsKey)\("(\w+)"\)"""
        + """|members\.[A-Z]\w+\("(\w+)"|= "(tls_client_(?:auth|cert)\w*_\w+)""")]
    private static partial Regex Read();
}
