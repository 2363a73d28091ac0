using System.Collections.Concurrent;
using Postern.Bench.Load;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>
/// The exchange of a code with PKCE for tokens. The codes are agreed to just before each turn and not timed.
/// </summary>
internal sealed class CodeRow : Row
{
    private const int Connections = 32, PerTurn = 250;

    // The number of codes ends a turn; this only bounds it.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    public override string Name => "codes";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var (product, peer) = (await stage.ProductAsync(), await stage.PeerAsync());
        using var ours = new Person(product.Port, "/authorize");
        using var theirs = new Person(peer.Port, "/auth");
        var contest = await Contest.RunAsync(
            pace, Side("product", product, ours, stage), Side("peer", peer, theirs, stage));
        return [Finding.AtLeast("code + PKCE exchange / peer", 3, contest.Rate("product", "peer"), contest.Figures())];
    }

    private static Side Side(string name, Child child, Person person, Stage stage)
    {
        var requests = new ConcurrentQueue<byte[]>();
        return new(name, child, _ => ClosedLoop.RunAsync(
            child.Port, [.. Enumerable.Range(0, Connections).Select(_ => new Taken(requests))], Longest, stage.Stop))
        {
            PrepareAsync = async () => requests = await person.AgreeAsync(PerTurn, stage.Stop),
        };
    }
}
