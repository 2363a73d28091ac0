using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Postern.Audit;
using Postern.Identity.Passkeys;
using Postern.Identity.Setup;
using Postern.Identity.Users;
using Postern.Platform.Database;
using Postern.Platform.Tenants;

namespace Postern.Tests.Identity;

/// <summary>
/// The real server under a name, which passkeys need, with two people in it: Ada runs it, Bob does not.
/// </summary>
public sealed class House : IAsyncLifetime
{
    public const string Email = "ada@example.test", Password = "correct-horse-battery-staple";
    public const string OtherEmail = "bob@example.test", OtherPassword = "staple-battery-horse-correct";

    private const string People = $"""
        users:
          - email: {Email}
            password: {Password}
            roles: [admin]
          - email: {OtherEmail}
            password: {OtherPassword}
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("postern-").FullName;
    private WebApplication? app;

    internal FakeClock Clock { get; } = new();

    public Uri Address { get; private set; } = null!;

    internal T Get<T>()
        where T : notnull => app!.Services.GetRequiredService<T>();

    public ValueTask InitializeAsync() => StartAsync(withPeople: true);

    /// <param name="withPeople">Whether Ada and Bob have accounts.</param>
    /// <param name="on">The database.</param>
    /// <param name="settings">Settings beside the people.</param>
    /// <param name="replace">Exchanges what a test must own.</param>
    internal async ValueTask StartAsync(
        bool withPeople, On on = On.Sqlite, string settings = "", Action<IServiceCollection>? replace = null)
    {
        var database = on is On.Postgres ? await Postgres.NewDatabaseAsync() : $"sqlite:{folder}/postern.db";
        var file = Path.Combine(folder, "postern.yaml");
        await File.WriteAllTextAsync(file, settings + (withPeople ? People : ""));
        for (var tries = 0; ; tries++)
        {
            Address = new($"http://localhost:{Postgres.FreePort()}");
            var own = Address.GetLeftPart(UriPartial.Authority);
            app = Program.Build(
                ["--config", file, "--issuer", own, "--listen", own, "--database", database, "--data", folder],
                services =>
                {
                    services.AddSingleton<TimeProvider>(Clock).AddLogging(logging => logging.ClearProviders());
                    replace?.Invoke(services);
                });
            try
            {
                await app.StartAsync();
                return;
            }
            catch (IOException) when (tries < 5)
            {
                // Somebody took the port in between.
                await app.DisposeAsync();
            }
        }
    }

    public Task<string?> SetupLinkAsync() => Get<SetupLinks>().OfferAsync(Get<TenantBook>().Default, default);

    /// <summary>The entries of one kind, in order.</summary>
    internal async Task<IReadOnlyList<string>> LoggedAsync(string kind)
    {
        var rows = await Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
        return [.. rows.Where(row => row.Kind == kind).Select(row => row.Record)];
    }

    internal async Task<User> UserAsync(string email) =>
        (await Get<UserStore>().FindByEmailAsync(TenantId.Default, email, default))!;

    /// <summary>Writes a passkey as adding one does, without a browser to make it.</summary>
    internal Task<bool> AddPasskeyAsync(SubjectId subject, string id)
    {
        var made = new Passkey(
            TenantId.Default, id, subject, "Chrome on Linux", [1, 2, 3], 0, ["usb"], false, false, Clock.GetUtcNow());
        return Get<Db>().WriteAsync(unit => PasskeyStore.InsertAsync(unit, made));
    }

    public async ValueTask DisposeAsync()
    {
        await app!.StopAsync();
        await app.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
