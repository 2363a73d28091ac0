using Postern.Bench.Load;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>
/// Client credentials with a secret: a signed JWT, and an entry that is on the disk before the answer leaves.
/// </summary>
internal sealed class ClientCredentialsRow : Row
{
    private const int Connections = 32;

    public override string Name => "tokens";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var contest = await Contest.RunAsync(
            pace,
            Side("product", await stage.ProductAsync(), stage),
            Side("floor", await stage.FloorAsync(), stage),
            Side("peer", await stage.PeerAsync(), stage));
        return
        [
            Finding.AtLeast("client credentials / floor", 0.6, contest.Rate("product", "floor"), contest.Figures()),
            Finding.AtLeast("client credentials / peer", 5, contest.Rate("product", "peer")),
        ];
    }

    public static byte[] Request(int port, params IEnumerable<string> headers) => Script.Form(
        "/token", port, "grant_type=client_credentials&scope=mcp%3Aread", [Stage.Basic, .. headers]);

    private static Side Side(string name, Child child, Stage stage) =>
        new(name, child, length => ClosedLoop.RunAsync(
            child.Port,
            [.. Enumerable.Range(0, Connections).Select(_ => new Repeated(Request(child.Port)))],
            length,
            stage.Stop));
}
