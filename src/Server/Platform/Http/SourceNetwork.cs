using System.Net;
using System.Net.Sockets;

namespace Postern.Platform.Http;

/// <summary>The network a request comes from: what limits count by and entries keep, coarser than a person.</summary>
internal static class SourceNetwork
{
    private const int V4Prefix = 24, V6Prefix = 48;

    /// <summary><c>192.0.2.0/24</c> or <c>2001:db8::/48</c>: the least that providers hand to one customer.</summary>
    public static string Of(HttpContext http) => Of(http.Connection.RemoteIpAddress ?? IPAddress.None);

    public static string Of(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        var bytes = plain.GetAddressBytes();
        var prefix = plain.AddressFamily is AddressFamily.InterNetwork ? V4Prefix : V6Prefix;
        bytes.AsSpan(prefix / 8).Clear();
        return new IPNetwork(new(bytes), prefix).ToString();
    }
}
