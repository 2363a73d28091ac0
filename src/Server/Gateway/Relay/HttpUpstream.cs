using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>A server behind Streamable HTTP, of either era.</summary>
internal sealed class HttpUpstream(HttpMessageInvoker http, Uri address, TimeProvider clock) : IUpstream, IDisposable
{
    /// <summary>The longest message a server may send.</summary>
    public const int MaxMessage = 16 * 1024 * 1024;

    private static readonly TimeSpan CancelWithin = TimeSpan.FromSeconds(5);

    // A server may learn the modern revision, so an old answer is asked for again now and then.
    private static readonly TimeSpan LegacyIsBelieved = TimeSpan.FromMinutes(10);

    private readonly HttpRequests requests = new(http, address);
    private readonly SemaphoreSlim probing = new(1);
    private volatile Known? known;

    public ValueTask<Era> EraAsync(CancellationToken stop) =>
        known is { } sure && (sure.Era is Era.Modern || clock.GetUtcNow() < sure.Until)
            ? new(sure.Era)
            : new(ProbeOnceAsync(stop));

    public async Task<Line?> OpenAsync(Line line, CancellationToken stop)
    {
        try
        {
            return await ShakeHandsAsync(line, stop);
        }
        catch (UpstreamException)
        {
            if (await EraAsync(stop) is Era.Modern)
            {
                return null;
            }

            throw;
        }
    }

    private async Task<Line> ShakeHandsAsync(Line line, CancellationToken stop)
    {
        using var hello = Handshake.Initialize(line);
        using var response = await requests.SendAsync(HttpMethod.Post, line with { SessionId = null }, hello, stop);
        using var answer = await HttpAnswer.OpenAsync(response, Outgoing.AnswerWithin, clock, stop);
        var message = await answer.ResponseToAsync(hello, stop);
        var opened = Handshake.Complete(line, message) with { SessionId = SessionOf(response) };
        using var done = Outgoing.Notification(Methods.Initialized);
        await TellAsync(opened, done, stop);
        return opened;
    }

    public async IAsyncEnumerable<Message> AskAsync(
        Line line, Outgoing request, [EnumeratorCancellation] CancellationToken stop)
    {
        var isOver = false;
        try
        {
            using var response = await requests.SendAsync(HttpMethod.Post, line, request, stop);
            using var answer = await OpenAnswerAsync(response, line, request.Patience, stop);
            while (!isOver)
            {
                var message = await NextAsync(answer, request, stop);
                isOver = message.IsResponse;
                yield return message;
            }
        }
        finally
        {
            // Closing the stream tells a modern server; a legacy one must be told in words. Not by a callback of the
            // token: what it cuts may unwind to here before its turn comes, and would take it away.
            if (!isOver && line.Era is Era.Legacy && stop.IsCancellationRequested)
            {
                _ = TryCancelAsync(line, Encoding.UTF8.GetString(request.Id.Span));
            }
        }
    }

    public async Task TellAsync(Line line, Outgoing message, CancellationToken stop)
    {
        using var response = await requests.SendAsync(HttpMethod.Post, line, message, stop);
        if (!response.IsSuccessStatusCode)
        {
            throw HttpAnswer.Refusal(response, line);
        }
    }

    public async IAsyncEnumerable<Message> ListenAsync(Line line, [EnumeratorCancellation] CancellationToken stop)
    {
        using var response = await requests.SendAsync(HttpMethod.Get, line, null, stop);
        if (response.StatusCode is HttpStatusCode.MethodNotAllowed)
        {
            yield break;
        }

        if (response.StatusCode is HttpStatusCode.Conflict)
        {
            throw new UpstreamException(
                RpcError.Upstream("The server holds a stream of this session already, and gives no second.", 409));
        }

        using var answer = await HttpAnswer.OpenAsync(response, Timeout.InfiniteTimeSpan, clock, stop, line);
        while (await answer.NextAsync(stop) is { } message)
        {
            yield return message;
        }
    }

    public async Task CloseAsync(Line line, CancellationToken stop)
    {
        if (line.SessionId is null)
        {
            return;
        }

        using var response = await requests.SendAsync(HttpMethod.Delete, line, null, stop);
    }

    // Those who are still under way hear of it at their next request. The semaphore holds nothing to let go.
    public void Dispose() => http.Dispose();

    private static async ValueTask<Message> NextAsync(HttpAnswer answer, Outgoing request, CancellationToken stop)
    {
        var message = await answer.NextAsync(stop)
            ?? throw new UpstreamException("The server ended the stream before it had answered.");
        return !message.IsResponse || message.RawId.SequenceEqual(request.Id.Span)
            ? message
            : throw new UpstreamException("The server answered another request than the one it was asked.");
    }

    private async Task TryCancelAsync(Line line, string id)
    {
        using var notice = Handshake.Cancel(id);
        using var patience = new CancellationTokenSource(CancelWithin, clock);
        try
        {
            await TellAsync(line, notice, patience.Token);
        }
        catch (Exception failure) when (failure is UpstreamException or OperationCanceledException)
        {
            // It was a courtesy: nobody waits for the answer any more.
        }
    }

    private async Task<HttpAnswer> OpenAnswerAsync(
        HttpResponseMessage response, Line line, TimeSpan patience, CancellationToken stop)
    {
        try
        {
            return await HttpAnswer.OpenAsync(response, patience, clock, stop, line);
        }
        catch (UpstreamException) when (line.Era is Era.Modern)
        {
            // Whatever it speaks now, it is not what it spoke.
            known = null;
            throw;
        }
    }

    private async Task<Era> ProbeOnceAsync(CancellationToken stop)
    {
        await probing.WaitAsync(stop);
        try
        {
            if (known is { } sure && clock.GetUtcNow() < sure.Until)
            {
                return sure.Era;
            }

            var era = await ProbeAsync(stop);
            known = new(era, clock.GetUtcNow() + LegacyIsBelieved);
            return era;
        }
        finally
        {
            probing.Release();
        }
    }

    private async Task<Era> ProbeAsync(CancellationToken stop)
    {
        var line = new Line(Handshake.Nobody);
        using var question = Handshake.Discover(line);
        using var response = await requests.SendAsync(HttpMethod.Post, line, question, stop);
        if ((int)response.StatusCode is 401 or 403 or >= 500)
        {
            throw HttpAnswer.Refusal(response, null);
        }

        try
        {
            using var answer = await HttpAnswer.OpenAsync(response, Outgoing.AnswerWithin, clock, stop);
            return Handshake.EraOf(await answer.ResponseToAsync(question, stop));
        }
        catch (UpstreamException) when (!response.IsSuccessStatusCode)
        {
            // A refusal that is not of the modern protocol: an older server that knows no such request.
            return Era.Legacy;
        }
    }

    private static string? SessionOf(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues(HttpRequests.SessionHeader, out var values))
        {
            return null;
        }

        var id = string.Join(',', values);
        return id.Length is > 0 and <= 1024 && id.All(c => c is >= '!' and <= '~')
            ? id
            : throw new UpstreamException(
                "The server's session identifier is not visible ASCII of at most 1024 characters.");
    }

    private sealed record Known(Era Era, DateTimeOffset Until);
}
