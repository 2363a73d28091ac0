using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Cli.Try;

/// <summary>
/// Where the browser brings the answer (RFC 8252 §7.3): a port of this machine's loopback, open for one answer. Who
/// else on the machine knocks is not believed: the answer must carry our state. Before that, it is where a browser
/// takes over from this program.
/// </summary>
internal sealed class LoopbackCallback : IDisposable
{
    private const string Path = "/callback";
    private const int MaxRequest = 16 * 1024, MaxKnocks = 100;

    private static readonly TimeSpan PerRequest = TimeSpan.FromSeconds(5);

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);

    // Cookies do not know ports: what is set here is sent to the private server, on the same address.
    private readonly string handOver = $"/{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))}";
    private string? taken;

    public LoopbackCallback()
    {
        listener.Start();
        Address = new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}{Path}");
    }

    public Uri Address { get; }

    /// <summary>An address at which a browser becomes the one that is signed in, and goes on to a page.</summary>
    public Uri HandOver(Uri page, IEnumerable<Cookie> cookies)
    {
        var headers = cookies.Select(cookie => $"Set-Cookie: {cookie}; Path=/; HttpOnly; SameSite=Lax\r\n");
        taken = Answer("303 See Other", "", $"Location: {page.AbsoluteUri}\r\n{string.Concat(headers)}");
        return new(Address, handOver);
    }

    /// <summary>The address the browser came to, with the answer in its query.</summary>
    public async Task<Uri> WaitAsync(TimeSpan patience, CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(patience);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            for (var knock = 0; knock < MaxKnocks; knock++)
            {
                using var socket = await listener.AcceptTcpClientAsync(either.Token);
                if (await AnswerAsync(socket, either.Token) is { } answer)
                {
                    return answer;
                }
            }

            throw new RefusalException("Too many others knocked at the callback.");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new RefusalException($"Nobody has answered within {patience.TotalMinutes} minutes. Run postern "
                + "try again, or with --headless.");
        }
    }

    public void Dispose() => listener.Dispose();

    private async Task<Uri?> AnswerAsync(TcpClient socket, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(PerRequest);
        try
        {
            await using var stream = socket.GetStream();
            var target = await TargetAsync(stream, deadline.Token);
            var isAnswer = target?.StartsWith(Path + "?", StringComparison.Ordinal) is true;
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Reply(target, isAnswer)), deadline.Token);
            return isAnswer && Uri.TryCreate(Address, target, out var answer) ? answer : null;
        }
        catch (Exception gone) when (
            gone is IOException || (gone is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return null;
        }
    }

    // "GET /callback?… HTTP/1.1", and the headers up to the empty line, which say nothing of interest.
    private static async Task<string?> TargetAsync(NetworkStream stream, CancellationToken stop)
    {
        var buffer = new byte[MaxRequest];
        var length = 0;
        while (length < buffer.Length && !buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), stop);
            if (read is 0)
            {
                return null;
            }

            length += read;
        }

        var line = Encoding.ASCII.GetString(buffer, 0, length).Split("\r\n")[0];
        return line.Split(' ') is ["GET", var target, "HTTP/1.1"] ? target : null;
    }

    private string Reply(string? target, bool isAnswer) => isAnswer
        ? Answer("200 OK", "The answer is with <code>postern try</code>. You can close this page.")
        : (target == handOver ? taken : null) ?? Answer("404 Not Found", "There is nothing here.");

    private static string Answer(string status, string words, string headers = "")
    {
        var page = $"<!doctype html><html lang=\"en\"><title>Postern</title><p>{words}";
        return $"HTTP/1.1 {status}\r\n{headers}Content-Type: text/html\r\nContent-Length: {page.Length}\r\n"
            + $"Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{page}";
    }
}
