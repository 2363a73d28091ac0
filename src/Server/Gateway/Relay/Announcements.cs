using System.Runtime.CompilerServices;
using Postern.Gateway.Inspect;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>What a server says of its own accord, on the stream that a legacy client keeps open.</summary>
internal sealed class Announcements(Upstreams upstreams, Catalogues catalogues, Delivery delivery)
{
    /// <summary>Passes them on until the client leaves or the server ends; 405 when it says nothing.</summary>
    public async Task ListenAsync(McpServer server, Line line, AnswerWriter writer, CancellationToken stop)
    {
        var upstream = upstreams.To(server);
        var heard = line.Era is Era.Legacy ? upstream.ListenAsync(line, stop) : SubscribeAsync(upstream, line, stop);
        await using var messages = heard.GetAsyncEnumerator(stop);
        while (await delivery.NextAsync(messages, null, writer))
        {
            await PassAsync(server, messages.Current, writer, stop);
        }

        if (!writer.IsStreaming)
        {
            writer.Close(StatusCodes.Status405MethodNotAllowed);
        }
    }

    private async Task PassAsync(McpServer server, Message message, AnswerWriter writer, CancellationToken stop)
    {
        if (message.Method is Methods.Acknowledged)
        {
            await writer.BeatAsync(stop);
            return;
        }

        if (message.Method is Methods.ToolsChanged)
        {
            catalogues.Refresh(server);
        }

        var edits = new Edits();
        HiddenText.Strip(message.Bytes.Span, edits);
        await writer.WriteAsync(message, edits, stop);
    }

    // A modern server is asked for what a legacy one says unasked; it answers at once when it has nothing to say.
    private static async IAsyncEnumerable<Message> SubscribeAsync(
        IUpstream upstream, Line line, [EnumeratorCancellation] CancellationToken stop)
    {
        using var request = Outgoing.Request(
            Methods.Listen,
            "{\"notifications\":{\"toolsListChanged\":true,\"promptsListChanged\":true,\"resourcesListChanged\":true},"
            + $"\"_meta\":{Handshake.Meta(line)}}}");
        await foreach (var message in upstream.AskAsync(line, request, stop))
        {
            if (message.Method is Methods.Acknowledged
                || message.Method.EndsWith("/list_changed", StringComparison.Ordinal))
            {
                yield return message;
            }
        }
    }
}
