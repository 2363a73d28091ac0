using System.Net;
using System.Net.Sockets;

namespace Postern.Platform.Outbound;

/// <summary>Which addresses may be connected to: public ones (RFC 6890), and what the operator allowed.</summary>
internal sealed class AddressRules(IReadOnlyList<IPNetwork> allow)
{
    private static readonly IPNetwork[] Special4 = Networks(
        "0.0.0.0/8", // this network; Linux connects 0.0.0.0 to loopback
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // private
        "100.64.0.0/10", // carrier-grade NAT
        "127.0.0.0/8", "169.254.0.0/16", // loopback, link-local and cloud metadata
        "168.63.129.16/32", // public by number, but every Azure machine reaches its host there
        "192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", // protocol assignments, AS112, AMT
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", // documentation
        "192.88.99.0/24", // 6to4 relays
        "198.18.0.0/15", // benchmarking
        "224.0.0.0/4", "240.0.0.0/4"); // multicast, reserved and broadcast

    // Outside is special: unspecified, loopback, mapped, compatible, NAT64, unique local, link-local, multicast.
    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] Special6 = Networks(
        "2001::/23", // protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32", "3fff::/20", // documentation
        "2002::/16", // 6to4
        "2620:4f:8000::/48"); // AS112

    // Where a name that the operator wrote into the configuration may live. Link-local is missing on purpose:
    // whoever owns that name's DNS must not be able to turn it into the cloud metadata address.
    private static readonly IPNetwork[] Homes = Networks(
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7");

    /// <summary>The operator opened this address: any port, and plain http too.</summary>
    public bool IsAllowed(IPAddress address) => IsIn(allow, address);

    /// <summary>Where an outsider may send us: public addresses, encrypted, on the port of https.</summary>
    public bool PermitsStranger(IPAddress address, int port, bool isEncrypted) =>
        IsAllowed(address) || (isEncrypted && port is 443 && !IsSpecial(address));

    /// <summary>Where a server may be whose URL the operator wrote: at home too, or at the address written.</summary>
    public bool PermitsNamed(IPAddress address, bool isLiteral) =>
        isLiteral || IsAllowed(address) || IsIn(Homes, address) || !IsSpecial(address);

    public static bool IsSpecial(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => IsIn(Special4, address),
        AddressFamily.InterNetworkV6 =>
            address.ScopeId is not 0 || !IsIn([Global6], address) || IsIn(Special6, address),
        _ => true,
    };

    // An IPv4-mapped address is in no range: IPNetwork errs about them (2000::/3 "contains" ::ffff:10.0.0.1).
    private static bool IsIn(IReadOnlyList<IPNetwork> networks, IPAddress address) =>
        !address.IsIPv4MappedToIPv6 && networks.Any(network => network.Contains(address));

    private static IPNetwork[] Networks(params string[] texts) =>
        Array.ConvertAll(texts, text => IPNetwork.Parse(text));
}
