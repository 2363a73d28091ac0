using System.Collections.Concurrent;
using System.Text;

namespace Postern.Bench.Load;

/// <summary>
/// What one connection says, and what it makes of the answers. Any answer but the expected ends the measurement.
/// </summary>
internal abstract class Script
{
    /// <summary>The status of a good answer.</summary>
    public int Expected { get; init; } = 200;

    /// <summary>The next request; empty when there is nothing more to say.</summary>
    public abstract ReadOnlyMemory<byte> Next();

    public virtual void Hear(Answer answer)
    {
        if (answer.Status != Expected)
        {
            throw new InvalidOperationException($"Expected {Expected}, came {answer}");
        }
    }

    public static byte[] Post(string path, int port, string type, string body, params IEnumerable<string> headers) =>
        Encoding.UTF8.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {type}\r\n"
            + string.Concat(headers.Select(header => header + "\r\n"))
            + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    public static byte[] Form(string path, int port, string body, params IEnumerable<string> headers) =>
        Post(path, port, "application/x-www-form-urlencoded", body, headers);
}

/// <summary>The same request again and again.</summary>
internal sealed class Repeated(byte[] request) : Script
{
    public override ReadOnlyMemory<byte> Next() => request;
}

/// <summary>Requests that are good once, shared by all connections.</summary>
internal sealed class Taken(ConcurrentQueue<byte[]> requests) : Script
{
    public override ReadOnlyMemory<byte> Next() => requests.TryDequeue(out var request) ? request : default;
}

/// <summary>Each answer holds the refresh token of the next request.</summary>
internal sealed class Rotating(Func<string, byte[]> request, string token) : Script
{
    public string Token { get; private set; } = token;

    public override ReadOnlyMemory<byte> Next() => request(Token);

    public override void Hear(Answer answer)
    {
        base.Hear(answer);
        Token = Tokens.Refresh(answer.Body.Span);
    }
}
