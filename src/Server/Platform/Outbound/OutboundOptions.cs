using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Platform.Configuration;

namespace Postern.Platform.Outbound;

/// <summary>The setting <c>outbound</c>, and the limits that keep us from becoming somebody's traffic source.</summary>
internal sealed record OutboundOptions
{
    /// <summary>Private ranges that fetches may reach. None by default.</summary>
    public IReadOnlyList<IPNetwork> Allow { get; init; } = [];

    /// <summary>Certificate authorities trusted beside the machine's own.</summary>
    public X509Certificate2Collection Trust { get; init; } = [];

    /// <summary>Fetches a host may receive at once, before <see cref="HostPerSecond"/> holds.</summary>
    public int HostBurst { get; init; } = 30;

    public double HostPerSecond { get; init; } = 2;

    /// <summary>Fetches that one network may cause for strangers at once: less than a host receives.</summary>
    public int NetworkBurst { get; init; } = 10;

    public double NetworkPerSecond { get; init; } = 0.5;

    /// <summary>Fetches under way at one time, over all hosts.</summary>
    public int MaxFetches { get; init; } = 256;

    /// <summary>Beside these, those for strangers; and as many for clients that no operator knows.</summary>
    public int MaxStrangersFetches { get; init; } = 128;

    public static OutboundOptions From(Settings settings) => new()
    {
        Allow = settings.OutboundAllow,
        Trust = [.. settings.OutboundTrust.SelectMany(file => AuthoritiesIn(file))],
    };

    internal static X509Certificate2Collection AuthoritiesIn(string file, string setting = "outbound.trust")
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPemFile(file);
        }
        catch (Exception problem) when (problem is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"`{setting}`: {file} cannot be read: {problem.Message}");
        }

        return found.Count > 0
            ? found
            : throw new SetupException($"`{setting}`: {file} holds no PEM certificate.");
    }
}
