using System.Net.Sockets;
using Postern;
using Postern.Api;
using Postern.Approvals;
using Postern.Audit;
using Postern.Cli;
using Postern.Console;
using Postern.Gateway;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Hosting;
using Postern.Identity;
using Postern.Identity.Sessions;
using Postern.Identity.Setup;
using Postern.OAuth;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Feed;
using Postern.OAuth.Logout;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Keys;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;
using Postern.Policy;
using Postern.Servers;

// The server and the verbs that speak to one meet in this line and nowhere else.
return args is ["serve", .. var settings] and not [_, "--help" or "-h" or "-?"]
    ? await Program.ServeAsync(settings)
    : await CommandLine.RunAsync(args);

/// <summary>The plan of the house: every room registered, every door mapped, in reading order.</summary>
internal static partial class Program
{
    public static WebApplication Build(IReadOnlyList<string> args, Action<IServiceCollection>? replace = null)
    {
        var settings = SettingsReader.Read(ServeArguments.Open(args));
        PrivateFolder.Make(settings.Data);
        // Empty: the other builders read appsettings.json where they are started, a second configuration beside ours,
        // and watch that folder for changes, of which a database in it makes some at every commit.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listening.On(kestrel, settings));
        // A request goes on where its bytes arrived, on a thread of the pool; the next one there does not wait for it.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        Logs.Configure(builder.Logging, settings);
        Register(builder.Services, settings);
        replace?.Invoke(builder.Services);

        var app = builder.Build();
        _ = app.Services.GetRequiredService<MasterKey>();
        _ = app.Services.GetRequiredService<SoleUse>();
        _ = app.Services.GetRequiredService<Telemetry>();
        _ = app.Services.GetRequiredService<HolderProofs>();
        // Reads the clients of the configuration: one that contradicts itself stops the start, not the first request.
        _ = app.Services.GetRequiredService<ClientBook>();
        _ = app.Services.GetRequiredService<ClientCertificates>();
        _ = app.Services.GetRequiredService<SpiffeBundles>();
        _ = app.Services.GetRequiredService<TrustedIssuers>();
        _ = app.Services.GetRequiredService<RevocationFeed>();
        Map(app);
        return app;
    }

    private static void Register(IServiceCollection services, Settings settings)
    {
        PlatformRooms.Add(services, settings);
        RegisterGround(services);
        IdentityRooms.Add(services);
        ApprovalsRoom.Add(services);
        OAuthRooms.Add(services);
        // What runs in the background starts in this order.
        services.AddHostedService<Opening>();
        services.AddHostedService(provider => provider.GetRequiredService<LogoutSender>());
        HostingRoom.Add(services, settings.File);
        GatewayRoom.Add(services);
        ConsoleRooms.Add(services);
        ApiRoom.Add(services);
    }

    private static void Map(WebApplication app)
    {
        app.UseMiddleware<Failures>();
        app.UseMiddleware<CertificateHeader>();
        app.UseForwardedHeaders();
        app.UseMiddleware<TenantPlace>();
        app.UseMiddleware<HostGuard>();
        app.UseMiddleware<StrictTransport>();
        app.UseRouting();
        app.UseMiddleware<ExactPath>();
        app.UseMiddleware<SecondDoors>();
        app.UseMiddleware<SessionMiddleware>();
        app.UseWhen(Origins.AreNamed, pages => pages.UseCors());
        app.UseMiddleware<Missing>();
        app.UseMiddleware<Doorkeeper>();

        Probes.Map(app);
        AssetEndpoint.Map(app);
        OAuthRooms.Map(app);
        IdentityRooms.Map(app);
        GatewayRoom.Map(app);
        ConsoleRooms.Map(app);
        ApiRoom.Map(app);

        app.RequireDoors();
    }

    // What every token and every call stands on.
    private static void RegisterGround(IServiceCollection services)
    {
        services.AddSingleton<AuditSubjects>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<RecentCalls>();
        services.AddSingleton<GrantStore>();
        services.AddSingleton<GrantLists>();
        services.AddSingleton<GrantBook>();
        services.AddSingleton<AgentStore>();
        services.AddSingleton<AgentBook>();
        services.AddSingleton<Organizations>();
        services.AddSingleton<SwitchStore>();
        services.AddSingleton<Switches>();
        services.AddSingleton<Ledger>();
        services.AddSingleton<RefreshTokens>();
        services.AddSingleton<Families>();
        services.AddSingleton<Codes>();
        services.AddSingleton<Offers>();
        services.AddSingleton<Proposals>();
        services.AddSingleton<RevokedTokens>();
        services.AddSingleton<StandingAgreements>();
        services.AddSingleton<Logouts>();
        services.AddSingleton<HolderProofs>();
        services.AddSingleton<StandingGrants>();
        services.AddSingleton<ReferenceTokens>();
        services.AddSingleton<StatusPlaces>();
        services.AddSingleton<OffGrants>();
        services.AddSingleton<OwnTokens>();
        services.AddSingleton<ServerStore>();
        services.AddSingleton<CatalogueStore>();
        services.AddSingleton<ServerBook>();
    }

    internal static async Task<int> ServeAsync(string[] args)
    {
        // One thread of the pool may be waiting for the disk with a transaction in its hands; requests keep the others.
        ThreadPool.SetMinThreads(Environment.ProcessorCount + 1, Environment.ProcessorCount);
        try
        {
            await using var app = Build(args);
            await app.StartAsync();
            await WelcomeAsync(app.Services);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (SetupException wrong)
        {
            return Terminal.Fail(wrong.Message);
        }
        catch (DatabaseUnavailableException outage)
        {
            return Terminal.Fail($"The database cannot be used: {outage.Message}");
        }
        catch (IOException taken) when (
            taken.InnerException is SocketException or Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            return Terminal.Fail(
                $"{taken.Message} Stop what listens there, or start with --listen http://localhost:7401.");
        }
        catch (SocketException refused)
        {
            return Terminal.Fail(
                $"The address of `listen` cannot be used: {refused.Message}. Name one of this machine, or localhost.");
        }
    }

    private static async Task WelcomeAsync(IServiceProvider services)
    {
        var (tenant, servers) =
            (services.GetRequiredService<TenantBook>().Default, services.GetRequiredService<ServerBook>());
        Terminal.Welcome(
            tenant.Issuer,
            await services.GetRequiredService<SetupLinks>().OfferAsync(tenant, CancellationToken.None),
            tenant.Address("/console"),
            [.. servers.All(tenant.Id).Select(server => server.Resource.Value)]);
    }
}
