using Postern.Bench.Load;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>
/// Client credentials with a secret: a signed JWT, and an entry that is on the disk before the answer leaves.
/// </summary>
internal sealed class ClientCredentialsRow : Row
{
    // With many, all sides are busy all the time. With few, who keeps an entry waits for the disk while they all wait.
    private const int Many = 128, Few = 32;

    public override string Name => "tokens";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var (product, floor) = (await stage.ProductAsync(), await stage.FloorAsync());
        var many = await Contest.RunAsync(
            pace,
            Side("product", product, Many, stage),
            Side("floor", floor, Many, stage),
            Side("peer", await stage.PeerAsync(), Many, stage));
        var few = await Contest.RunAsync(
            pace, Side("product", product, Few, stage), Side("floor", floor, Few, stage));
        return
        [
            Finding.AtLeast("client credentials / floor", 0.6, many.Rate("product", "floor"), many.Figures()),
            Finding.AtLeast("client credentials / peer", 5, many.Rate("product", "peer")),
            Finding.Shown(
                "client credentials / floor, 32 connections", few.Rate("product", "floor"), few.Figures()),
        ];
    }

    public static byte[] Request(int port, params IEnumerable<string> headers) => Script.Form(
        "/token", port, "grant_type=client_credentials&scope=mcp%3Aread", [Stage.Basic, .. headers]);

    private static Side Side(string name, Child child, int connections, Stage stage) =>
        new(name, child, length => ClosedLoop.RunAsync(
            child.Port,
            [.. Enumerable.Range(0, connections).Select(_ => new Repeated(Request(child.Port)))],
            length,
            stage.Stop));
}
