using Postern.Approvals;
using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Identity.Passkeys;
using Postern.Identity.Sessions;
using Postern.Identity.SignOut;
using Postern.Identity.Users;
using Postern.OAuth.Consent;
using Postern.Platform.Pages;
using Postern.Policy;
using Postern.Servers;

namespace Postern.Console.Me;

/// <summary>Gathers what a person's own page shows.</summary>
internal sealed class MePages(
    GrantBook grants,
    AskBook asks,
    AgentBook agents,
    Switches switches,
    SessionBook sessions,
    PasskeyStore passkeys,
    PasskeyCeremonies ceremonies,
    UserStore users,
    RecentCalls calls,
    ServerBook servers,
    Ledger ledger,
    PageForms forms,
    TimeProvider clock)
{
    public const string Purpose = "me";

    /// <summary>How recently a person must have signed in to change how they sign in.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(15);

    public bool IsFresh(Caller caller) => clock.GetUtcNow() < caller.AuthTime + Fresh;

    public async Task<PageResult<MePage, MeView>> ShowAsync(
        HttpContext http, Caller caller, Outcome outcome, CancellationToken stop)
    {
        var ceremony = IsFresh(caller)
            ? await ceremonies.BeginAddAsync(http, caller.Subject, caller.Email, caller.Session)
            : null;
        return new(new()
        {
            Person = caller.Email,
            IsAdministrator = caller.IsAdmin,
            Grants = await GrantsAsync(caller, stop),
            Asking = [.. (await asks.WaitingAsync(caller, stop)).Select(Row)],
            Agents = [.. agents.All(caller.Tenant)
                .Where(agent => agent.Owner == caller.Subject)
                .Select(agent => new OwnAgent(agent.Name, agent.Purpose, agent.EndsAt, switches.WhyOff(agent)))],
            Calls = await CallsAsync(caller, stop),
            Browsers = [.. (await sessions.OfSubjectAsync(caller.Tenant, caller.Subject, stop))
                .Where(session => session.IsLive(clock.GetUtcNow()))
                .Select(session => new Browser(
                    session.Id, session.Device, session.CreatedAt, session.SeenAt, session.Id == caller.Session))],
            Passkeys = [.. (await passkeys.OfSubjectAsync(caller.Tenant, caller.Subject, stop))
                .Select(passkey => new OwnPasskey(passkey.Id, passkey.Name, passkey.CreatedAt))],
            FormToken = forms.Token(caller.Tenant, Purpose, caller.Session),
            SignOutToken = forms.Token(caller.Tenant, SignOutEndpoint.Purpose, caller.Session),
            PasskeyOptions = ceremony?.Options,
            PasskeyState = ceremony?.State,
            HasPassword = await users.FindAsync(caller.Tenant, caller.Subject, stop) is { PasswordHash: not null },
            MustSignInAgain = !IsFresh(caller),
            Done = outcome.Done,
            Problem = outcome.Problem,
            PasswordProblem = outcome.PasswordProblem,
        })
        {
            Status = outcome switch
            {
                { Wait: not null } => StatusCodes.Status429TooManyRequests,
                { Problem: null, PasswordProblem: null } => StatusCodes.Status200OK,
                _ => StatusCodes.Status422UnprocessableEntity,
            },
        };
    }

    private async Task<IReadOnlyList<LetIn>> GrantsAsync(Caller caller, CancellationToken stop)
    {
        var rows = new List<LetIn>();
        foreach (var use in await grants.OfSubjectAsync(caller.Tenant, caller.Subject, stop))
        {
            rows.Add(Row(use) with
            {
                Through = await ThroughAsync(use.Grant, stop),
                Details = await DetailsAsync(use.Grant, stop),
                By = Uri.TryCreate(use.Grant.ApprovedBy, UriKind.Absolute, out var issuer)
                    ? Untrusted.Host(issuer)
                    : use.Grant.ApprovedBy,
            });
        }

        return rows;
    }

    private async ValueTask<IReadOnlyList<string>> DetailsAsync(Grant grant, CancellationToken stop) =>
        grant.Details is null
            ? []
            : DetailWords.Of(
                grant.Details,
                servers.ByResource(grant.Tenant, grant.Resource),
                await ledger.SpentAsync(grant, stop));

    // From the one who passed it on, back to the one whom the person let in. A chain is short (Delegation.MaxActors).
    private async Task<string?> ThroughAsync(Grant grant, CancellationToken stop)
    {
        var names = new List<string>();
        for (var at = grant; at.Parent is { } id && await grants.FindAsync(at.Tenant, id, stop) is { } from; at = from)
        {
            names.Add(Who(from).Words);
        }

        return names.Count is 0 ? null : string.Join(", through ", names);
    }

    private async Task<IReadOnlyList<CallMade>> CallsAsync(Caller caller, CancellationToken stop)
    {
        var made = new List<CallMade>();
        foreach (var record in (await calls.OfAsync(caller.Tenant, caller.Subject, stop)).Select(LogRecord.Of))
        {
            var grant = record.GrantId is { } id ? await grants.FindAsync(caller.Tenant, new(id), stop) : null;
            made.Add(new(
                grant is null ? "Something" : Who(grant).Words,
                grant is null ? null : Who(grant).Place,
                Untrusted.Name(record.Tool),
                Resource.TryParse(record.Resource, out var resource)
                && servers.ByResource(caller.Tenant, resource) is { } server
                    ? server.Title
                    : record.Resource ?? "",
                record.At,
                record.Effect is "allow"));
        }

        return made;
    }

    private static Asker Who(Grant grant) => new(
        grant.ClientName,
        grant.Client.IsDocument ? Untrusted.Host(new(grant.Client.Value)) : null,
        Proof.Remembered,
        null,
        grant.InstallationName);

    private Asking Row(Ask ask) => new(
        ask.Name,
        new(
            ask.Wish.ClientName,
            ask.Client.IsDocument ? Untrusted.Host(new(ask.Client.Value)) : null,
            Proof.Remembered,
            null,
            null),
        Resource.TryParse(ask.Wish.Resource, out var resource)
        && servers.ByResource(ask.Tenant, resource) is { } server
            ? server.Title
            : ask.Wish.Resource,
        ask.CreatedAt);

    private LetIn Row(GrantUse use)
    {
        var grant = use.Grant;
        return new(
            grant.Id.Value,
            Who(grant),
            GrantSentence.Of(grant, servers.ByResource(grant.Tenant, grant.Resource)),
            grant.CreatedAt,
            use.UsedAt,
            grant.ExpiresAt)
        {
            IsBound = use.IsBound,
            IsOfCopy = use.IsOfCopy,
            Purpose = agents.Of(grant.Tenant, grant.Client)?.Purpose,
        };
    }
}

/// <summary>
/// What came of an act on the page; <see cref="Wait"/> when it was refused only for being one of too many.
/// </summary>
internal sealed record Outcome(
    string? Done = null,
    string? Problem = null,
    string? PasswordProblem = null,
    TimeSpan? Wait = null,
    bool IsGone = false);
