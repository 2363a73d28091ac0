using System.Text.Json;
using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// A call under way at a legacy server that may ask before it answers. It can outlive the request that began it: while
/// the client thinks about the question, nobody reads on.
/// </summary>
internal sealed class OpenCall : IAsyncDisposable
{
    private readonly Outgoing request;
    private readonly ReadOnlyMemory<byte> arguments;
    private readonly CancellationTokenSource stop = new();

    private OpenCall(
        Call call, IUpstream upstream, Line line, IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        var id = Outgoing.NewId();
        (Upstream, Line, Grant) = (upstream, line, call.Grant);
        var edits = Translation.Request(call.Request, call.Era, line, id, null);
        request = Outgoing.Of(call.Request, edits, id, headers);
        arguments = ArgumentsOf(call.Request).ToArray();
        Messages = upstream.AskAsync(line, request, stop.Token).GetAsyncEnumerator(stop.Token);
    }

    /// <summary>Begins it.</summary>
    public static async ValueTask<OpenCall> BeginAsync(
        Call call, IUpstream upstream, Line line, CancellationToken stop)
    {
        var headers = await call.HeadersAsync(stop);
        call.Departure.Leave();
        return new(call, upstream, line, headers);
    }

    public IUpstream Upstream { get; }

    public Line Line { get; }

    public Grant Grant { get; }

    public IAsyncEnumerator<Message> Messages { get; }

    /// <summary>The server has answered.</summary>
    public bool IsOver { get; set; }

    /// <summary>What the server wants to know, once it has asked.</summary>
    public Message? Question { get; private set; }

    /// <summary>Remembers a question, whose bytes are good only until the next message is read.</summary>
    public void Asks(Message question) =>
        Question = Message.TryReadAnswer(question.Bytes.ToArray(), out var copy, out _) ? copy : null;

    public void Answered() => Question = null;

    /// <summary>
    /// What runs is what was judged: the call that is made again must be the same in all that matters.
    /// </summary>
    public bool IsSameAs(Message again)
    {
        using var mine = JsonDocument.Parse(arguments);
        using var theirs = JsonDocument.Parse(ArgumentsOf(again));
        return JsonElement.DeepEquals(mine.RootElement, theirs.RootElement);
    }

    public Task StopAsync() => stop.CancelAsync();

    /// <summary>A server that has not answered is told that nobody waits any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!IsOver)
        {
            await StopAsync();
        }

        await Messages.DisposeAsync();
        request.Dispose();
        stop.Dispose();
    }

    private static ReadOnlyMemory<byte> ArgumentsOf(Message request)
    {
        var part = request.At("params"u8, "arguments"u8);
        return part.IsMissing ? "null"u8.ToArray() : request.Bytes.Slice(part.Start, part.Length);
    }
}
