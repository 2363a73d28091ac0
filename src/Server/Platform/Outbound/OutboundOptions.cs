using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

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

    /// <summary>Fetches under way at one time, over all hosts.</summary>
    public int MaxFetches { get; init; } = 256;

    /// <summary>Reads the certificates of the setting.</summary>
    /// <exception cref="SetupException">A file cannot be read or holds none.</exception>
    public static OutboundOptions Read(IReadOnlyList<IPNetwork> allow, IEnumerable<string> trust)
    {
        var authorities = new X509Certificate2Collection();
        foreach (var file in trust)
        {
            authorities.AddRange(AuthoritiesIn(file));
        }

        return new() { Allow = allow, Trust = authorities };
    }

    private static X509Certificate2Collection AuthoritiesIn(string file)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPemFile(file);
        }
        catch (Exception problem) when (problem is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"outbound.trust: `{file}` cannot be read: {problem.Message}");
        }

        return found.Count > 0
            ? found
            : throw new SetupException($"outbound.trust: `{file}` holds no PEM certificate.");
    }
}
