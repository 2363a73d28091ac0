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
        var (product, relaxed) = (await stage.ProductAsync(), await stage.RelaxedAsync());
        var (wire, upstream) = (await stage.WireAsync(), await stage.EchoAsync());
        var contest = await Contest.RunAsync(
            pace,
            Side("product", product, await ToolCall.ThroughGatewayAsync(product, stage)),
            Side("relaxed", relaxed, await ToolCall.ThroughGatewayAsync(relaxed, stage)),
            Side("wire", wire, ToolCall.Direct(wire)),
            Side("direct", upstream, ToolCall.Direct(upstream)));
        return
        [
            Finding.AtMost(
                "ms added at p50, 500 calls/s", 0.3, Added("product", sample => sample.P50), contest.Figures()),
            Finding.AtMost("ms added at p99, 500 calls/s", 2, Added("product", sample => sample.P99)),
            Finding.Shown("the same at p50 with audit.mode: relaxed", Added("relaxed", sample => sample.P50)),
            Finding.Shown("the same at p99 with audit.mode: relaxed", Added("relaxed", sample => sample.P99)),
        ];

        Spread Added(string side, Func<Sample, double> what) =>
            contest.Compare(side, "direct", (ours, direct) => what(ours) - what(direct));

        Side Side(string name, Child child, byte[] request) => new(name, child, length =>
            OpenLoop.RunAsync(child.Port, new Repeated(request), Connections, PerSecond, length, stage.Stop));
    }
}
