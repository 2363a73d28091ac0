using System.Text;
using System.Text.Json;
using Postern.Gateway.Inspect;
using Postern.Policy;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>
/// Carries one request to its server and all that comes of it back, between clients and servers of either era. It
/// passes a message on only when the client has taken the one before.
/// </summary>
internal sealed class Conversation(
    Upstreams upstreams, OwnLines lines, Catalogues catalogues, TaskOwners tasks, TimeProvider clock)
{
    // A server that keeps asking never answers.
    private const int MostRounds = 10, MostQuestions = 8;

    // What takes longer is watched, and cut when the grant ends.
    private static readonly TimeSpan Lasting = TimeSpan.FromSeconds(1);

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

    /// <summary>Passes on what a legacy server says of its own accord; 405 when it says nothing.</summary>
    public async Task ListenAsync(McpServer server, Line line, AnswerWriter writer, CancellationToken stop)
    {
        await using var messages = upstreams.To(server).ListenAsync(line, stop).GetAsyncEnumerator(stop);
        while (await NextAsync(messages, null, writer))
        {
            if (messages.Current.Method is Methods.ToolsChanged)
            {
                catalogues.Refresh(server);
            }

            var edits = new Edits();
            HiddenText.Strip(messages.Current.Bytes.Span, edits);
            await writer.WriteAsync(messages.Current, edits, stop);
        }

        if (!writer.IsStreaming)
        {
            writer.Close(StatusCodes.Status405MethodNotAllowed);
        }
    }

    private async Task<bool> CarryAsync(Call call, AnswerWriter writer, CancellationToken stop)
    {
        var upstream = upstreams.To(call.Server);
        for (var isRetry = false; ; isRetry = true)
        {
            var line = await LineAsync(call, upstream, stop);
            if (call.Request.Method is Methods.Discover && line.Era is Era.Legacy)
            {
                await writer.WriteAsync(Handshake.Discovery(line.Greeting), call.Request.RawId, stop);
                return true;
            }

            try
            {
                return await RoundsAsync(call, upstream, line, writer, stop);
            }
            catch (UpstreamException lost)
                when (lost.SessionIsLost && call.SessionLine is null && !isRetry && !writer.IsStreaming)
            {
                // The server refused before it looked at the call, so nothing runs twice.
                lines.Drop(call.Caller, call.Server);
            }
        }
    }

    private async ValueTask<Line> LineAsync(Call call, IUpstream upstream, CancellationToken stop)
    {
        if (call.SessionLine is { } line)
        {
            return line;
        }

        return await upstream.EraAsync(stop) is Era.Modern
            ? new(call.Caller)
            : await lines.OfAsync(call.Caller, call.Server, stop);
    }

    private async Task<bool> RoundsAsync(Call call, IUpstream upstream, Line line, AnswerWriter writer, CancellationToken stop)
    {
        Answers? answers = null;
        for (var round = 0; round < MostRounds; round++)
        {
            var id = Outgoing.NewId();
            var edits = Translation.Request(call.Request, call.Era, line, id, answers);
            using var request = Outgoing.Of(call.Request, edits, id, call.Headers);
            (var isResult, answers) = await PumpAsync(call, upstream, line, request, writer, stop);
            if (answers is null)
            {
                return isResult;
            }
        }

        throw new UpstreamException($"The server asked {MostRounds} times and still did not answer.");
    }

    // Ends with the response, or with the client's answers to what the server wants to know first.
    private async Task<(bool IsResult, Answers?)> PumpAsync(
        Call call, IUpstream upstream, Line line, Outgoing request, AnswerWriter writer, CancellationToken stop)
    {
        await using var messages = upstream.AskAsync(line, request, stop).GetAsyncEnumerator(stop);
        while (await NextAsync(messages, call.Lasts, writer))
        {
            var message = messages.Current;
            if (message.IsResponse && Translation.AsksBack(message))
            {
                if (!Methods.MayAskBack(call.Request.Method))
                {
                    throw new UpstreamException("The server asks back where the protocol has no questions.");
                }

                if (call.Era is Era.Legacy)
                {
                    return (false, await AskClientAsync(call, message, stop));
                }
            }

            if (message.IsRequest && call.SessionLine is null)
            {
                await RefuseAsync(upstream, line, message, stop);
            }

            if (message.IsResponse || message.IsRequest || Translation.Passes(message, call.Request, call.Era, line.Era))
            {
                await writer.WriteAsync(message, Edited(call, message), stop);
            }

            if (message.IsResponse)
            {
                tasks.Notice(call.Server, call.Caller, message);
                return (!message.IsError, null);
            }
        }

        throw new UpstreamException("The server ended before it had answered.");
    }

    private Edits Edited(Call call, Message message)
    {
        var edits = Translation.Answer(message, call.Request, call.Era);
        if (call.Request.Method is Methods.ToolsList && message.IsResponse && !message.IsError)
        {
            catalogues.Notice(call.Server, message);
            ToolList.Filter(message, call.Server, call.Grant, edits);
        }

        return edits;
    }

    // The next message, with signs of life to the client while the server thinks.
    private async ValueTask<bool> NextAsync(IAsyncEnumerator<Message> messages, Action? lasts, AnswerWriter writer)
    {
        var next = messages.MoveNextAsync();
        if (next.IsCompleted)
        {
            return await next;
        }

        var waiting = next.AsTask();
        if (await IsThereAsync(waiting, Lasting))
        {
            return await waiting;
        }

        lasts?.Invoke();
        while (!await IsThereAsync(waiting, AnswerWriter.Beat))
        {
            await writer.BeatAsync(CancellationToken.None);
        }

        return await waiting;
    }

    private async ValueTask<bool> IsThereAsync(Task waiting, TimeSpan within)
    {
        await waiting.WaitAsync(within, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return waiting.IsCompleted;
    }

    // Nothing was declared on this line that a server could ask for. It is told so, and the client learns what it lacks.
    private static async Task RefuseAsync(IUpstream upstream, Line line, Message question, CancellationToken stop)
    {
        using var refusal = Outgoing.Response(RpcError.UnknownMethod(question.Method).ToJson(question.RawId));
        await upstream.TellAsync(line, refusal, stop);
        throw new UpstreamException(RpcError.MissingCapability(
            $"The server wants to ask the client ('{question.Method}'), which a call without a session cannot carry.",
            CapabilityOf(question.Method)));
    }

    private static async Task<Answers> AskClientAsync(Call call, Message message, CancellationToken stop)
    {
        var state = message.At("result"u8, "requestState"u8);
        var questions = message.At("result"u8, "inputRequests"u8);
        var answers = new StringBuilder("{");
        using var document = JsonDocument.Parse(questions.IsMissing ? "{}"u8.ToArray() : message.Raw(questions).ToArray());
        foreach (var question in document.RootElement.EnumerateObject().Take(MostQuestions))
        {
            var method = question.Value.TryGetProperty("method", out var name) ? name.GetString() ?? "" : "";
            var parameters = question.Value.TryGetProperty("params", out var given) ? given.GetRawText() : "{}";
            if (call.AskClient is null || !Declares(call.SessionLine, method))
            {
                throw new UpstreamException(RpcError.MissingCapability(
                    $"The server wants to ask the client ('{method}'), which the client has not said it can do.",
                    CapabilityOf(method)));
            }

            var answer = await call.AskClient(method, parameters, stop);
            answers.Append(answers.Length > 1 ? "," : "")
                .Append(JsonSerializer.Serialize(question.Name, RpcJson.Default.String)).Append(':').Append(answer);
        }

        return new(answers.Append('}').ToString(), state.IsMissing ? null : Encoding.UTF8.GetString(message.Raw(state)));
    }

    private static bool Declares(Line? line, string method)
    {
        using var declared = JsonDocument.Parse(line?.Capabilities ?? "{}");
        return method is "elicitation/create" or "sampling/createMessage" or "roots/list"
            && declared.RootElement.TryGetProperty(CapabilityOf(method), out _);
    }

    private static string CapabilityOf(string method) => method.Split('/')[0];
}
