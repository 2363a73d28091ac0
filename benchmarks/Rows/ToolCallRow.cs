using Postern.Bench.Load;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>
/// A tool call as fast as it goes: token, policy, entry and relay, against nginx before the same server.
/// </summary>
internal sealed class ToolCallRow : Row
{
    private const int Connections = 16;

    public override string Name => "calls";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var (product, wire, upstream) = (await stage.ProductAsync(), await stage.WireAsync(), await stage.EchoAsync());
        var call = await ToolCall.ThroughGatewayAsync(product, stage);
        var crowd = await RunAsync(Connections);
        var alone = await RunAsync(1);
        return
        [
            Finding.AtLeast("tool call / wire, 16 connections", 0.4, crowd.Rate("product", "wire"), crowd.Figures()),
            Finding.Shown("tool call / wire, 1 connection", alone.Rate("product", "wire"), alone.Figures()),
        ];

        Task<Contest> RunAsync(int connections) => Contest.RunAsync(
            pace,
            Side("product", product, call, connections),
            Side("wire", wire, ToolCall.Direct(wire), connections),
            Side("direct", upstream, ToolCall.Direct(upstream), connections));

        Side Side(string name, Child child, byte[] request, int connections) =>
            new(name, child, length => ClosedLoop.RunAsync(
                child.Port,
                [.. Enumerable.Range(0, connections).Select(_ => new Repeated(request))],
                length,
                stage.Stop));
    }
}
