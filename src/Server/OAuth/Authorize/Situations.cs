using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Authorize;

/// <summary>Finds out who sits at the browser, and whether that is enough for what is proposed.</summary>
internal sealed class Situations(
    GrantBook grants, Families families, Subjects subjects, StandingAgreements standing, TimeProvider clock)
{
    public async ValueTask<AuthorizeState> OfAsync(HttpContext http, Proposal proposal, Client client, bool isSilent)
    {
        var caller = http.Features.Get<Caller>();
        return new(
            caller is not null,
            IsFreshEnough(proposal, caller),
            await HasAgreedAsync(http, proposal, caller))
        {
            IsAsAsked = caller is null || await IsAsAskedAsync(http, proposal, client, caller),
            HasJustSignedIn = HasJustSignedIn(proposal, caller),
            IsSilent = isSilent,
        };
    }

    /// <summary>
    /// What can be told without a question, because the same person has agreed to as much in this session; else null.
    /// Only who they are is told again, and only to a client that an operator vouches for, that can prove itself to the
    /// token endpoint and takes its answers on the web: what comes back to a device could be taken there by anybody
    /// (RFC 8252 §8.6), and whoever registered itself could have any page send people by.
    /// </summary>
    public async ValueTask<Repeat?> RepeatAsync(HttpContext http, Proposal proposal, Client client)
    {
        var isEligible = http.Features.Get<Caller>() is not null
            && proposal is { NeedsConsent: false, Agreed: null, Details: null }
            && proposal.Resource == http.Tenant.UserInfo
            && client is { IsPublic: false, IsVouchedFor: true }
            && proposal.RedirectUri.StartsWith("https://", StringComparison.Ordinal);
        return isEligible
            ? await standing.FindAsync(
                http.Caller, proposal, client.Hash, SourceNetwork.Of(http), http.RequestAborted)
            : null;
    }

    /// <summary>Whether the client has what came of it: a second code would end what the first brought.</summary>
    public async ValueTask<bool> IsFetchedAsync(HttpContext http, Proposal proposal) =>
        proposal.Agreed is { } agreed
        && await grants.FindAsync(http.Tenant.Id, new(agreed), http.RequestAborted) is { } grant
        && !await families.IsNewestAsync(grant, 0, http.RequestAborted);

    // The grant must be alive, and of the person who sits there now.
    private async ValueTask<bool> HasAgreedAsync(HttpContext http, Proposal proposal, Caller? caller) =>
        proposal.Agreed is { } agreed
        && await grants.FindAsync(http.Tenant.Id, new(agreed), http.RequestAborted) is { } grant
        && grant.IsLive(clock.GetUtcNow())
        && grant.Subject == caller?.Subject;

    private async ValueTask<bool> IsAsAskedAsync(HttpContext http, Proposal proposal, Client client, Caller caller) =>
        Acr.Meets(caller.Acr, proposal.AcrValues ?? [])
        && (proposal.Who is not { } who
            || who == await subjects.OfAsync(http.Tenant.Id, client, caller.Subject, http.RequestAborted));

    // OpenID Connect Core §3.1.2.1: prompt=login and max_age, both seen from when the request was made; by the time the
    // person has signed in and read, a max_age of 0 could never be met.
    private static bool IsFreshEnough(Proposal proposal, Caller? caller) =>
        caller is not null
        && (!proposal.NeedsFreshSignIn || HasJustSignedIn(proposal, caller))
        && (proposal.MaxAge is not { } age || caller.AuthTime.ToUnixTimeSeconds() >= proposal.CreatedAt - age);

    // Each sign-in begins a session; the clock alone would take one of the same second for newer.
    private static bool HasJustSignedIn(Proposal proposal, Caller? caller) =>
        caller is not null
        && caller.Session != proposal.Session
        && caller.AuthTime.ToUnixTimeSeconds() >= proposal.CreatedAt;
}
