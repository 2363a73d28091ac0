using Postern.Bench.Load;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>What the gateway adds to a direct call at a rate it is far from its limit at.</summary>
internal sealed class AddedLatencyRow : Row
{
    private const int Connections = 16, PerSecond = 500;

    public override string Name => "pace";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var (product, wire, upstream) = (await stage.ProductAsync(), await stage.WireAsync(), await stage.EchoAsync());
        var contest = await Contest.RunAsync(
            pace,
            Side("product", product, await ToolCall.ThroughGatewayAsync(product, stage)),
            Side("wire", wire, ToolCall.Direct(wire)),
            Side("direct", upstream, ToolCall.Direct(upstream)));
        return
        [
            Finding.AtMost("ms added at p50, 500 calls/s", 0.3, contest.Compare("product", "direct", (a, b) => a.P50 - b.P50), contest.Figures()),
            Finding.AtMost("ms added at p99, 500 calls/s", 2, contest.Compare("product", "direct", (a, b) => a.P99 - b.P99)),
        ];

        Side Side(string name, Child child, byte[] request) => new(name, child, length =>
            OpenLoop.RunAsync(child.Port, new Repeated(request), Connections, PerSecond, length, stage.Stop));
    }
}
