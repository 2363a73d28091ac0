using Postern.Audit;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>
/// Who a person is may be told again to a client they told it before, for as long as they said then and in the same
/// browser session. Each time is a grant of its own, and all of them end together.
/// </summary>
internal sealed class StandingAgreements(
    Db db, GrantStore store, GrantBook grants, Families families, AuditLog audit, TimeProvider clock)
{
    /// <summary>Grants of one client in one session: tabs that sign in side by side. The oldest makes room.</summary>
    private const int Most = 3;

    /// <summary>Makes a grant of the proposal; false when there is no agreement that holds as much.</summary>
    /// <param name="caller">The person.</param>
    /// <param name="proposal">What is asked.</param>
    /// <param name="clientHash">What the client's metadata is now.</param>
    /// <param name="network">Where the browser is, for the log.</param>
    /// <param name="stop">Ends the waiting.</param>
    public async ValueTask<bool> RepeatAsync(
        Caller caller, Proposal proposal, string? clientHash, string? network, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var known = (await store.OfSubjectAsync(caller.Tenant, caller.Subject, now, stop))
            .Select(use => use.Grant)
            .Where(grant => grant.Client.Value == proposal.Client
                && grant.Resource.Value == proposal.Resource
                && grant.Session == caller.Session)
            .ToList();
        if (known.Find(grant => Holds(grant, proposal, clientHash)) is not { } before)
        {
            return false;
        }

        var entry = Entry(caller, before, network);
        return await db.WriteAsync(async unit =>
        {
            if (!await GrantStore.IsLiveAsync(unit, before.Tenant, before.Id)
                || !await AddAsync(unit, Again(caller, proposal, before, now), entry))
            {
                return false;
            }

            foreach (var old in known.Skip(Most - 1))
            {
                await grants.RevokeAloneAsync(unit, old, entry with { Kind = AuditKinds.GrantRevoked });
            }

            return true;
        });
    }

    private async ValueTask<bool> AddAsync(Unit unit, Grant grant, AuditEntry entry)
    {
        if (!await GrantBook.AddAsync(unit, grant))
        {
            return false;
        }

        await families.BeginAsync(unit, grant);
        audit.Write(unit, entry with { Grant = grant });
        return true;
    }

    private static bool Holds(Grant grant, Proposal proposal, string? clientHash) =>
        grant.ClientHash == clientHash
        && Scopes.TryParse(proposal.Scope, out var asked)
        && asked.IsWithin(grant.Scopes)
        && (proposal.Claims?.IsWithin(grant) ?? true);

    private static Grant Again(Caller caller, Proposal proposal, Grant before, DateTimeOffset now) => before with
    {
        Id = new(proposal.Id),
        Scopes = Scopes.TryParse(proposal.Scope, out var asked) ? asked : Scopes.None,
        Claims = proposal.Claims,
        AuthTime = caller.AuthTime,
        Acr = caller.Acr,
        Session = caller.Session,
        Sid = caller.Sid(before.Client),
        CreatedAt = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()),
    };

    private static AuditEntry Entry(Caller caller, Grant before, string? network) => new()
    {
        Tenant = caller.Tenant,
        Kind = AuditKinds.GrantApproved,
        User = caller.Subject,
        Client = before.Client,
        Resource = before.Resource.Value,
        Effect = "allow",
        Reason = "the person agreed to it before, in this session",
        Network = network,
    };
}
