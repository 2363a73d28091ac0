using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Postern.Tests.Platform;

/// <summary>A web server that misbehaves as told: it gets each request's head and writes what it likes.</summary>
internal sealed class OutboundPeer : IAsyncDisposable
{
    private readonly TcpListener listener;
    private readonly Func<string, Stream, CancellationToken, Task> answer;
    private readonly X509Certificate2? certificate;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentBag<Task> talks = [];
    private readonly Task accepting;
    private int requests;

    public OutboundPeer(
        Func<string, Stream, CancellationToken, Task> answer,
        string address = "127.0.0.1",
        X509Certificate2? certificate = null,
        int port = 0)
    {
        (this.answer, this.certificate) = (answer, certificate);
        listener = new(IPAddress.Parse(address), port);
        listener.Start();
        accepting = AcceptAsync();
    }

    public static OutboundPeer Saying(string head, string body, string address = "127.0.0.1", int port = 0) =>
        new((_, stream, stop) => WriteAsync(stream, head, body, stop), address, port: port);

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public int Connections => talks.Count;

    public int Requests => requests;

    public string At(string path, string host = "127.0.0.1", string scheme = "http") =>
        $"{scheme}://{host}:{Port}{path}";

    public static async Task WriteAsync(Stream stream, string head, string body, CancellationToken stop) =>
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"{head}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"),
            stop);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await accepting;
        listener.Dispose();
        await Task.WhenAll(talks);
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                talks.Add(TalkAsync(await listener.AcceptTcpClientAsync(stop.Token)));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException)
        {
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        try
        {
            using var _ = client;
            await using var stream = await StreamOf(client);
            if (await HeadAsync(stream) is { } head)
            {
                Interlocked.Increment(ref requests);
                await answer(head, stream, stop.Token);
            }
        }
        catch (Exception problem) when (problem is IOException or OperationCanceledException or SocketException
            or System.Security.Authentication.AuthenticationException)
        {
        }
    }

    private async Task<Stream> StreamOf(TcpClient client)
    {
        if (certificate is null)
        {
            return client.GetStream();
        }

        var encrypted = new SslStream(client.GetStream());
        await encrypted.AuthenticateAsServerAsync(certificate);
        return encrypted;
    }

    private async Task<string?> HeadAsync(Stream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[1024];
        while (await stream.ReadAsync(buffer, stop.Token) is > 0 and var read)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, read));
            if (text.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                return text.ToString();
            }
        }

        return null;
    }
}
