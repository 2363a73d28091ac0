using System.Collections.Concurrent;
using Postern.AspNetCore.Proofs;
using Postern.Bench.Load;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>
/// What it costs to have tokens bound to a key (RFC 9449): at the token endpoint, at each call, and in memory, where
/// used proofs are remembered. A call should pay for one check of a signature.
/// </summary>
internal sealed class ProofRow : Row
{
    private const int Connections = 16, PerTurn = 6000, Remembered = 1 << 15, Checks = 4000;

    public override string Name => "proofs";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var (product, peer) = (await stage.ProductAsync(), await stage.PeerAsync());
        using var ours = new Prover(product.Issuer);
        using var theirs = new Prover(peer.Issuer);
        var tokens = await Contest.RunAsync(pace, Asking(product, ours, "product"), Asking(peer, theirs, "peer"));
        var calls = await Contest.RunAsync(
            pace, await CallingAsync(product, ours, stage), await PlainAsync(product, stage));
        var check = ours.CheckMicros(Checks);
        var judged = await JudgeAsync(ours, product.Issuer);
        return
        [
            Finding.Shown(
                "client credentials with a proof / peer", tokens.Rate("product", "peer"), tokens.Figures()),
            Finding.Shown("tool call with a proof / without", calls.Rate("with", "without"), calls.Figures()),
            Finding.AtMost(
                "processor to judge a proof / to check its signature", 1.5, new([judged.Micros / check]),
                FormattableString.Invariant($"a proof {judged.Micros:0} µs, one check of a signature {check:0} µs")),
            Finding.AtMost("bytes to remember a used proof", 64, new([judged.Bytes])),
        ];

        Side Asking(Child child, Prover prover, string name) => Proven(
            name, child, stage, () => prover.ProveAsync(
                "/token", PerTurn, null, proof => ClientCredentialsRow.Request(child.Port, proof), stage.Stop));
    }

    private static async Task<Side> CallingAsync(Child product, Prover prover, Stage stage)
    {
        var first = await prover.ProveAsync(
            "/token", 1, null, proof => ClientCredentialsRow.Request(product.Port, proof), stage.Stop);
        using var connection = await Connection.OpenAsync(product.Port, stage.Stop);
        var answer = await connection.AskAsync(first.First());
        var token = Tokens.Access(answer.Body.Span);
        return Proven("with", product, stage, () => prover.ProveAsync(
            ToolCall.Path, PerTurn, token, proof => ToolCall.Bound(product, token, proof), stage.Stop));
    }

    private static async Task<Side> PlainAsync(Child product, Stage stage)
    {
        var call = await ToolCall.ThroughGatewayAsync(product, stage);
        return Proven("without", product, stage, () => Task.FromResult(
            new ConcurrentQueue<byte[]>(Enumerable.Repeat(call, PerTurn))));
    }

    // The number of proofs ends a turn as well as the time does.
    private static Side Proven(string name, Child child, Stage stage, Func<Task<ConcurrentQueue<byte[]>>> prepare)
    {
        var requests = new ConcurrentQueue<byte[]>();
        return new(name, child, length => ClosedLoop.RunAsync(
            child.Port, [.. Enumerable.Range(0, Connections).Select(_ => new Taken(requests))], length, stage.Stop))
        {
            PrepareAsync = async () => requests = await prepare(),
        };
    }

    // Until there is no room for one more, which is not taken then.
    private static async Task<(double Micros, double Bytes)> JudgeAsync(Prover prover, string url)
    {
        var nonces = new ProofNonces(new byte[32], TimeProvider.System);
        var validator = new ProofValidator(TimeProvider.System, nonces, Remembered);
        var proofs = Enumerable.Range(0, Remembered + 1)
            .Select(_ => prover.Proof(url, nonces.Current(url), null))
            .ToList();
        var (memory, taken, start) = (GC.GetTotalMemory(forceFullCollection: true), 0, Environment.CpuUsage.TotalTime);
        while (await validator.ValidateAsync(proofs[taken], new("POST", url), CancellationToken.None) is Proof)
        {
            taken++;
        }

        var time = Environment.CpuUsage.TotalTime - start;
        memory = GC.GetTotalMemory(forceFullCollection: true) - memory;
        GC.KeepAlive(validator);
        return taken > Remembered / 2
            ? (time.TotalMicroseconds / taken, (double)memory / taken)
            : throw new InvalidOperationException($"Only {taken} proofs were remembered, of {Remembered}.");
    }
}
