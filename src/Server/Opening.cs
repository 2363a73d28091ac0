using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Identity.Agents;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Keys;
using Postern.Platform.Tenants;
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
    TenantBook tenants,
    SigningKeys keys,
    ServerBook servers,
    RevokedTokens revoked,
    UserSeeds users,
    DepartedClients departed,
    PartySeeds parties,
    AgentBook agents,
    Switches switches,
    AuditLog audit,
    Settings settings,
    TimeProvider clock) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await migrations.RunAsync(cancellationToken);
        await master.ProveAsync(db, sealer, clock);
        await changes.StartAsync(cancellationToken);
        // What a tenant cannot do without, the one at the root as well as one that comes later.
        tenants.Preparing.AddRange([keys.RefreshAsync, servers.LoadAsync]);
        await tenants.LoadAsync(cancellationToken);
        await revoked.LoadAsync(cancellationToken);
        await switches.LoadAsync(cancellationToken);
        await users.ApplyAsync(cancellationToken);
        await agents.LoadAsync(cancellationToken);
        await parties.ApplyAsync(cancellationToken);
        // Who has come to belong to something that is off.
        await switches.LoadAsync(cancellationToken);
        await departed.EndAsync(cancellationToken);
        await audit.WriteAsync(
            new() { Tenant = TenantId.Default, Kind = AuditKinds.SystemStarted, Resource = settings.Issuer });
    }

    public async Task StopAsync(CancellationToken cancellationToken) =>
        await audit.WriteAsync(
            new() { Tenant = TenantId.Default, Kind = AuditKinds.SystemStopped, Resource = settings.Issuer });
}
