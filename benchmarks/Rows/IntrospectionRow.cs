using Postern.Bench.Load;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>A resource server asks whether a token is alive: ours signed, the peer's in its memory.</summary>
internal sealed class IntrospectionRow : Row
{
    private const int Connections = 32;

    public override string Name => "introspection";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var contest = await Contest.RunAsync(
            pace,
            await SideAsync("product", await stage.ProductAsync(), "/introspect", "", stage),
            await SideAsync("peer", await stage.PeerAsync(), "/token/introspection", "/opaque", stage));
        return [Finding.Shown("introspection / peer", contest.Rate("product", "peer"), contest.Figures())];
    }

    private static async Task<Side> SideAsync(string name, Child child, string path, string resource, Stage stage)
    {
        using var connection = await Connection.OpenAsync(child.Port, stage.Stop);
        var asked = resource is "" ? "" : "&resource=" + Uri.EscapeDataString(child.Issuer + resource);
        var issued = await connection.AskAsync(Script.Form(
            "/token", child.Port, "grant_type=client_credentials&scope=mcp%3Aread" + asked, Stage.Basic));
        var request = Script.Form(path, child.Port, "token=" + Tokens.Access(issued.Body.Span), Stage.Basic);
        var known = await connection.AskAsync(request);
        return known.Body.Span.IndexOf("\"active\":true"u8) >= 0
            ? new(name, child, length => ClosedLoop.RunAsync(
                child.Port,
                [.. Enumerable.Range(0, Connections).Select(_ => new Repeated(request))],
                length,
                stage.Stop))
            : throw new InvalidOperationException($"The token of the {name} is not known to it: {known}");
    }
}
