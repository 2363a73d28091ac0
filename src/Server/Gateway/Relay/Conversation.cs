using System.Runtime.CompilerServices;
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
    Upstreams upstreams,
    OwnLines lines,
    Catalogues catalogues,
    TaskOwners tasks,
    RequestStates states,
    Questions questions,
    TimeProvider clock)
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

    /// <summary>Passes on what a server says to a legacy client of its own accord; 405 when it says nothing.</summary>
    public async Task ListenAsync(McpServer server, Line line, AnswerWriter writer, CancellationToken stop)
    {
        var upstream = upstreams.To(server);
        var heard = line.Era is Era.Legacy ? upstream.ListenAsync(line, stop) : SubscribeAsync(upstream, line, stop);
        await using var messages = heard.GetAsyncEnumerator(stop);
        while (await NextAsync(messages, null, writer))
        {
            if (messages.Current.Method is Methods.Acknowledged)
            {
                await writer.BeatAsync(stop);
                continue;
            }

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

    private async Task<bool> CarryAsync(Call call, AnswerWriter writer, CancellationToken stop)
    {
        if (!states.TryOpen(call, out var state))
        {
            await writer.WriteAsync(RequestStates.NotOfThisCall, call.Request.RawId, stop);
            return false;
        }

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
                return MayAsk(call, line) || (line.Era is Era.Legacy && !state.IsEmpty)
                    ? await AskingAsync(call, upstream, line, state, writer, stop)
                    : await RoundsAsync(call, upstream, line, state, writer, stop);
            }
            catch (UpstreamException lost)
                when (lost.SessionIsLost && call.SessionLine is null && !isRetry && !writer.IsStreaming)
            {
                // The server refused before it looked at the call, so nothing runs twice.
                lines.Drop(line, call.Server);
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
            : await lines.OfAsync(
                call.Caller, call.Server, call.Era is Era.Modern ? Questions.Askable(call.Request) : "{}", stop);
    }

    // A legacy server was told what a modern client can be asked.
    private static bool MayAsk(Call call, Line line) =>
        line.Era is Era.Legacy && call.SessionLine is null && line.Capabilities is not "{}";

    // At a legacy server that may ask a modern client: the call is begun, or taken up again with the answer.
    private async Task<bool> AskingAsync(
        Call call, IUpstream upstream, Line line, ReadOnlyMemory<byte> state, AnswerWriter writer,
        CancellationToken stop)
    {
        var (open, error) = state.IsEmpty
            ? (new OpenCall(call, upstream, line), null)
            : await questions.AnswerAsync(call, state, stop);
        if (open is null)
        {
            await writer.WriteAsync(error!, call.Request.RawId, stop);
            return false;
        }

        byte[]? question = null;
        try
        {
            await using var leaving = stop.UnsafeRegister(_ => _ = open.StopAsync(), null);
            if (await AnswerOrQuestionAsync(call, open, writer, stop) is { } isResult)
            {
                return isResult;
            }

            question = questions.Park(open, call);
        }
        finally
        {
            await (question is null ? open.DisposeAsync() : default);
        }

        await writer.WriteAsync(question, call.Request.RawId, stop);
        return true;
    }

    // Null when the server has asked first.
    private async Task<bool?> AnswerOrQuestionAsync(
        Call call, OpenCall open, AnswerWriter writer, CancellationToken stop)
    {
        while (open.Question is null && await NextAsync(open.Messages, call.Lasts, writer))
        {
            var message = open.Messages.Current;
            if (message.IsRequest)
            {
                await HearQuestionAsync(open, message, stop);
                continue;
            }

            if (message.IsResponse || Translation.Passes(message, call.Request, call.Era, open.Line.Era))
            {
                await writer.WriteAsync(message, Edited(call, message), stop);
            }

            if (message.IsResponse)
            {
                open.IsOver = true;
                tasks.Notice(call.Server, call.Caller, message);
                return !message.IsError;
            }
        }

        return open.Question is null ? throw new UpstreamException("The server ended before it had answered.") : null;
    }

    private static async Task HearQuestionAsync(OpenCall open, Message question, CancellationToken stop)
    {
        if (Questions.IsDeclared(open.Line, question))
        {
            open.Asks(question);
            return;
        }

        await RefuseAsync(open.Upstream, open.Line, question, stop);
    }

    private async Task<bool> RoundsAsync(
        Call call, IUpstream upstream, Line line, ReadOnlyMemory<byte> state, AnswerWriter writer,
        CancellationToken stop)
    {
        Answers? answers = null;
        for (var round = 0; round < MostRounds; round++)
        {
            var id = Outgoing.NewId();
            var edits = Translation.Request(call.Request, call.Era, line, id, answers, state);
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
                continue;
            }

            if (message.IsResponse || message.IsRequest
                || Translation.Passes(message, call.Request, call.Era, line.Era))
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
        if (message.IsResponse && Translation.AsksBack(message))
        {
            // A legacy client never sees it: it is asked itself.
            Bind(call, message, edits);
        }

        if (call.Request.Method is Methods.ToolsList && message.IsResponse && !message.IsError)
        {
            catalogues.Notice(call.Server, message);
            ToolList.Filter(message, call.Server, call.Grant, edits);
        }

        return edits;
    }

    private void Bind(Call call, Message message, Edits edits)
    {
        var state = message.At("result"u8, "requestState"u8);
        if (!state.IsMissing)
        {
            edits.Replace(state, states.Seal(call, message.Raw(state)));
        }
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

    // What was not declared on this line cannot be asked. The server is told so, and the client learns what it lacks.
    private static async Task RefuseAsync(IUpstream upstream, Line line, Message question, CancellationToken stop)
    {
        if (question.Method is Methods.Ping)
        {
            using var here = Outgoing.Response(
                [.. "{\"jsonrpc\":\"2.0\",\"id\":"u8, .. question.RawId, .. ",\"result\":{}}"u8]);
            await upstream.TellAsync(line, here, stop);
            return;
        }

        using var refusal = Outgoing.Response(RpcError.UnknownMethod(question.Method).ToJson(question.RawId));
        await upstream.TellAsync(line, refusal, stop);
        throw new UpstreamException(RpcError.MissingCapability(
            $"The server wants to ask the client ('{question.Method}'), which the client has not said it can do.",
            CapabilityOf(question.Method)));
    }

    private static async Task<Answers> AskClientAsync(Call call, Message message, CancellationToken stop)
    {
        var state = message.At("result"u8, "requestState"u8);
        var questions = message.At("result"u8, "inputRequests"u8);
        var answers = new StringBuilder("{");
        using var document = JsonDocument.Parse(
            questions.IsMissing ? "{}"u8.ToArray() : message.Raw(questions).ToArray());
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

        return new(
            answers.Append('}').ToString(), state.IsMissing ? null : Encoding.UTF8.GetString(message.Raw(state)));
    }

    private static bool Declares(Line? line, string method)
    {
        using var declared = JsonDocument.Parse(line?.Capabilities ?? "{}");
        return method is "elicitation/create" or "sampling/createMessage" or "roots/list"
            && declared.RootElement.TryGetProperty(CapabilityOf(method), out _);
    }

    private static string CapabilityOf(string method) => method.Split('/')[0];
}
