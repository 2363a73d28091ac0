using Postern.Audit;
using Postern.Grants;
using Postern.Identity.Users;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Keys;
using Postern.Servers;

namespace Postern;

/// <summary>
/// What must be in order before the first request: schema, keys, and everything that is answered from memory.
/// </summary>
internal sealed class Opening(
    Db db,
    Migrations migrations,
    MasterKey master,
    Sealer sealer,
    Changes changes,
    SigningKeys keys,
    ServerBook servers,
    RevokedTokens revoked,
    UserSeeds users,
    AuditLog audit,
    Settings settings,
    TimeProvider clock) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await migrations.RunAsync(cancellationToken);
        await master.ProveAsync(db, sealer, clock);
        await changes.StartAsync(cancellationToken);
        await keys.RefreshAsync(cancellationToken);
        await servers.LoadAsync(cancellationToken);
        await revoked.LoadAsync(cancellationToken);
        await users.ApplyAsync(cancellationToken);
        await NoteAsync(AuditKinds.SystemStarted);
    }

    public Task StopAsync(CancellationToken cancellationToken) => NoteAsync(AuditKinds.SystemStopped);

    private Task NoteAsync(string kind) =>
        audit.WriteAsync(new() { Tenant = TenantId.Default, Kind = kind, Resource = settings.Issuer });
}
