using Postern.Approvals;
using Postern.Audit;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Pages;
using Postern.Servers;

namespace Postern.OAuth.Consent;

/// <summary>
/// Writes a person's answer: the grant, its line of one-time tokens, the client as it was, and the entry, all or
/// nothing. A question makes one grant: the name of it is in the question, so a form sent twice makes no second one.
/// </summary>
internal sealed class ConsentDecision(
    Db db,
    Once once,
    AskBook asks,
    GrantBook grants,
    ClientBook clients,
    Families families,
    AuditLog audit,
    TimeProvider clock)
{
    public async Task<ConsentOutcome> AllowAsync(
        ConsentQuestion question, Caller caller, Agreed agreed, DateTimeOffset until, string? network)
    {
        var grant = GrantOf(question, caller, agreed, until);
        var made = await db.WriteAsync<ConsentOutcome>(async unit =>
        {
            // First of all: a page that lay open after a no writes nothing down.
            if (!await IsFirstAsync(unit, question, caller, AskState.Approved))
            {
                return new ConsentOutcome.Answered();
            }

            // Asked here: the page lay open, and what this node has in memory may be old.
            if ((question.Server is { } server && !await ServerStore.IsThereAsync(unit, server))
                || !await clients.KeepAsync(unit, caller.Tenant, question.Client))
            {
                return new ConsentOutcome.Gone();
            }

            if (!await GrantBook.AddAsync(unit, grant))
            {
                return new ConsentOutcome.Answered();
            }

            await families.BeginAsync(unit, grant);
            await Installations.SeeAsync(unit, grant, clock.GetUtcNow());
            await KeepOfferAsync(unit, question, grant);
            audit.Write(
                unit,
                Entry(question, caller, network) with
                {
                    Kind = AuditKinds.GrantApproved,
                    Grant = grant,
                    Effect = "allow",
                });
            return new ConsentOutcome.Granted(grant, IsFirst: true);
        });
        return made is ConsentOutcome.Answered ? await AgainAsync(grant, question) : made;
    }

    /// <summary>After a yes there is no denying: that is taken back where grants are ended, not here.</summary>
    public async Task<ConsentOutcome> DenyAsync(ConsentQuestion question, Caller caller, string? network)
    {
        var isFirst = await db.WriteAsync(async unit =>
        {
            if (!await IsFirstAsync(unit, question, caller, AskState.Denied))
            {
                return false;
            }

            audit.Write(unit, Entry(question, caller, network) with
            {
                Kind = AuditKinds.GrantDenied,
                Effect = "deny",
                Reason = "the person said no",
            });
            return true;
        });
        return isFirst || await grants.FindAsync(caller.Tenant, new(question.Wish.Id), CancellationToken.None) is null
            ? new ConsentOutcome.Denied(isFirst)
            : new ConsentOutcome.Answered();
    }

    private Grant GrantOf(ConsentQuestion question, Caller caller, Agreed agreed, DateTimeOffset until) => new()
    {
        Id = new(question.Wish.Id),
        Tenant = caller.Tenant,
        Subject = caller.Subject,
        IsOwn = false,
        Client = question.Client.Id,
        ClientName = Untrusted.Name(question.Client.Name) ?? question.Client.Id.Value,
        ClientHash = question.Client.Hash,
        Installation = question.Installation.Id,
        InstallationName = question.Installation.Name,
        Resource = question.Resource,
        Scopes = agreed.Scopes,
        Tools = agreed.Tools,
        Details = agreed.Details,
        AuthTime = caller.AuthTime,
        Acr = caller.Acr,
        Session = caller.Session,
        Sid = caller.Sid(question.Client.Id),
        Claims = agreed.Claims,
        CreatedAt = DateTimeOffset.FromUnixTimeSeconds(clock.GetUtcNow().ToUnixTimeSeconds()),
        ExpiresAt = until,
    };

    // A question has one answer. Whoever finds the page of a refusal open later cannot make a yes of it.
    private ValueTask<bool> IsFirstAsync(Unit unit, ConsentQuestion question, Caller caller, AskState state) =>
        question.Ask is { } ask
            ? asks.DecideAsync(unit, ask, caller, state)
            : once.TakeAsync(
                unit, caller.Tenant, Proposals.Answered, question.Wish.Id, clock.GetUtcNow() + Proposals.Memory);

    private static ValueTask KeepOfferAsync(Unit unit, ConsentQuestion question, Grant grant) =>
        grant.Tools is { } left ? Offers.KeepAsync(unit, grant, question.Offered(left)) : default;

    // A second click on the same button brings the same grant, until the client has it: a further code would end it.
    // Another answer does not: whoever goes back and unticks something must not be left with what they ticked before.
    private async Task<ConsentOutcome> AgainAsync(Grant wanted, ConsentQuestion question) =>
        await grants.FindAsync(wanted.Tenant, wanted.Id, CancellationToken.None) is { } made
        && made.Subject == wanted.Subject
        && made.Scopes.Equals(wanted.Scopes)
        && (made.Tools ?? []).SequenceEqual(wanted.Tools ?? [])
        && made.Details?.ToString() == wanted.Details?.ToString()
        && Equals(made.Claims, wanted.Claims)
        && made.ExpiresAt - made.CreatedAt == wanted.ExpiresAt - wanted.CreatedAt
        && (question.Ask is not null || await families.IsNewestAsync(made, 0, CancellationToken.None))
            ? new ConsentOutcome.Granted(made, IsFirst: false)
            : new ConsentOutcome.Answered();

    private static AuditEntry Entry(ConsentQuestion question, Caller caller, string? network) => new()
    {
        Tenant = caller.Tenant,
        Kind = AuditKinds.GrantApproved,
        User = caller.Subject,
        Client = question.Client.Id,
        Resource = question.Resource.Value,
        Network = network,
    };
}
