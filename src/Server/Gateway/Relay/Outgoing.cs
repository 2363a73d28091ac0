using System.Buffers.Text;
using System.Text;
using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// A message on its way to a server. Its identifier is ours and never used twice in this process: no two clients that
/// count from one can be given each other's answers.
/// </summary>
internal sealed class Outgoing : IDisposable
{
    /// <summary>How long a server may be silent before it counts as gone.</summary>
    public static readonly TimeSpan AnswerWithin = TimeSpan.FromMinutes(5);

    private static long last;

    private readonly PooledBytes body;

    private Outgoing(PooledBytes body) => this.body = body;

    public ReadOnlyMemory<byte> Body => body.Written;

    public required string Method { get; init; }

    /// <summary>The tool, prompt, resource or task that is meant.</summary>
    public string? Name { get; init; }

    /// <summary>The identifier as it stands in the message; empty for what expects no response.</summary>
    public ReadOnlyMemory<byte> Id { get; init; }

    /// <summary>
    /// How long the server may be silent over it: a stream of notifications is for as long as the client's.
    /// </summary>
    public TimeSpan Patience => Method is Methods.Listen ? Timeout.InfiniteTimeSpan : AnswerWithin;

    /// <summary>Further headers, each from the allow-list or made from the body.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>An identifier of our own.</summary>
    public static byte[] NewId()
    {
        Span<byte> text = stackalloc byte[20];
        Utf8Formatter.TryFormat(Interlocked.Increment(ref last), text, out var length);
        return text[..length].ToArray();
    }

    /// <summary>A client's message, with what must read differently.</summary>
    public static Outgoing Of(
        Message message, Edits edits, ReadOnlyMemory<byte> id, IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        var bytes = new PooledBytes(message.Bytes.Length + 256);
        edits.WriteTo(message.Bytes.Span, bytes);
        return new(bytes)
        {
            Method = message.Method,
            Name = message.Text(Agreement.NamePart(message)),
            Id = id,
            Headers = headers,
        };
    }

    /// <summary>A request of the gateway's own.</summary>
    public static Outgoing Request(string method, string parameters)
    {
        var id = NewId();
        var text = Encoding.UTF8.GetString(id);
        return Written(
            method, $"{{\"jsonrpc\":\"2.0\",\"id\":{text},\"method\":\"{method}\",\"params\":{parameters}}}", id);
    }

    /// <summary>A notification of the gateway's own.</summary>
    public static Outgoing Notification(string method, string parameters = "{}") =>
        Written(method, $"{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{parameters}}}", default);

    /// <summary>The gateway's answer to what a server asked.</summary>
    public static Outgoing Response(ReadOnlySpan<byte> json) => Written("", Encoding.UTF8.GetString(json), default);

    public void Dispose() => body.Dispose();

    private static Outgoing Written(string method, string json, ReadOnlyMemory<byte> id)
    {
        var bytes = new PooledBytes(json.Length + 16);
        var text = bytes.GetSpan(Encoding.UTF8.GetMaxByteCount(json.Length));
        var length = Encoding.UTF8.GetBytes(json, text);

        // A client's own words may be in it, written over several lines; a pipe is framed by lines.
        text[..length].Replace((byte)'\n', (byte)' ');
        text[..length].Replace((byte)'\r', (byte)' ');
        bytes.Advance(length);
        return new(bytes) { Method = method, Id = id };
    }
}
