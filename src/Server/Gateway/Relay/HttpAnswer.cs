using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>What came back over HTTP: one JSON object, or a stream of them. Redirects and pages are errors.</summary>
internal sealed class HttpAnswer : IDisposable
{
    private readonly PooledBytes? json;
    private readonly SseReader? stream;
    private readonly TimeSpan patience;
    private readonly CancellationTokenSource? watch;
    private readonly CancellationTokenRegistration leaving;
    private bool isRead;

    private HttpAnswer(PooledBytes json) => this.json = json;

    private HttpAnswer(SseReader stream, TimeSpan patience, CancellationTokenSource watch, CancellationToken stop)
    {
        (this.stream, this.patience, this.watch) = (stream, patience, watch);
        leaving = stop.UnsafeRegister(static watch => ((CancellationTokenSource)watch!).Cancel(), watch);
    }

    public static async Task<HttpAnswer> OpenAsync(
        HttpResponseMessage response, TimeSpan patience, TimeProvider clock, CancellationToken stop, Line? line = null)
    {
        var type = response.Content.Headers.ContentType?.MediaType;
        if (response.IsSuccessStatusCode && type is "text/event-stream")
        {
            var reader = new SseReader(await response.Content.ReadAsStreamAsync(stop), HttpUpstream.MaxMessage);
            return new(reader, patience, new(Timeout.InfiniteTimeSpan, clock), stop);
        }

        // An error of the modern protocol comes with the status 400 or 404 and a JSON-RPC body; all else is a refusal.
        var mayBeMessage = type is "application/json"
            && (response.IsSuccessStatusCode || (int)response.StatusCode is 400 or 404);
        if (!mayBeMessage)
        {
            throw Refusal(response, line);
        }

        var body = new PooledBytes((int)Math.Clamp(response.Content.Headers.ContentLength ?? 0, 512, 64 * 1024) + 1);
        try
        {
            await ReadAsync(response, body, new(patience, clock), stop);
            return response.IsSuccessStatusCode || Message.TryReadAnswer(body.Written, out _, out _)
                && !(line is { Era: Era.Legacy } && (int)response.StatusCode is 404)
                ? new(body)
                : throw Refusal(response, line);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public static UpstreamException Refusal(HttpResponseMessage response, Line? line) => (int)response.StatusCode switch
    {
        >= 300 and < 400 =>
            new("The server redirects; a gateway does not follow. Register the address it redirects to."),
        401 or 403 => new("The server asks for credentials of its own, and none are configured."),
        404 when line is { Era: Era.Legacy, SessionId: not null } =>
            new(RpcError.Upstream("The server has ended the session.")) { SessionIsLost = true },
        429 or 503 => new(RpcError.Upstream("The server is overloaded; try again later.", 503)),
        >= 200 and < 300 => new("The server answered with something that is neither JSON nor an event stream."),
        var status => new($"The server answered with HTTP {status}."),
    };

    /// <summary>The next message; null at the end.</summary>
    public async ValueTask<Message?> NextAsync(CancellationToken stop)
    {
        if (stream is null)
        {
            return Interlocked.Exchange(ref isRead, true) ? null : Parse(json!.Written);
        }

        watch!.CancelAfter(patience);
        try
        {
            return await stream.NextAsync(watch.Token) is { } data ? Parse(data) : null;
        }
        catch (Exception failure) when (IsOutage(failure, stop))
        {
            throw Outage(failure);
        }
        finally
        {
            // The client now takes its own time, which is not the server's silence.
            watch.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Reads on to the response of a request; what comes before it is nobody's.</summary>
    public async Task<Message> ResponseToAsync(Outgoing request, CancellationToken stop)
    {
        while (await NextAsync(stop) is { } message)
        {
            if (message.IsResponse
                && (message.RawId.SequenceEqual(request.Id.Span) || message.RawId.SequenceEqual("null"u8)))
            {
                return message;
            }
        }

        throw new UpstreamException("The server ended the stream before it had answered.");
    }

    public void Dispose()
    {
        json?.Dispose();
        stream?.Dispose();
        leaving.Dispose();
        watch?.Dispose();
    }

    private static async Task ReadAsync(
        HttpResponseMessage response, PooledBytes body, CancellationTokenSource limited, CancellationToken stop)
    {
        using var within = limited;
        await using var ending = stop.UnsafeRegister(_ => limited.Cancel(), null);
        try
        {
            await using var content = await response.Content.ReadAsStreamAsync(limited.Token);
            if (!await body.TryFillAsync(content, HttpUpstream.MaxMessage, limited.Token))
            {
                throw new InvalidDataException("Longer than allowed.");
            }
        }
        catch (Exception failure) when (IsOutage(failure, stop))
        {
            throw Outage(failure);
        }
    }

    private static Message Parse(ReadOnlyMemory<byte> bytes) =>
        Message.TryReadAnswer(bytes, out var message, out var error)
            ? message
            : throw new UpstreamException($"The server's answer is no JSON-RPC message. {error.Message}");

    private static bool IsOutage(Exception failure, CancellationToken stop) =>
        failure is InvalidDataException or IOException or HttpRequestException
        || (failure is OperationCanceledException && !stop.IsCancellationRequested);

    private static UpstreamException Outage(Exception failure) => failure switch
    {
        InvalidDataException => new($"The server's answer is longer than {HttpUpstream.MaxMessage / 1024 / 1024} MB."),
        OperationCanceledException =>
            new(RpcError.Upstream("The server fell silent in the middle of its answer.", 504), failure),
        _ => new(RpcError.Upstream("The server broke the connection in the middle of its answer."), failure),
    };
}
