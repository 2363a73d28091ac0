using Postern.Audit;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>
/// Who a person is may be told again to a client they told it before, for as long as they said then and in the same
/// browser session. Each time is a grant of its own, made when its code is redeemed, and all of them end together.
/// </summary>
internal sealed class StandingAgreements(
    GrantStore store,
    GrantLists lists,
    GrantBook grants,
    Families families,
    AuditLog audit,
    TimeProvider clock)
{
    /// <summary>Grants of one client in one session: tabs that sign in side by side. The oldest makes room.</summary>
    private const int Most = 3;

    /// <summary>
    /// What can be told of the proposal without a question; null when there is no agreement that holds as much. Changes
    /// nothing: whoever asks may have sent the browser here from anywhere.
    /// </summary>
    /// <param name="caller">The person.</param>
    /// <param name="proposal">What is asked.</param>
    /// <param name="clientHash">What the client's metadata is now.</param>
    /// <param name="network">Where the browser is, for the log.</param>
    /// <param name="stop">Ends the waiting.</param>
    public async ValueTask<Repeat?> FindAsync(
        Caller caller, Proposal proposal, string? clientHash, string? network, CancellationToken stop)
    {
        var known = await lists.OfSessionAsync(
            caller, new(proposal.Client), proposal.Resource, clock.GetUtcNow(), stop);
        return known.FirstOrDefault(grant => Holds(grant, proposal, clientHash)) is { } before
            ? new(
                before.Id.Value,
                proposal.Scope,
                proposal.Claims,
                caller.AuthTime.ToUnixTimeSeconds(),
                caller.Acr,
                caller.Sid(before.Client),
                network)
            : null;
    }

    /// <summary>The grant that a code with a repeat becomes, not written yet; null when the agreement ended.</summary>
    public async ValueTask<(Grant Grant, Func<Unit, ValueTask> Begin)?> MakeAsync(
        TenantId tenant, GrantId id, Repeat repeat, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        if (await store.FindAsync(tenant, new(repeat.Before), stop) is not { } before || !before.IsLive(now))
        {
            return null;
        }

        var grant = repeat.Of(before, id, now);
        return (grant, unit => BeginAsync(unit, grant, before, repeat.Network));
    }

    // A second redemption of the code finds the grant there, and its line moved on.
    private async ValueTask BeginAsync(Unit unit, Grant grant, Grant before, string? network)
    {
        if (!await GrantStore.HoldAsync(unit, before.Tenant, before.Id) || !await GrantBook.AddAsync(unit, grant))
        {
            return;
        }

        var entry = Entry(grant, network);
        await families.BeginAsync(unit, grant);
        audit.Write(unit, entry with { Grant = grant });
        var others = await GrantStore.LikeAsync(unit, grant, clock.GetUtcNow());
        foreach (var old in others.Where(one => one.Session == grant.Session && one.Id != grant.Id)
            .OrderByDescending(one => one.Id.Value, StringComparer.Ordinal).Skip(Most - 1))
        {
            await grants.RevokeAloneAsync(unit, old, entry with { Kind = AuditKinds.GrantRevoked });
        }
    }

    private static bool Holds(Grant grant, Proposal proposal, string? clientHash) =>
        grant.ClientHash == clientHash
        && Scopes.TryParse(proposal.Scope, out var asked)
        && asked.IsWithin(grant.Scopes)
        && (proposal.Claims?.IsWithin(grant) ?? true);

    private static AuditEntry Entry(Grant grant, string? network) => new()
    {
        Tenant = grant.Tenant,
        Kind = AuditKinds.GrantApproved,
        User = grant.Subject,
        Client = grant.Client,
        Resource = grant.Resource.Value,
        Effect = "allow",
        Reason = "the person agreed to it before, in this session",
        Network = network,
    };
}
