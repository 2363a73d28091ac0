using Postern.Audit;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Pages;

namespace Postern.OAuth.Consent;

/// <summary>
/// Writes a person's answer: the grant, its line of one-time tokens, the client as it was, and the entry, all or nothing.
/// A question is answered once: a form sent twice, or brought back by an old tab, makes no second grant.
/// </summary>
internal sealed class ConsentDecision(Db db, Once once, ClientBook clients, Families families, AuditLog audit, TimeProvider clock)
{
    /// <summary>The grant; null when the question was answered before.</summary>
    public async Task<Grant?> AllowAsync(
        ConsentQuestion question,
        Caller caller,
        Scopes scopes,
        IReadOnlyList<string>? tools,
        DateTimeOffset until,
        (InstallationId Id, string Name) installation,
        string? network)
    {
        var now = clock.GetUtcNow();
        var grant = new Grant
        {
            Id = GrantId.New(now),
            Tenant = caller.Tenant,
            Subject = caller.Subject,
            IsOwn = false,
            Client = question.Client.Id,
            ClientName = Untrusted.Name(question.Client.Name) ?? question.Client.Id.Value,
            ClientHash = question.Client.Hash,
            Installation = installation.Id,
            InstallationName = installation.Name,
            Resource = question.Server.Resource,
            Scopes = scopes,
            Tools = tools,
            AuthTime = caller.AuthTime,
            CreatedAt = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()),
            ExpiresAt = until,
        };
        return await db.WriteAsync<Grant?>(async unit =>
        {
            if (!await IsFirstAsync(unit, question.Proposal))
            {
                return null;
            }

            await GrantBook.AddAsync(unit, grant);
            await families.BeginAsync(unit, grant);
            await Installations.SeeAsync(unit, grant, now);
            await clients.KeepAsync(unit, caller.Tenant, question.Client);
            audit.Write(unit, Entry(question, caller, network) with { Kind = AuditKinds.GrantApproved, Grant = grant, Effect = "allow" });
            return grant;
        });
    }

    /// <summary>False when the question was answered before.</summary>
    public Task<bool> DenyAsync(ConsentQuestion question, Caller caller, string? network) => db.WriteAsync(async unit =>
    {
        var isFirst = await IsFirstAsync(unit, question.Proposal);
        if (isFirst)
        {
            audit.Write(unit, Entry(question, caller, network) with
            {
                Kind = AuditKinds.GrantDenied,
                Effect = "deny",
                Reason = "the person said no",
            });
        }

        return isFirst;
    });

    private ValueTask<bool> IsFirstAsync(Unit unit, Proposal proposal) => once.TakeAsync(
        unit, TenantId.Default, "consent", proposal.Id, DateTimeOffset.FromUnixTimeSeconds(proposal.CreatedAt) + Proposals.Lifetime);

    private static AuditEntry Entry(ConsentQuestion question, Caller caller, string? network) => new()
    {
        Tenant = caller.Tenant,
        Kind = AuditKinds.GrantApproved,
        User = caller.Subject,
        Client = question.Client.Id,
        Resource = question.Server.Resource.Value,
        Network = network,
    };
}
