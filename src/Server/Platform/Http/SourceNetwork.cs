using System.Globalization;
using System.Net;

namespace Postern.Platform.Http;

/// <summary>The network a request comes from: what limits count by and entries keep, coarser than a person.</summary>
internal static class SourceNetwork
{
    private const int V6Prefix = 48;

    /// <summary><c>192.0.2.0/24</c> or <c>2001:db8::/48</c>: the least that providers hand to one customer.</summary>
    public static string Of(HttpContext http) => Of(http.Connection.RemoteIpAddress ?? IPAddress.None);

    public static string Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        if (length is 4 || address.IsIPv4MappedToIPv6)
        {
            var v4 = bytes[(length - 4)..length];
            return string.Create(CultureInfo.InvariantCulture, $"{v4[0]}.{v4[1]}.{v4[2]}.0/24");
        }

        bytes[(V6Prefix / 8)..].Clear();
        return new IPNetwork(new(bytes), V6Prefix).ToString();
    }
}
