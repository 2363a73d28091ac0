using System.Net;
using System.Net.Sockets;

namespace Postern.Platform.Outbound;

/// <summary>Turns a host name into addresses; tests answer like a hostile name server.</summary>
internal delegate Task<IPAddress[]> ResolveHost(string host, CancellationToken stop);

/// <summary>The address of a host is not one we connect to.</summary>
internal sealed class AddressRefusedException(string message) : IOException(message);

/// <summary>
/// Opens connections for the only HTTP stack: resolves once, vets every address, connects to a vetted one and looks
/// at the peer again. It sits in the connection callback, so no redirect, retry or second code path can go around it.
/// </summary>
internal sealed class VettedConnection(AddressRules rules, ResolveHost resolve, TimeProvider clock, Uri? named = null)
{
    private const int MaxAddresses = 32, MaxAttempts = 4;

    private static readonly TimeSpan PerAttempt = TimeSpan.FromSeconds(1);

    public async ValueTask<Stream> OpenAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var isLiteral = IPAddress.TryParse(host, out var literal);
        var addresses = isLiteral ? [literal!] : await resolve(host, stop);
        if (addresses.Length is 0 or > MaxAddresses)
        {
            throw new AddressRefusedException($"the name has {addresses.Length} addresses");
        }

        var isNamed = named is not null && named.IdnHost == host && named.Port == port;
        var isEncrypted = context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttps;
        foreach (var address in addresses)
        {
            if (!(isNamed ? rules.PermitsNamed(address, isLiteral) : rules.PermitsStranger(address, port, isEncrypted)))
            {
                throw new AddressRefusedException($"{address} port {port} is not open to fetches");
            }
        }

        return await ConnectAsync(addresses, port, stop);
    }

    private async Task<Stream> ConnectAsync(IPAddress[] addresses, int port, CancellationToken stop)
    {
        var last = Math.Min(addresses.Length, MaxAttempts) - 1;
        for (var i = 0; i < last; i++)
        {
            using var attempt = new CancellationTokenSource(PerAttempt, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(attempt.Token, stop);
            try
            {
                return await ConnectAsync(addresses[i], port, either.Token);
            }
            catch (Exception problem) when (problem is SocketException || attempt.IsCancellationRequested)
            {
                stop.ThrowIfCancellationRequested();
            }
        }

        return await ConnectAsync(addresses[last], port, stop);
    }

    private static async Task<Stream> ConnectAsync(IPAddress address, int port, CancellationToken stop)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), stop);
            return (socket.RemoteEndPoint as IPEndPoint)?.Address.Equals(address) is true
                ? new NetworkStream(socket, ownsSocket: true)
                : throw new AddressRefusedException("the peer is not the address that was vetted");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
