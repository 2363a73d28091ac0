using System.Net;
using System.Net.Sockets;

namespace Postern.Bench.Load;

/// <summary>One kept-alive connection on loopback: a prepared request out, its answer in.</summary>
internal sealed class Connection : IDisposable
{
    private const int MaxAnswer = 256 * 1024;

    private readonly Socket socket;
    private readonly byte[] came = new byte[MaxAnswer], space = new byte[MaxAnswer];

    private Connection(Socket socket) => this.socket = socket;

    public static async Task<Connection> OpenAsync(int port, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), stop);
            return new(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The answer is good until the next request.</summary>
    public async ValueTask<Answer> AskAsync(ReadOnlyMemory<byte> request)
    {
        while (request.Length > 0)
        {
            request = request[await socket.SendAsync(request)..];
        }

        for (var length = 0; length < MaxAnswer;)
        {
            var received = await socket.ReceiveAsync(came.AsMemory(length));
            length += received;
            if (Answer.TryRead(came.AsMemory(0, length), space, out var answer))
            {
                return answer;
            }

            if (received is 0)
            {
                throw new IOException("The connection was closed before the answer was whole.");
            }
        }

        throw new IOException("The answer is longer than anything that is measured.");
    }

    public void Dispose() => socket.Dispose();
}
