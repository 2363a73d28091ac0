using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Postern.Api;
using Postern.Console.Me;
using Postern.Identity.Setup;
using Postern.Identity.SignIn;
using Postern.OAuth.Consent;
using Postern.OAuth.Device;
using Postern.Platform.Configuration;

namespace Postern.Tests.OAuth.Input;

/// <summary>
/// docs/refusals.md leaves out no route that the server has, nothing that its door reads, and nothing that pages, API
/// and gateway read behind it.
/// </summary>
public sealed partial class DoorGuardTests
{
    private static readonly string[] Mcp = ["POST /mcp/{server}", "GET /mcp/{server}", "DELETE /mcp/{server}"];

    /// <summary>The body that a route of the API takes.</summary>
    private static readonly Dictionary<string, (string Route, Type Type)> Bodies = new(StringComparer.Ordinal)
    {
        [nameof(AgentToAdd)] = ("POST /api/agents", typeof(AgentToAdd)),
        [nameof(DeclarationsBody)] = ("PUT /api/servers/{name}/declarations", typeof(DeclarationsBody)),
        [nameof(MemberToMove)] = ("POST /api/organizations/{id}/members", typeof(MemberToMove)),
        [nameof(NewKey)] = ("POST /api/keys", typeof(NewKey)),
        [nameof(NewServer)] = ("POST /api/servers", typeof(NewServer)),
        [nameof(OrganizationToAdd)] = ("POST /api/organizations", typeof(OrganizationToAdd)),
        [nameof(Protection)] = ("PUT /api/servers/{name}/protection", typeof(Protection)),
        [nameof(SwitchToTurn)] = ("POST /api/switches", typeof(SwitchToTurn)),
        [nameof(TenantToAdd)] = ("POST /api/tenants", typeof(TenantToAdd)),
        [nameof(WhoseGrants)] = ("POST /api/revoke", typeof(WhoseGrants)),
    };

    /// <summary>The names of the fields of our pages, and the routes of which one reads them.</summary>
    private static readonly Dictionary<string, (Type View, string[] Routes)> Views = new(StringComparer.Ordinal)
    {
        [nameof(SignInView)] = (typeof(SignInView), ["POST /signin"]),
        [nameof(SetupView)] = (typeof(SetupView), ["POST /setup"]),
        [nameof(ConsentView)] = (typeof(ConsentView), ["POST /consent"]),
        [nameof(UserCodeView)] = (typeof(UserCodeView), ["POST /device"]),
        [nameof(MeView)] = (typeof(MeView),
        [
            "POST /me/grants/end", "POST /me/browsers/end", "POST /me/passkeys/add", "POST /me/passkeys/remove",
            "POST /me/password",
        ]),
    };

    /// <summary>What else is read by a name that stands elsewhere.</summary>
    private static readonly Dictionary<string, (string Name, string[] Routes)> Named = new(StringComparer.Ordinal)
    {
        ["Agreement.VersionHeader"] = ("MCP-Protocol-Version", ["POST /mcp/{server}"]),
        ["Attestation.Header"] = ("OAuth-Client-Attestation", ["POST /token"]),
        ["Attestation.ProofHeader"] = ("OAuth-Client-Attestation-PoP", ["POST /token"]),
        ["Chain"] = ("Client-Cert-Chain", ["POST /token"]),
        ["From"] = ("from", ["GET /console/clients", "GET /console/agents", "GET /console/grants", "GET /console/log"]),
        ["HttpRequests.SessionHeader"] = ("Mcp-Session-Id", Mcp),
        ["Leaf"] = ("Client-Cert", ["POST /token", "POST /mcp/{server}"]),
        ["RequestValidator.ProofHeader"] = ("DPoP", ["POST /token", "POST /mcp/{server}", "GET /userinfo"]),
        ["TokenField"] = ("form", ["POST /consent", "POST /signin", "POST /signout"]),
        ["Transaction"] = ("transaction", ["GET /authorize"]),
    };

    // What is only written, or read where a list of names is gone through.
    private static readonly string[] Written = ["ChallengeHeader"];

    [Fact]
    public async Task Every_route_has_its_table_or_a_line_that_says_why_it_has_none()
    {
        await using var server = await TestServer.StartAsync();
        var routes = Route.Of(server).Select(NameOf).ToList();
        var known = Refusals.Rows.Select(rows => rows.Key).Concat(Tables.Readless.Keys).ToList();

        Assert.InRange(routes.Count, 80, 200);
        Assert.Empty(routes.Except(known));
        Assert.Empty(known.Except(routes));
    }

    [Fact]
    public async Task Every_part_of_an_address_and_what_opens_a_door_has_its_row()
    {
        await using var server = await TestServer.StartAsync();
        var missing =
            from route in Route.Of(server)
            let name = NameOf(route)
            where !Tables.Readless.ContainsKey(name)
            from read in Part().Matches(name).Select(part => part.Value).Concat(KeyOf(route))
            where !Refusals.Rows[name].Contains(read)
            select $"{name}: {read}";

        Assert.Empty(missing);
        // A person's door is one, and what it reads is shown where nothing else is.
        Assert.All(
            (string[])["GET /me", "GET /console", "GET /", "POST /signout"],
            route => Assert.Contains("Cookie", Refusals.Rows[route]));
    }

    [Fact]
    public void Every_member_of_a_body_of_the_API_has_its_row()
    {
        var read = Directory.EnumerateFiles(Refusals.At("../../../../src/Server/Api"), "*.cs")
            .SelectMany(file => Body().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .ToList();
        var missing =
            from body in Bodies.Values
            from member in MembersOf(body.Type)
            where !Refusals.Rows[body.Route].Contains(member)
            select $"{body.Route}: {member}";

        Assert.Equal(Bodies.Keys.Order(StringComparer.Ordinal), read.Order(StringComparer.Ordinal));
        Assert.Empty(missing.Concat(
            from member in MembersOf(typeof(DeclarationSeed))
            where !Refusals.Rows["PUT /api/servers/{name}/declarations"].Contains(member)
            select member));
    }

    [Fact]
    public void Every_parameter_of_a_list_of_the_API_has_its_row()
    {
        var missing =
            from file in Directory.EnumerateFiles(Refusals.At("../../../../src/Server/Api"), "*Endpoint.cs")
            from match in Listed().Matches(File.ReadAllText(file))
            from name in match.Groups[1].Value.Split(", ").Select(quoted => quoted.Trim('"'))
            let route = "GET /api/" + Path.GetFileName(file).Replace("Endpoint.cs", "").ToLowerInvariant()
            where !Refusals.Rows[route].Contains(name)
            select $"{route}: {name}";

        Assert.Empty(missing);
    }

    [Fact]
    public void Everything_that_is_read_by_a_constant_has_its_row()
    {
        var read = Directory.EnumerateFiles(Refusals.At("../../../../src/Server"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => ByConstant().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value)
            .Except(Written)
            .Distinct()
            .ToList();

        Assert.InRange(read.Count, 20, 60);
        Assert.All(read, constant =>
        {
            Assert.NotEmpty(RowsOf(constant));
            Assert.All(RowsOf(constant), row => Assert.Contains(row.Name, Refusals.Rows[row.Route]));
        });
    }

    private static List<(string Route, string Name)> RowsOf(string constant)
    {
        if (Named.TryGetValue(constant, out var named))
        {
            return [.. named.Routes.Select(route => (route, named.Name))];
        }

        if (!Views.TryGetValue(constant.Split('.')[0], out var view))
        {
            return [];
        }

        var name = (string)view.View.GetField(constant.Split('.')[1])!.GetRawConstantValue()!;
        return [.. view.Routes.Where(route => Refusals.Rows[route].Contains(name)).Select(route => (route, name))];
    }

    private static string NameOf(Route route) => $"{route.Method} {Bare(route.Path)}";

    private static IEnumerable<string> KeyOf(Route route) => route.Who switch
    {
        "administrator's token" => ["Authorization", "Origin"],
        "access token" => ["Authorization"],
        _ => [],
    };

    // A group has its members with a dot, a list of objects its own row.
    private static IEnumerable<string> MembersOf(Type type, string above = "") =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).SelectMany(member =>
        {
            var name = above + JsonNamingPolicy.SnakeCaseLower.ConvertName(member.Name);
            return member.PropertyType.Namespace?.StartsWith("Postern", StringComparison.Ordinal) is true
                && member.PropertyType != typeof(SignInSeed)
                ? MembersOf(member.PropertyType, name + ".")
                : [name];
        });

    // A constraint is none of the route's name, nor is a slash at the end.
    private static string Bare(string path) =>
        path is "/" ? path : path.Replace(":int", "", StringComparison.Ordinal).TrimEnd('/');

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Part();

    [GeneratedRegex(@"StrictBody\.ReadAsync\(http, ApiJson\.Default\.(\w+)\)")]
    private static partial Regex Body();

    [GeneratedRegex(@"Query\.Refuse\((?:query|http\.Request\.Query), ([^)]+)\)")]
    private static partial Regex Listed();

    [GeneratedRegex(@"(?:form|[qQ]uery|(?<!Response\.)Headers)\[([A-Z]\w*(?:\.\w+)?)\]")]
    private static partial Regex ByConstant();
}
