using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// Hands a client what its server says, in the client's words, and shows it that the call is alive while the server
/// thinks. The next message is read only when the client has taken the one before.
/// </summary>
internal sealed class Delivery(
    Catalogues catalogues, TaskOwners tasks, RequestStates states, TimeProvider clock)
{
    // What takes longer is watched, and cut when the grant ends.
    private static readonly TimeSpan Lasting = TimeSpan.FromSeconds(1);

    /// <summary>Waits for the server's next message; false when there is none.</summary>
    public async ValueTask<bool> NextAsync(IAsyncEnumerator<Message> messages, Action? lasts, AnswerWriter writer)
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

    /// <summary>Passes a message on if the client is to see it.</summary>
    public async ValueTask PassAsync(Exchange exchange, Message message, CancellationToken stop)
    {
        var call = exchange.Call;
        if (message.IsResponse)
        {
            // Before the client has it, and asks for the task.
            tasks.Notice(call.Server, call.Caller, message);
        }

        if (message.IsResponse || message.IsRequest
            || Translation.Passes(message, call.Request, call.Era, exchange.Line.Era))
        {
            await exchange.Writer.WriteAsync(message, Edited(call, message), stop);
        }
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
            ToolList.Filter(message, call, edits);
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

    private async ValueTask<bool> IsThereAsync(Task waiting, TimeSpan within)
    {
        await waiting.WaitAsync(within, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return waiting.IsCompleted;
    }
}
