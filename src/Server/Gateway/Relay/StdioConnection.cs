using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Postern.Gateway.Inspect;
using Postern.Hosting.Processes;

namespace Postern.Gateway.Relay;

/// <summary>
/// The two pipes of one process, divided among many requests. Each request is known by an identifier of the gateway's,
/// which is its progress token too; what belongs to none of them reaches only those who listen.
/// </summary>
internal sealed class StdioConnection
{
    // Messages a slow client may be behind. Beyond, those that are no response are dropped: one must not stop all.
    private const int Behind = 64;

    private readonly HostedProcess process;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<string, Channel<Message>> waiting = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Channel<Message>, bool> listening = new();
    private readonly Lock greeting = new();
    private Task<Line>? greeted;
    private volatile UpstreamException? end;

    public StdioConnection(HostedProcess process, TimeProvider clock)
    {
        (this.process, this.clock) = (process, clock);
        _ = ReadAsync();
    }

    /// <summary>What was agreed with the process, once <see cref="GreetAsync"/> is through.</summary>
    public Line Agreed => greeted!.Result;

    /// <summary>Shakes hands, once in the life of the process, and declares nothing: it speaks for everybody.</summary>
    public Task GreetAsync(Era? known)
    {
        lock (greeting)
        {
            return greeted ??= GreetOrStopAsync(known);
        }
    }

    public async IAsyncEnumerable<Message> AskAsync(Outgoing request, [EnumeratorCancellation] CancellationToken stop)
    {
        using var use = process.Use();
        var id = Encoding.UTF8.GetString(request.Id.Span);
        var answers = waiting[id] = Channel.CreateUnbounded<Message>();
        try
        {
            await TellAsync(request, stop);
            while (await NextAsync(answers.Reader, request.Patience, stop))
            {
                while (answers.Reader.TryRead(out var message))
                {
                    yield return message;
                }
            }
        }
        finally
        {
            if (waiting.TryRemove(id, out _) && end is null)
            {
                _ = TryCancelAsync(id);
            }
        }
    }

    public async IAsyncEnumerable<Message> ListenAsync([EnumeratorCancellation] CancellationToken stop)
    {
        using var use = process.Use();
        var heard = Channel.CreateBounded<Message>(
            new BoundedChannelOptions(Behind) { FullMode = BoundedChannelFullMode.DropWrite });
        listening[heard] = true;
        try
        {
            await foreach (var message in heard.Reader.ReadAllAsync(stop))
            {
                yield return message;
            }
        }
        finally
        {
            listening.TryRemove(heard, out _);
        }
    }

    public async Task TellAsync(Outgoing message, CancellationToken stop)
    {
        try
        {
            await process.WriteLineAsync(message.Body, stop);
        }
        catch (IOException failure)
        {
            throw end ?? new UpstreamException(RpcError.Upstream("The server takes no more requests."), failure);
        }
    }

    private async ValueTask<bool> NextAsync(ChannelReader<Message> answers, TimeSpan patience, CancellationToken stop)
    {
        try
        {
            return await answers.WaitToReadAsync(stop).AsTask().WaitAsync(patience, clock, stop);
        }
        catch (TimeoutException failure)
        {
            throw new UpstreamException(RpcError.Upstream("The server did not answer in time.", 504), failure);
        }
    }

    // One that never gets through the handshake would fail every call of its life.
    private async Task<Line> GreetOrStopAsync(Era? known)
    {
        try
        {
            return await new StdioHandshake(this, clock).OpenAsync(known);
        }
        catch (UpstreamException)
        {
            _ = process.StopAsync("It did not complete the handshake.");
            throw;
        }
    }

    /// <summary>The answer to a request, when nothing that comes before it matters.</summary>
    public async Task<Message> ResponseAsync(Outgoing request, CancellationToken stop)
    {
        await foreach (var message in AskAsync(request, stop))
        {
            if (message.IsResponse)
            {
                return message;
            }
        }

        throw end ?? new UpstreamException("The server ended before it had answered.");
    }

    private async Task ReadAsync()
    {
        await foreach (var line in process.Lines.ReadAllAsync())
        {
            if (Message.TryReadAnswer(line, out var message, out var error))
            {
                await DeliverAsync(message);
            }
            else if (waiting.TryGetValue(Encoding.UTF8.GetString(message.RawId), out var asked))
            {
                // What cannot be read is still an answer: whoever asked would wait for no other.
                asked.Writer.TryComplete(new UpstreamException(
                    $"The server's answer is no JSON-RPC message. {error.Message}"));
            }
        }

        var ended = await process.Exited;
        end = new($"The server's process ended before it had answered. {ended.Reason}");
        foreach (var (_, answers) in waiting)
        {
            answers.Writer.TryComplete(end);
        }

        foreach (var (heard, _) in listening)
        {
            heard.Writer.TryComplete();
        }
    }

    private ValueTask DeliverAsync(Message message)
    {
        if (message.IsRequest)
        {
            return new(RefuseAsync(message));
        }

        if (message.IsResponse)
        {
            if (waiting.TryRemove(Encoding.UTF8.GetString(message.RawId), out var asked))
            {
                asked.Writer.TryWrite(message);
                asked.Writer.TryComplete();
            }

            return default;
        }

        if (OwnerOf(message) is { } owner)
        {
            _ = owner.Reader.Count < Behind && owner.Writer.TryWrite(message);
        }
        else if (message.Method.EndsWith("/list_changed", StringComparison.Ordinal))
        {
            foreach (var (heard, _) in listening)
            {
                heard.Writer.TryWrite(message);
            }
        }

        return default;
    }

    // A log message names no request: it is passed on only when there is no doubt whose it is.
    private Channel<Message>? OwnerOf(Message message)
    {
        var token = message.At("params"u8, "progressToken"u8);
        var subscription = message.Meta("io.modelcontextprotocol/subscriptionId"u8);
        var key = message.Method is Methods.Progress ? token : subscription;
        if (!key.IsMissing)
        {
            return waiting.GetValueOrDefault(Encoding.UTF8.GetString(message.Raw(key)));
        }

        return message.Method is Methods.LogMessage && waiting.Count is 1 ? waiting.Values.FirstOrDefault() : null;
    }

    // It was told that nobody here can be asked.
    private async Task RefuseAsync(Message question)
    {
        using var refusal = Questions.Refusal(question);
        await TryTellAsync(refusal);
    }

    private async Task TryCancelAsync(string id)
    {
        using var notice = Handshake.Cancel(id);
        await TryTellAsync(notice);
    }

    private async Task TryTellAsync(Outgoing message)
    {
        try
        {
            await TellAsync(message, CancellationToken.None);
        }
        catch (UpstreamException)
        {
            // The process is ending, which its readers hear by themselves.
        }
    }
}
