using Postern.Grants.Parties;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;

namespace Postern.Api;

/// <summary>Finds whom an operator means, so that a name that was mistyped switches nobody off, and says so.</summary>
internal sealed class KnownParties(
    UserStore users,
    ClientBook clients,
    ClientStore stored,
    TrustedIssuers issuers,
    AgentBook agents,
    Organizations organizations)
{
    private const int MaxId = 2000;

    /// <summary>The party of that kind and name, a person's being their address too; null for nobody.</summary>
    public async Task<Party?> FindAsync(TenantId tenant, PartyKind kind, string id, CancellationToken stop)
    {
        // A NUL would not pass the database.
        if (id.Length is 0 or > MaxId || id.Any(char.IsControl))
        {
            return null;
        }

        var party = new Party(tenant, kind, id);
        return kind switch
        {
            PartyKind.User => await UserAsync(tenant, id, stop),
            PartyKind.Client => await HasClientAsync(tenant, id, stop) ? party : null,
            PartyKind.Agent => agents.Find(tenant, id) is null ? null : party,
            PartyKind.Organization => await organizations.HasAsync(tenant, id, stop) ? party : null,
            PartyKind.IdentityProvider => issuers.All(tenant).Any(issuer => issuer.Name == id) ? party : null,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private async Task<Party?> UserAsync(TenantId tenant, string id, CancellationToken stop)
    {
        var user = id.Contains('@')
            ? await users.FindByEmailAsync(tenant, id, stop)
            : await users.FindAsync(tenant, new(id), stop);
        return user is null ? null : Party.Of(tenant, user.Id);
    }

    // A platform's programs are kept nowhere; their names are known from the log and from their grants.
    private async Task<bool> HasClientAsync(TenantId tenant, string id, CancellationToken stop) =>
        clients.Configured(tenant).Any(client => client.Id.Value == id)
        || agents.Of(tenant, new(id)) is not null
        || ClientId.IsWorkload(id)
        || await stored.FindAsync(tenant, new(id), stop) is not null;
}
