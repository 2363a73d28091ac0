using Postern.Hosting.Processes;
using Postern.Hosting.Sandbox;
using Postern.Platform.Configuration;

namespace Postern.Hosting;

/// <summary>What the program must know of this room.</summary>
internal static class HostingRoom
{
    /// <param name="services">Where it is registered.</param>
    /// <param name="configuration">The configuration file, hidden from every command.</param>
    public static void Add(IServiceCollection services, string configuration)
    {
        services.AddSingleton(all => HostingOptions.From(all.GetRequiredService<Settings>(), configuration));
        services.AddSingleton<Sandboxes>();
        services.AddSingleton<HostedServers>();
        services.AddHostedService(all => all.GetRequiredService<HostedServers>());
    }
}
