using System.Net;

namespace Postern.Platform.Outbound;

/// <summary>The machine's resolver, with a bound on the lookups that are under way.</summary>
internal static class SystemResolver
{
    private static readonly SemaphoreSlim Lookups = new(64);

    public static async Task<IPAddress[]> ResolveAsync(string host, CancellationToken stop)
    {
        await Lookups.WaitAsync(stop);
        var lookup = LookUpAsync(host);
        return await lookup.WaitAsync(stop);
    }

    // Not cancelled: a lookup holds a thread until the name server answers, however long its caller waits, and keeps
    // its place so long. Otherwise slow name servers could collect threads without end.
    private static async Task<IPAddress[]> LookUpAsync(string host)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(host, CancellationToken.None);
        }
        finally
        {
            Lookups.Release();
        }
    }
}
