using Postern.Audit;
using Postern.Grants;
using Postern.Platform.Database;
using Postern.Platform.Tenants;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Ends what clients hold that an operator has taken out of the configuration since the last start: nobody vouches for
/// them any more, and one that comes later under the same name inherits nothing.
/// </summary>
internal sealed class DepartedClients(Db db, ClientBook clients, GrantBook grants, TenantBook tenants)
{
    private const string Because = "the client was taken out of the configuration";

    public async Task EndAsync(CancellationToken stop)
    {
        var tenant = tenants.Default.Id;
        var named = clients.Configured(tenant).Select(client => client.Id.Value).ToHashSet();
        var before = await db.AllAsync(
            $"select client_id from configured_clients where tenant = {tenant.Value}",
            row => row.GetString(0),
            stop);
        foreach (var gone in before.Where(client => !named.Contains(client)))
        {
            await grants.RevokeAllAsync(tenant, new GrantsOf.Client(new(gone)), new()
            {
                Tenant = tenant,
                Kind = AuditKinds.GrantRevoked,
                Client = new(gone),
                Reason = Because,
            });
            // Last, so that a start that is cut off begins again here.
            await db.WriteAsync(async unit =>
            {
                await GrantStore.ForgetKeysAsync(unit, tenant, new(gone), Because);
                await unit.RunAsync(
                    $"delete from configured_clients where tenant = {tenant.Value} and client_id = {gone}");
            });
        }

        await db.WriteAsync(async unit =>
        {
            foreach (var client in named.Except(before))
            {
                await unit.RunAsync(
                    $"""
                    insert into configured_clients (tenant, client_id) values ({tenant.Value}, {client})
                    on conflict do nothing
                    """);
            }
        });
    }
}
