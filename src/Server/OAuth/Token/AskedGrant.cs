using System.Diagnostics;
using Postern.Approvals;
using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>
/// What a person answered to a question of this client, fetched by polling (RFC 8628 §3.5 and what took after it). The
/// grants that wait for people differ in the name of their code alone.
/// </summary>
internal sealed class AskedGrant(
    AskBook asks, AskCodes codes, PollPace pace, GrantBook grants, Switches switches, TimeProvider clock)
{
    public async ValueTask<Result<Redemption>> RedeemAsync(
        AskWay way, string code, Presenter presenter, CancellationToken stop)
    {
        var tenant = presenter.Tenant.Id;
        if (codes.Read(way, code, tenant, presenter.Client.Id) is not { } id)
        {
            return OAuthError.InvalidGrant("code unknown, or another client's or way's");
        }

        var (ask, now) = (await asks.FindAsync(tenant, id, stop), clock.GetUtcNow());
        return ask switch
        {
            { Binding: { } bound } when !presenter.Holds(bound) =>
                OAuthError.InvalidGrant("the code is bound to another key, or no proof came"),
            { State: AskState.Denied } => new OAuthError("access_denied", "The person said no."),
            null => Expired,
            _ when ask.IsOver(now) => Expired,
            { State: AskState.Pending, Subject: { } person } when switches.IsOff(Party.Of(tenant, person)) =>
                new OAuthError("access_denied", "Nobody can agree to this."),
            { State: AskState.Pending } => pace.IsTooSoon(ask)
                ? new OAuthError("slow_down", "Wait five seconds longer between requests from now on.")
                : new OAuthError("authorization_pending", "Nobody has answered yet."),
            { State: AskState.Approved } => await grants.FindAsync(tenant, id, stop) is { } grant && grant.IsLive(now)
                ? new Redemption(grant, 0) { EntryKind = AuditKinds.TokenIssued, IsPolled = true }
                : OAuthError.InvalidGrant("the grant is over"),
            _ => throw new UnreachableException(),
        };
    }

    private static OAuthError Expired => new("expired_token", "Nobody answered in time; ask again.");
}
