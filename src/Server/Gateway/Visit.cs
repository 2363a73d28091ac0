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

    public ValueTask AnswerAsync(ReadOnlySpan<byte> result, Message message) =>
        Writer.WriteAsync(result, message.RawId, Gone);
}
