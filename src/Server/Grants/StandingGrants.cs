using System.Security.Cryptography;
using System.Text;
using Postern.Audit;
using Postern.Grants.Parties;
using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>
/// Grants that nobody makes on a page: they follow from what an operator registered, or from another grant. The same
/// request always finds the same grant, so their number does not grow with use.
/// </summary>
internal sealed class StandingGrants
{
    /// <summary>Living grants that may have been passed on from one.</summary>
    public const int MostPassedOn = 256;

    private const int Capacity = 10_000;

    private readonly GrantStore store;
    private readonly GrantBook grants;
    private readonly Db db;
    private readonly AuditLog audit;
    private readonly TimeProvider clock;
    private readonly RandomNumberGenerator random;
    private readonly AgentBook agents;
    private readonly Cache<Wanted, GrantName> known;
    private readonly Cache<Own, GrantName> own;

    public StandingGrants(
        GrantStore store,
        GrantBook grants,
        AgentBook agents,
        Db db,
        Changes changes,
        AuditLog audit,
        TimeProvider clock,
        RandomNumberGenerator random)
    {
        (this.store, this.grants, this.agents, this.db) = (store, grants, agents, db);
        (this.audit, this.clock, this.random) = (audit, clock, random);
        known = new(Capacity, LoadAsync);
        own = new(Capacity, (named, stop) => LoadAsync(WantedOf(named, null, null), stop));
        changes.Subscribe(Hear);
    }

    /// <summary>
    /// The grant by which a client acts as itself at a resource: as the agent whose client it is, if it is one's. It
    /// follows the client's registration: other scopes are another grant. Null while its tenant is being removed.
    /// </summary>
    public async ValueTask<Grant?> OwnAsync(
        TenantId tenant,
        ClientId client,
        string clientName,
        Resource resource,
        Scopes scopes,
        CancellationToken stop,
        string? approvedBy = null,
        Details? details = null)
    {
        var named = new Own(tenant, client, clientName, resource, scopes, agents.Of(tenant, client)?.Id);
        // The common ones are found by what they are, without making again what they are made of.
        return approvedBy is null && details is null && await own.FindAsync(named, stop) is { } standing
            ? await grants.FindAsync(tenant, standing.Id, stop)
            : await FindAsync(WantedOf(named, approvedBy, details), stop);
    }

    private Wanted WantedOf(Own own, string? approvedBy, Details? details)
    {
        var (tenant, client, clientName, resource, scopes, agent) = own;
        var grant = new Grant
        {
            Id = default,
            Tenant = tenant,
            Subject = new(agent ?? client.Value),
            IsOwn = true,
            Client = client,
            ClientName = clientName,
            Resource = resource,
            Scopes = scopes,
            Details = details,
            ApprovedBy = approvedBy,
            CreatedAt = default,
            // As long as the registration stands; it ends with that or by revocation.
            ExpiresAt = clock.GetUtcNow().AddYears(100),
        };
        var name = $"{client}\n{resource}\n{scopes}"
            + (agent is null || agent == client.Value ? "" : $"\nas {agent}")
            + (approvedBy is null ? "" : $"\nby {approvedBy}") + Said(details);
        return new(name, grant, "registered by an operator");
    }

    /// <summary>
    /// The grant that is passed on, as <see cref="Delegation"/> says it; null when the one it comes from has just ended
    /// or has been passed on too often.
    /// </summary>
    public ValueTask<Grant?> PassedOnAsync(Grant from, Grant grant, CancellationToken stop)
    {
        var actors = string.Join('\t', grant.Actors);
        var name = $"passed on\n{grant.Parent}\n{grant.Client}\n{actors}\n{grant.Resource}\n{grant.Scopes}";
        var told = grant.Told?.ToString();
        name += told == from.Told?.ToString() ? "" : $"\n{told}";
        return FindAsync(new(name, grant, "passed on to an actor"), stop);
    }

    /// <summary>
    /// The grant that another issuer's assertion stands for, until it runs out or somebody ends it; null while its
    /// tenant is being removed.
    /// </summary>
    public ValueTask<Grant?> AssertedAsync(Grant grant, CancellationToken stop)
    {
        var actors = string.Join('\t', grant.Actors);
        var name = $"asserted\n{grant.ApprovedBy}\n{grant.Client}\n{grant.Subject}\n{actors}\n{grant.Resource}\n"
            + grant.Scopes + Said(grant.Details);
        return FindAsync(new(name, grant, "asserted by an issuer that an operator trusts"), stop);
    }

    private static string Said(Details? details) => details is null ? "" : $"\nin detail {details}";

    private async ValueTask<Grant?> FindAsync(Wanted wanted, CancellationToken stop)
    {
        var grant = await KnownAsync(wanted, stop);
        if (grant is not null && clock.GetUtcNow() >= grant.ExpiresAt)
        {
            known.Drop(wanted);
            grant = await KnownAsync(wanted, stop);
        }

        return grant is { RevokedAt: null } && wanted.Grant.AuthTime is { } time && !(time <= grant.AuthTime)
            ? await RenewAsync(grant, time)
            : grant;
    }

    // Here is only which grant it is; whether it stands is the book's to know.
    private async ValueTask<Grant?> KnownAsync(Wanted wanted, CancellationToken stop) =>
        await known.FindAsync(wanted, stop) is { } standing
            ? await grants.FindAsync(wanted.Grant.Tenant, standing.Id, stop)
            : null;

    // The person has proved themselves anew since the grant was made: else a server that wants that lately would ask
    // for it until the grant runs out.
    private async Task<Grant> RenewAsync(Grant grant, DateTimeOffset time)
    {
        await db.WriteAsync(async unit =>
        {
            await GrantStore.RenewAsync(unit, grant.Tenant, grant.Id, time);
            unit.Announce(GrantBook.Renewed, grant.Tenant, grant.Id.Value);
        });
        return grant with { AuthTime = time };
    }

    private void Hear(Change change)
    {
        if (change.Kind is Changes.Everything)
        {
            known.Clear();
            own.Clear();
        }
        else if (change.Kind is AgentBook.Kind)
        {
            // One that is taken out gives the keys of its grants back, and whoever comes next makes others.
            known.DropWhere(standing => standing.Tenant == change.Tenant);
            own.DropWhere(standing => standing.Tenant == change.Tenant);
        }
    }

    private async Task<GrantName?> LoadAsync(Wanted wanted, CancellationToken stop) =>
        await FindOrMakeAsync(wanted, stop) is { } grant ? new(grant.Id, grant.Tenant) : null;

    private async Task<Grant?> FindOrMakeAsync(Wanted wanted, CancellationToken stop)
    {
        var (tenant, now) = (wanted.Grant.Tenant, clock.GetUtcNow());
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(wanted.Name)));
        if (await store.FindStandingAsync(tenant, key, stop) is { } found && now < found.ExpiresAt)
        {
            return found;
        }

        var made = wanted.Grant with
        {
            Id = GrantId.New(now, random),
            CreatedAt = Seconds(now),
            ExpiresAt = Seconds(wanted.Grant.ExpiresAt),
        };
        await db.WriteAsync(async unit =>
        {
            await GrantStore.ForgetKeyAsync(unit, tenant, key, now);
            if (await IsRoomAsync(unit, made) && await GrantStore.InsertAsync(unit, made, key) is 1)
            {
                audit.Write(unit, new()
                {
                    Tenant = tenant,
                    Kind = AuditKinds.GrantApproved,
                    User = made.IsOwn ? null : made.Subject,
                    Client = made.Client,
                    Resource = made.Resource.Value,
                    Grant = made,
                    Effect = "allow",
                    Reason = wanted.Because,
                });
            }
        });
        return await store.FindStandingAsync(tenant, key, stop);
    }

    private static async ValueTask<bool> IsRoomAsync(Unit unit, Grant grant) =>
        grant is not { Parent: { } parent, Root: { } root }
        || (await GrantStore.HoldAsync(unit, grant.Tenant, parent)
            && await GrantStore.CountPassedOnAsync(unit, grant.Tenant, root) < MostPassedOn);

    private static DateTimeOffset Seconds(DateTimeOffset time) =>
        DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());

    // A client that acts as itself, and the agent whose it is.
    private readonly record struct Own(
        TenantId Tenant, ClientId Client, string ClientName, Resource Resource, Scopes Scopes, string? Agent);

    private sealed record GrantName(GrantId Id, TenantId Tenant);

    // Told apart by tenant and name; the rest is what to make when there is none.
    private sealed class Wanted(string name, Grant grant, string because) : IEquatable<Wanted>
    {
        public string Name => name;

        public Grant Grant => grant;

        public string Because => because;

        public bool Equals(Wanted? other) => other?.Name == name && other.Grant.Tenant == grant.Tenant;

        public override bool Equals(object? obj) => Equals(obj as Wanted);

        public override int GetHashCode() => HashCode.Combine(name, grant.Tenant);
    }
}
