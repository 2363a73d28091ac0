using Postern.Gateway.Inspect;
using Postern.Policy;

namespace Postern.Gateway.Relay;

/// <summary>
/// Carries one request to its server and all that comes of it back, between clients and servers of either era: on which
/// line, in which way, and once more when the line turns out to be lost.
/// </summary>
internal sealed class Conversation(
    Upstreams upstreams, OwnLines lines, RequestStates states, RoundTrips rounds, Interruptions interruptions)
{
    /// <summary>Calls a tool. The permit is the proof that policy said yes and that the log has it.</summary>
    public Task<bool> CallToolAsync(Permit permit, Call call, AnswerWriter writer, CancellationToken stop)
    {
        return permit.Question.Tool == call.Request.Text(Agreement.NamePart(call.Request))
            ? CarryAsync(call, writer, stop)
            : throw new InvalidOperationException("The permit is for another tool.");
    }

    /// <summary>Carries any other request. True when the answer was a result and no error.</summary>
    public Task<bool> RelayAsync(Call call, AnswerWriter writer, CancellationToken stop)
    {
        return call.Request.Method is not Methods.ToolsCall
            ? CarryAsync(call, writer, stop)
            : throw new InvalidOperationException("A tool is called with a permit.");
    }

    private async Task<bool> CarryAsync(Call call, AnswerWriter writer, CancellationToken stop)
    {
        if (!states.TryOpen(call, out var state))
        {
            await writer.WriteAsync(RequestStates.NotOfThisCall, call.Request.RawId, stop);
            return false;
        }

        var upstream = upstreams.To(call.Server);
        var line = await LineAsync(call, upstream, stop);
        try
        {
            return await CarryAsync(new(call, upstream, line, state, writer), stop);
        }
        catch (UpstreamException lost) when (lost.SessionIsLost && call.SessionLine is null && !writer.IsStreaming)
        {
            // The server refused before it looked at the call, so nothing runs twice.
            lines.Drop(line, call.Server);
        }

        line = await LineAsync(call, upstream, stop);
        return await CarryAsync(new(call, upstream, line, state, writer), stop);
    }

    private async ValueTask<Line> LineAsync(Call call, IUpstream upstream, CancellationToken stop)
    {
        if (call.SessionLine is { } line)
        {
            return line;
        }

        return await upstream.EraAsync(stop) is Era.Modern
            ? new(call.Caller)
            : await lines.OfAsync(
                call.Caller, call.Server, call.Era is Era.Modern ? Questions.Askable(call.Request) : "{}", stop);
    }

    private Task<bool> CarryAsync(Exchange exchange, CancellationToken stop)
    {
        var (call, line) = (exchange.Call, exchange.Line);
        if (call.Request.Method is Methods.Discover && line.Era is Era.Legacy)
        {
            return AnswerDiscoveryAsync(exchange, stop);
        }

        return MayInterrupt(call, line) || (line.Era is Era.Legacy && !exchange.State.IsEmpty)
            ? interruptions.RunAsync(exchange, stop)
            : rounds.RunAsync(exchange, stop);
    }

    // A legacy server knows no discovery; its handshake said the same.
    private static async Task<bool> AnswerDiscoveryAsync(Exchange exchange, CancellationToken stop)
    {
        await exchange.Writer.WriteAsync(
            Handshake.Discovery(exchange.Line.Greeting), exchange.Call.Request.RawId, stop);
        return true;
    }

    // A legacy server was told what a modern client can be asked.
    private static bool MayInterrupt(Call call, Line line) =>
        line.Era is Era.Legacy && call.SessionLine is null && line.Capabilities is not "{}";
}
