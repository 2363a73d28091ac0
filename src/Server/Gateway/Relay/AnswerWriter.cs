using System.Buffers;
using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// Writes to a client, as JSON or as a stream. The first message decides: a response that comes at once is JSON with
/// the status its code asks for; anything else opens a stream, and the status is 200 from then on.
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
            var isRefusal = era is Era.Modern && message.IsError;
            Begin("application/json", isRefusal ? RpcError.StatusOf(message.ErrorCode) : 200);
            response.ContentLength = edits.LengthOf(message.Bytes.Span);
            edits.WriteTo(message.Bytes.Span, response.BodyWriter);
        }
        else
        {
            Open();
            WriteEvent(message.Bytes.Span, edits);
        }

        await response.BodyWriter.FlushAsync(stop);
    }

    /// <summary>
    /// Writes a message that the gateway made and that is no answer. What came from a server in it is cleaned like all
    /// else, and becomes one line.
    /// </summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> json, CancellationToken stop)
    {
        Open();
        var edits = new Edits();
        HiddenText.Strip(json.Span, edits);
        WriteEvent(json.Span, edits);
        await response.BodyWriter.FlushAsync(stop);
    }

    /// <summary>Answers with a result of the gateway's own, cleaned likewise.</summary>
    public ValueTask WriteAsync(ReadOnlySpan<byte> result, ReadOnlySpan<byte> id, CancellationToken stop)
    {
        byte[] json = [.. "{\"jsonrpc\":\"2.0\",\"id\":"u8, .. id, .. ",\"result\":"u8, .. result, (byte)'}'];
        if (!Message.TryReadAnswer(json, out var answer, out var error))
        {
            return WriteAsync(error, id, stop);
        }

        var edits = new Edits();
        HiddenText.Strip(json, edits);
        return WriteAsync(answer, edits, stop);
    }

    public ValueTask WriteAsync(RpcError error, ReadOnlySpan<byte> id, CancellationToken stop) =>
        WriteOwnAsync(error.ToJson(id), era is Era.Legacy && error.Status is 404 ? 200 : error.Status, stop);
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
            // A cache may keep a 404 or a 405 unless it is told not to, and this one depends on who asks.
            response.Headers.CacheControl = "no-store";
        }
    }

    private async ValueTask WriteOwnAsync(byte[] json, int status, CancellationToken stop)
    {
        if (IsStreaming)
        {
            WriteEvent(json, new());
        }
        else
        {
            Begin("application/json", status);
            response.ContentLength = json.Length;
            response.BodyWriter.Write(json);
        }

        await response.BodyWriter.FlushAsync(stop);
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

    private void WriteEvent(ReadOnlySpan<byte> json, Edits edits)
    {
        response.BodyWriter.Write("event: message\ndata: "u8);
        edits.WriteTo(json, response.BodyWriter);
        response.BodyWriter.Write("\n\n"u8);
    }

    private void Begin(string type, int status)
    {
        response.StatusCode = status;
        response.ContentType = type;
        response.Headers.CacheControl = "no-store";
    }
}
