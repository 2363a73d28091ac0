using System.Net;
using System.Net.Sockets;

namespace Postern.Platform.Http;

/// <summary>Where a request comes from, no closer than the log may know: <c>/24</c> or <c>/48</c>.</summary>
internal static class CallerNetwork
{
    /// <summary>The network of the peer, or of what a believed proxy says of it; null when there is none.</summary>
    public static string? Of(HttpContext http) => http.Connection.RemoteIpAddress is { } address ? Prefix(address) : null;

    public static string Prefix(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        var (kept, suffix) = address.AddressFamily is AddressFamily.InterNetwork ? (3, "/24") : (6, "/48");
        bytes[kept..length].Clear();
        return new IPAddress(bytes[..length]) + suffix;
    }
}
