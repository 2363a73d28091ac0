using System.Text;
using System.Text.Json;
using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// Requests that a modern server may answer with questions of its own (SEP-2322). A modern client takes them home and
/// calls again; a legacy client is asked here, and the request is made again with its answers.
/// </summary>
internal sealed class RoundTrips(Delivery delivery)
{
    // A server that keeps asking never answers.
    private const int MostRounds = 10, MostQuestions = 8;

    private const string NoQuestion = "The server asks for something that the protocol does not have.";

    /// <summary>True when the answer was a result and no error.</summary>
    public async Task<bool> RunAsync(Exchange exchange, CancellationToken stop)
    {
        var (call, line) = (exchange.Call, exchange.Line);
        Answers? answers = null;
        for (var round = 0; round < MostRounds; round++)
        {
            var id = Outgoing.NewId();
            var edits = Translation.Request(call.Request, call.Era, line, id, answers, exchange.State);
            using var request = Outgoing.Of(call.Request, edits, id, await call.HeadersAsync(stop));
            (var isResult, answers) = await RunAsync(exchange, request, stop);
            if (answers is null)
            {
                return isResult;
            }
        }

        throw new UpstreamException($"The server asked {MostRounds} times and still did not answer.");
    }

    // Ends with the response, or with the client's answers to what the server wants to know first.
    private async Task<(bool IsResult, Answers?)> RunAsync(
        Exchange exchange, Outgoing request, CancellationToken stop)
    {
        var (call, upstream, line) = (exchange.Call, exchange.Upstream, exchange.Line);
        call.Departure.Leave();
        await using var messages = upstream.AskAsync(line, request, stop).GetAsyncEnumerator(stop);
        while (await NextAsync(messages, exchange))
        {
            var message = messages.Current;
            if (IsForTheClient(call, message))
            {
                return (false, await AskClientAsync(call, message, stop));
            }

            if (message.IsRequest && call.SessionLine is null)
            {
                await Questions.RefuseAsync(upstream, line, message, stop);
                continue;
            }

            await delivery.PassAsync(exchange, message, stop);
            if (message.IsResponse)
            {
                return (!message.IsError, null);
            }
        }

        throw new UpstreamException("The server ended before it had answered.");
    }

    private async ValueTask<bool> NextAsync(IAsyncEnumerator<Message> messages, Exchange exchange)
    {
        try
        {
            return await delivery.NextAsync(messages, exchange.Call.Lasts, exchange.Writer);
        }
        catch (UpstreamException failure) when (failure.NothingWasSent)
        {
            exchange.Call.Departure.Fail();
            throw;
        }
    }

    private static bool IsForTheClient(Call call, Message message)
    {
        if (!message.IsResponse || !Translation.AsksBack(message))
        {
            return false;
        }

        return Methods.MayAskBack(call.Request.Method)
            ? call.Era is Era.Legacy
            : throw new UpstreamException("The server asks back where the protocol has no questions.");
    }

    private static async Task<Answers> AskClientAsync(Call call, Message message, CancellationToken stop)
    {
        var state = message.At("result"u8, "requestState"u8);
        using var questions = QuestionsIn(message);
        var answers = new List<string>();
        foreach (var question in questions.RootElement.EnumerateObject().Take(MostQuestions))
        {
            var name = JsonSerializer.Serialize(question.Name, RpcJson.Default.String);
            answers.Add($"{name}:{await AskClientAsync(call, question.Value, stop)}");
        }

        return new(
            $"{{{string.Join(',', answers)}}}",
            state.IsMissing ? null : Encoding.UTF8.GetString(message.Raw(state)));
    }

    private static JsonDocument QuestionsIn(Message message)
    {
        var part = message.At("result"u8, "inputRequests"u8);
        return part.Type is JsonTokenType.StartObject or JsonTokenType.None
            ? JsonDocument.Parse(
                part.IsMissing ? "{}"u8.ToArray() : message.Raw(part).ToArray(),
                new() { MaxDepth = Message.MaxAnswerDepth })
            : throw new UpstreamException(NoQuestion);
    }

    private static Task<string> AskClientAsync(Call call, JsonElement question, CancellationToken stop)
    {
        if (question.ValueKind is not JsonValueKind.Object
            || !question.TryGetProperty("method", out var name) || Questions.MethodOf(name) is not { } method)
        {
            throw new UpstreamException(NoQuestion);
        }

        var parameters = question.TryGetProperty("params", out var given) ? given.GetRawText() : "{}";
        return call is { AskClient: { } ask, SessionLine: { } line } && Questions.IsDeclared(line, method)
            ? ask(method, parameters, stop)
            : throw Questions.NotDeclared(method);
    }
}
