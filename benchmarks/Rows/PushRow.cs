using Postern.Bench.Load;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>A pushed authorization request (RFC 9126): checked whole, and kept in its own reference.</summary>
internal sealed class PushRow : Row
{
    private const int Connections = 32, Created = 201;

    public override string Name => "par";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var contest = await Contest.RunAsync(
            pace,
            Side("product", await stage.ProductAsync(), "/par", stage),
            Side("peer", await stage.PeerAsync(), "/request", stage));
        return [Finding.Shown("pushed request / peer", contest.Rate("product", "peer"), contest.Figures())];
    }

    private static Side Side(string name, Child child, string path, Stage stage)
    {
        var request = Script.Form(
            path, child.Port,
            "client_id=app&response_type=code&scope=mcp%3Aread&state=s"
            + "&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
            + $"&redirect_uri={Uri.EscapeDataString("http://127.0.0.1/callback")}"
            + $"&resource={Uri.EscapeDataString(child.Issuer + "/mcp/echo")}");
        return new(name, child, length => ClosedLoop.RunAsync(
            child.Port,
            [.. Enumerable.Range(0, Connections).Select(_ => new Repeated(request) { Expected = Created })],
            length,
            stage.Stop));
    }
}
