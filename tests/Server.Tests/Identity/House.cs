using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Postern.Audit;
using Postern.Console;
using Postern.Grants;
using Postern.Identity;
using Postern.Identity.Sessions;
using Postern.Identity.Setup;
using Postern.Identity.Users;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Keys;
using Postern.Platform.Pages;
using Postern.Servers;

namespace Postern.Tests.Identity;

/// <summary>The rooms of people on a loopback port: real routes, a real database file, a clock the test owns.</summary>
public sealed class House : IAsyncLifetime
{
    public const string Email = "ada@example.test", Password = "correct-horse-battery-staple";
    public const string OtherEmail = "bob@example.test", OtherPassword = "staple-battery-horse-correct";

    private readonly string folder = Directory.CreateTempSubdirectory("postern-").FullName;
    private WebApplication? app;

    public OwnedClock Clock { get; } = new();

    public Uri Address { get; private set; } = null!;

    internal T Get<T>()
        where T : notnull => app!.Services.GetRequiredService<T>();

    public ValueTask InitializeAsync() => StartAsync(withUsers: true);

    public async ValueTask StartAsync(bool withUsers)
    {
        Address = new($"http://localhost:{FreePort()}");
        var users = $"""
            users:
              - email: {Email}
                password: {Password}
                roles: [admin]
              - email: {OtherEmail}
                password: {OtherPassword}
            """;
        var yaml = $"""
            issuer: {Address.GetLeftPart(UriPartial.Authority)}
            listen: http://127.0.0.1:{Address.Port}
            database: sqlite:{folder}/postern.db
            data: {folder}
            {(withUsers ? users : "")}
            """;
        var settings = Settings.Read(SettingsSource.Parse("postern.yaml", yaml, new Dictionary<string, string>(), _ => null));
        app = Build(settings);
        await Get<Migrations>().RunAsync(default);
        await Get<MasterKey>().ProveAsync(Get<Db>(), Get<Sealer>(), Clock, default);
        await Get<UserSeeds>().ApplyAsync(default);
        await app.StartAsync();
    }

    public Task<string?> SetupLinkAsync() => Get<SetupLinks>().OfferAsync(default);

    /// <summary>What the log holds of one kind: the reasons, in order.</summary>
    internal async Task<IReadOnlyList<string>> LoggedAsync(string kind) =>
        [.. (await Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default)).Where(row => row.Kind == kind).Select(row => row.Record)];

    internal async Task<User> UserAsync(string email) =>
        (await Get<UserStore>().FindByEmailAsync(TenantId.Default, email, default))!;

    public async ValueTask DisposeAsync()
    {
        await app!.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private WebApplication Build(Settings settings)
    {
        var builder = WebApplication.CreateSlimBuilder([$"--urls=http://127.0.0.1:{Address.Port};http://[::1]:{Address.Port}"]);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(settings.Database);
        builder.Services.AddSingleton(MasterKey.Load(null, settings.Data));
        builder.Services.AddSingleton<Db>();
        builder.Services.AddSingleton<Migrations>();
        builder.Services.AddSingleton<Changes>();
        builder.Services.AddSingleton<Sealer>();
        builder.Services.AddSingleton<Once>();
        builder.Services.AddSingleton<AuditLog>();
        builder.Services.AddSingleton<GrantStore>();
        builder.Services.AddSingleton<GrantBook>();
        builder.Services.AddSingleton<Proposals>();
        builder.Services.AddSingleton<ServerBook>();
        builder.Services.AddSingleton<Browser>();
        builder.Services.AddSingleton<PageForms>();
        IdentityRooms.Add(builder.Services);
        ConsoleRooms.Add(builder.Services);
        var built = builder.Build();
        built.UseMiddleware<SessionMiddleware>();
        AssetEndpoint.Map(built);
        IdentityRooms.Map(built);
        ConsoleRooms.Map(built);
        built.RequireDoors();
        return built;
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}

/// <summary>A clock that stands until the test moves it.</summary>
public sealed class OwnedClock : TimeProvider
{
    private DateTimeOffset now = new(2026, 11, 22, 9, 30, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => now;

    public void Advance(TimeSpan by) => now += by;
}
