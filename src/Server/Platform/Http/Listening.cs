using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Postern.Platform.Configuration;

namespace Postern.Platform.Http;

/// <summary>Where requests come in, how large they may be, and whose word counts for where they came from.</summary>
internal static class Listening
{
    public static void On(KestrelServerOptions kestrel, Settings settings)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestLineSize = 16 * 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = 48 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        kestrel.Limits.MaxRequestBodySize = 4 * 1024 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        At(kestrel, "listen", settings.Listen, settings.Tls, settings.Tls is { AsksClients: true, Clients: null });
        if (settings.Tls?.Clients is { } clients)
        {
            At(kestrel, "tls.clients_listen", clients, settings.Tls, asksClients: true);
        }
    }

    private static void At(KestrelServerOptions kestrel, string setting, Uri at, TlsSeed? tls, bool asksClients)
    {
        if (at.Host is "localhost")
        {
            kestrel.ListenLocalhost(at.Port, Secure);
        }
        else if (IPAddress.TryParse(at.DnsSafeHost, out var address))
        {
            kestrel.Listen(address, at.Port, Secure);
        }
        else
        {
            throw new SetupException($"`{setting}` is {at}; name an address of this machine, or localhost.");
        }

        void Secure(ListenOptions listen)
        {
            if (tls is not null)
            {
                TlsListening.On(listen, tls, asksClients);
            }
        }
    }

    // Only the caller's address is taken from a proxy, never scheme or host: addresses of ours come from the
    // configuration.
    public static void Believe(ForwardedHeadersOptions forwarded, Settings settings)
    {
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        // Back through as many proxies as are known: the first address that is none of theirs is the caller's.
        forwarded.ForwardLimit = null;
        forwarded.ForwardedHeaders = settings.Proxies.Count > 0
            ? ForwardedHeaders.XForwardedFor
            : ForwardedHeaders.None;
        foreach (var network in settings.Proxies)
        {
            forwarded.KnownIPNetworks.Add(network);
        }
    }
}
