using System.Security.Cryptography;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Keys;
using Postern.Platform.Outbound;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;

namespace Postern.Platform;

/// <summary>What the plan of the house needs to know of these rooms.</summary>
internal static class PlatformRooms
{
    public static void Add(IServiceCollection services, Settings settings)
    {
        services.AddRouting();
        services.AddCors(Origins.Configure);
        // It looks for the mark of middleware that is passed by without an origin.
        services.Configure<RouteOptions>(options => options.SuppressCheckForUnhandledSecurityMetadata = true);
        services.Configure<ForwardedHeadersOptions>(forwarded => Listening.Believe(forwarded, settings));
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(25));
        services.AddSingleton(settings);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(RandomNumberGenerator.Create());
        services.AddSingleton<Telemetry>();

        services.AddSingleton(settings.Database);
        services.AddSingleton<SoleUse>();
        services.AddSingleton<Db>();
        services.AddSingleton<Migrations>();
        services.AddSingleton<Changes>();
        services.AddSingleton<Once>();
        services.AddSingleton(given => MasterKey.Load(
            Environment.GetEnvironmentVariable("POSTERN_MASTER_KEY"),
            settings.Data,
            given.GetRequiredService<RandomNumberGenerator>()));
        services.AddSingleton<Sealer>();
        services.AddSingleton<SigningKeyStore>();
        services.AddSingleton<SigningKeys>();
        services.AddSingleton<JwtWriter>();
        services.AddSingleton(OutboundOptions.From(settings));
        services.AddSingleton<SafeHttp>(given => new(
            given.GetRequiredService<OutboundOptions>(),
            given.GetRequiredService<TimeProvider>(),
            given.GetRequiredService<ILogger<SafeHttp>>()));
        services.AddSingleton<TenantStore>();
        services.AddSingleton<TenantBook>();
        services.AddSingleton<SecondAddress>();
        services.AddSingleton<Browser>();
        services.AddSingleton<PageForms>();
    }
}
