using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Identity.Users;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Tenants;

namespace Postern.Identity.Agents;

/// <summary>
/// Brings agents and organizations to what the configuration says. An agent that it names no more is over, with all it
/// held; an organization stays, and so does whether it is off.
/// </summary>
internal sealed class PartySeeds(
    Settings settings,
    TenantBook tenants,
    UserStore users,
    AgentBook agents,
    Organizations organizations,
    GrantBook grants,
    TimeProvider clock)
{
    public async Task ApplyAsync(CancellationToken stop)
    {
        var tenant = tenants.Default.Id;
        foreach (var seed in settings.Organizations)
        {
            await organizations.AddAsync(tenant, seed.Id, seed.Name ?? seed.Id, Entry(AuditKinds.OrganizationChanged));
        }

        await MembersAsync(tenant, stop);
        foreach (var over in agents.All(tenant).Where(agent => agent.IsConfigured && !IsNamed(agent)))
        {
            await grants.RevokeAllAsync(tenant, GrantsOf.Of(over.Party), Entry(AuditKinds.GrantRevoked));
            await agents.RemoveAsync(over, Entry(AuditKinds.AgentRetired));
        }

        foreach (var seed in settings.Agents)
        {
            await AgentAsync(tenant, seed, stop);
        }
    }

    private bool IsNamed(Agent agent) => settings.Agents.Any(seed => seed.Id == agent.Id);

    private async Task MembersAsync(TenantId tenant, CancellationToken stop)
    {
        foreach (var seed in settings.Users.Where(seed => seed.Organization is not null))
        {
            if (await users.FindByEmailAsync(tenant, seed.Email, stop) is { } user)
            {
                await BelongAsync(Party.Of(tenant, user.Id), seed.Organization!, seed.Email);
            }
        }

        foreach (var seed in settings.TrustedIssuers.Where(seed => seed.Organization is not null))
        {
            await BelongAsync(new(tenant, PartyKind.IdentityProvider, seed.Issuer), seed.Organization!, seed.Issuer);
        }
    }

    private async Task BelongAsync(Party member, string organization, string what)
    {
        Require(organization, what);
        await organizations.MoveAsync(member, organization, leaves: false, null);
    }

    private void Require(string organization, string what)
    {
        if (settings.Organizations.All(seed => seed.Id != organization))
        {
            throw new SetupException($"`{what}` belongs to `{organization}`, which is none of `organizations`.");
        }
    }

    private async Task AgentAsync(TenantId tenant, AgentSeed seed, CancellationToken stop)
    {
        var known = agents.Find(tenant, seed.Id);
        var agent = await ReadAsync(tenant, seed, known, stop);
        if (!await agents.SaveAsync(
            agent,
            known is null ? Entry(AuditKinds.AgentCreated) : null,
            unit => Organizations.MoveAsync(unit, agent.Party, seed.Organization)))
        {
            throw new SetupException($"{seed.Place}agent `{seed.Id}`: one of its clients is another agent's.");
        }
    }

    private async Task<Agent> ReadAsync(TenantId tenant, AgentSeed seed, Agent? known, CancellationToken stop)
    {
        var owner = await users.FindByEmailAsync(tenant, seed.Owner, stop)
            ?? throw Refuse(seed, $"`owner` {seed.Owner} has no account here");
        if (seed.Organization is { } organization)
        {
            Require(organization, seed.Id);
        }

        return new()
        {
            Tenant = tenant,
            Id = seed.Id,
            Name = seed.Name ?? seed.Id,
            Owner = owner.Id,
            Organization = seed.Organization,
            Purpose = seed.Purpose,
            EndsAt = seed.Ends,
            Jwks = seed.Jwks,
            Scope = seed.Scope is null ? null
                : Scopes.TryParse(seed.Scope, out var scope) ? scope
                : throw Refuse(seed, "`scope` is no list of scopes"),
            Servers = seed.Servers,
            Clients = ClientsOf(seed),
            IsConfigured = true,
            CreatedAt = known?.CreatedAt ?? clock.GetUtcNow(),
        };
    }

    private IReadOnlyList<ClientId> ClientsOf(AgentSeed seed)
    {
        if (seed.Jwks is not null && settings.Clients.Any(client => client.ClientId == seed.Id))
        {
            throw Refuse(seed, "with `jwks` it is a client itself, and one of `clients` has its name");
        }

        var own = seed.Jwks is null ? Array.Empty<ClientId>() : [new(seed.Id)];
        return
        [
            .. own,
            .. seed.Clients.Select(client => new ClientId(client)),
            .. seed.Workloads.Select(program => ClientId.OfWorkload(program.Key, program.Value)),
        ];
    }

    private static SetupException Refuse(AgentSeed seed, string why) =>
        new($"{seed.Place}agent `{seed.Id}`: {why}.");

    private AuditEntry Entry(string kind) => new()
    {
        Tenant = tenants.Default.Id,
        Kind = kind,
        Reason = "by the configuration",
    };
}
