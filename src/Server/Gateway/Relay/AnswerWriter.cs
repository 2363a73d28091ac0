using System.Buffers;
using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// Writes to a client, as JSON or as a stream. The first message decides: a response that comes at once is JSON with the
/// status its code asks for; anything else opens a stream, and the status is 200 from then on.
/// </summary>
internal sealed class AnswerWriter(HttpResponse response, Era era)
{
    /// <summary>How often a stream without messages gives a sign of life to what stands between.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(15);

    public Era Era => era;

    public bool IsStreaming { get; private set; }

    /// <summary>Passes on a message of a server. Waits until the client has taken it.</summary>
    public async ValueTask WriteAsync(Message message, Edits edits, CancellationToken stop)
    {
        if (message.IsResponse && !IsStreaming)
        {
            Begin("application/json", era is Era.Modern && message.IsError ? RpcError.StatusOf(message.ErrorCode) : 200);
            response.ContentLength = edits.LengthOf(message.Bytes.Span);
            edits.WriteTo(message.Bytes.Span, response.BodyWriter);
        }
        else
        {
            Open();
            response.BodyWriter.Write("event: message\ndata: "u8);
            edits.WriteTo(message.Bytes.Span, response.BodyWriter);
            response.BodyWriter.Write("\n\n"u8);
        }

        await response.BodyWriter.FlushAsync(stop);
    }

    /// <summary>Writes a message of the gateway's own.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> json, int status, CancellationToken stop)
    {
        if (IsStreaming)
        {
            response.BodyWriter.Write("event: message\ndata: "u8);
            response.BodyWriter.Write(json.Span);
            response.BodyWriter.Write("\n\n"u8);
        }
        else
        {
            Begin("application/json", status);
            response.ContentLength = json.Length;
            response.BodyWriter.Write(json.Span);
        }

        await response.BodyWriter.FlushAsync(stop);
    }

    public ValueTask WriteAsync(RpcError error, ReadOnlySpan<byte> id, CancellationToken stop) =>
        WriteAsync(error.ToJson(id), era is Era.Legacy && error.Status is 404 ? 200 : error.Status, stop);

    /// <summary>Writes a message that is no answer: it opens the stream.</summary>
    public ValueTask SendAsync(ReadOnlyMemory<byte> json, CancellationToken stop)
    {
        Open();
        return WriteAsync(json, StatusCodes.Status200OK, stop);
    }

    /// <summary>Opens the stream if it is not open, and says nothing in it.</summary>
    public async ValueTask BeatAsync(CancellationToken stop)
    {
        Open();
        response.BodyWriter.Write(": still here\n\n"u8);
        await response.BodyWriter.FlushAsync(stop);
    }

    /// <summary>Answers with a status alone; in a stream, whose status has gone, with nothing.</summary>
    public void Close(int status)
    {
        if (!IsStreaming)
        {
            response.StatusCode = status;
        }
    }

    private void Open()
    {
        if (!IsStreaming)
        {
            Begin("text/event-stream", 200);
            response.Headers["X-Accel-Buffering"] = "no";
            IsStreaming = true;
        }
    }

    private void Begin(string type, int status)
    {
        response.StatusCode = status;
        response.ContentType = type;
        response.Headers.CacheControl = "no-store";
    }
}
