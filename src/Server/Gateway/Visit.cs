using Postern.Gateway.Inspect;
using Postern.Gateway.Protect;
using Postern.Gateway.Relay;
using Postern.Gateway.Sessions;

namespace Postern.Gateway;

/// <summary>One request that was let in, and where its answer goes.</summary>
internal sealed record Visit(HttpContext Http, Admission Admission, AnswerWriter Writer)
{
    /// <summary>The session of a legacy client, if it has one.</summary>
    public LegacySession? Session { get; init; }

    /// <summary>The client is no longer there.</summary>
    public CancellationToken Gone => Http.RequestAborted;

    public ValueTask AnswerAsync(RpcError error, Message message) => Writer.WriteAsync(error, message.RawId, Gone);

    /// <summary>Answers with a result of the gateway's own; what came from a server in it is cleaned like all else.</summary>
    public ValueTask AnswerAsync(ReadOnlySpan<byte> result, Message message)
    {
        byte[] json = [.. "{\"jsonrpc\":\"2.0\",\"id\":"u8, .. message.RawId, .. ",\"result\":"u8, .. result, (byte)'}'];
        if (!Message.TryRead(json, out var answer, out var error, Message.MaxAnswerDepth))
        {
            return AnswerAsync(error, message);
        }

        var edits = new Edits();
        HiddenText.Strip(json, edits);
        return Writer.WriteAsync(answer, edits, Gone);
    }
}
