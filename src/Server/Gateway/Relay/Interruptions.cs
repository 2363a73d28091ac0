using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// Calls at legacy servers that may ask a modern client before they answer. Such a call is begun, or taken up again
/// with the client's answer; when the server asks, it is parked and the client is given the question.
/// </summary>
internal sealed class Interruptions(Questions questions, Delivery delivery)
{
    /// <summary>True when the answer was a result, be it one that asks, and no error.</summary>
    public async Task<bool> RunAsync(Exchange exchange, CancellationToken stop)
    {
        var call = exchange.Call;
        var (open, error) = exchange.State.IsEmpty
            ? (await OpenCall.BeginAsync(call, exchange.Upstream, exchange.Line, stop), null)
            : await questions.AnswerAsync(call, exchange.State, stop);
        if (open is null)
        {
            await exchange.Writer.WriteAsync(error!, call.Request.RawId, stop);
            return false;
        }

        byte[]? question = null;
        try
        {
            await using var leaving = stop.UnsafeRegister(_ => _ = open.StopAsync(), null);
            if (await AnswerOrQuestionAsync(exchange, open, stop) is { } isResult)
            {
                return isResult;
            }

            question = questions.Park(open, call);
        }
        finally
        {
            await (question is null ? open.DisposeAsync() : default);
        }

        await exchange.Writer.WriteAsync(question, call.Request.RawId, stop);
        return true;
    }

    // Null when the server has asked first.
    private async Task<bool?> AnswerOrQuestionAsync(Exchange exchange, OpenCall open, CancellationToken stop)
    {
        while (open.Question is null && await delivery.NextAsync(open.Messages, exchange.Call.Lasts, exchange.Writer))
        {
            var message = open.Messages.Current;
            if (message.IsRequest)
            {
                await HearAsync(open, message, stop);
                continue;
            }

            await delivery.PassAsync(exchange, message, stop);
            if (message.IsResponse)
            {
                open.IsOver = true;
                return !message.IsError;
            }
        }

        return open.Question is null ? throw new UpstreamException("The server ended before it had answered.") : null;
    }

    private static async Task HearAsync(OpenCall open, Message question, CancellationToken stop)
    {
        if (Questions.IsDeclared(open.Line, question.Method))
        {
            open.Asks(question);
            return;
        }

        await Questions.RefuseAsync(open.Upstream, open.Line, question, stop);
    }
}
