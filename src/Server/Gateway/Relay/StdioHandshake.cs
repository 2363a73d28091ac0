using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>Finds out which era a process speaks, and shakes hands with one of the older.</summary>
internal sealed class StdioHandshake(StdioConnection connection, TimeProvider clock)
{
    // A server that knows no discovery may also leave an unknown request unanswered.
    private static readonly TimeSpan ProbeWithin = TimeSpan.FromSeconds(5), GreetWithin = TimeSpan.FromSeconds(60);

    /// <summary>What was agreed with the process.</summary>
    /// <param name="known">The era of an earlier process of the same server; null if there was none.</param>
    public async Task<Line> OpenAsync(Era? known)
    {
        var line = new Line(Handshake.Nobody);
        // A legacy server may leave the question unanswered, so one that was is not asked again; a modern one is quick.
        if (known is not Era.Legacy && await SpeaksModernAsync(line))
        {
            return line;
        }

        using var hello = Handshake.Initialize(line with { Version = Revisions.NewestLegacy });
        using var patience = new CancellationTokenSource(GreetWithin, clock);
        try
        {
            var agreed = Handshake.Complete(line, await connection.ResponseAsync(hello, patience.Token));
            using var done = Outgoing.Notification(Methods.Initialized);
            await connection.TellAsync(done, patience.Token);
            return agreed;
        }
        catch (OperationCanceledException failure)
        {
            throw new UpstreamException(
                RpcError.Upstream("The server did not answer the handshake in time.", 504), failure);
        }
    }

    private async Task<bool> SpeaksModernAsync(Line line)
    {
        using var question = Handshake.Discover(line);
        using var patience = new CancellationTokenSource(ProbeWithin, clock);
        try
        {
            return Handshake.EraOf(await connection.ResponseAsync(question, patience.Token)) is Era.Modern;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
