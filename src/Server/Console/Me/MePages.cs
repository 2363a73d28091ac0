using Postern.Grants;
using Postern.Identity.Passkeys;
using Postern.Identity.Sessions;
using Postern.Identity.SignOut;
using Postern.Platform.Pages;
using Postern.Servers;

namespace Postern.Console.Me;

/// <summary>Gathers what a person's own page shows.</summary>
internal sealed class MePages(
    GrantBook grants,
    SessionBook sessions,
    PasskeyStore passkeys,
    PasskeyCeremonies ceremonies,
    ServerBook servers,
    PageForms forms,
    TimeProvider clock)
{
    public const string Purpose = "me";

    /// <summary>How recently a person must have signed in to add a way to sign in by.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(15);

    public bool IsFresh(Caller caller) => clock.GetUtcNow() < caller.AuthTime + Fresh;

    public async Task<PageResult<MePage, MeView>> ShowAsync(
        HttpContext http, Caller caller, string? done, string? problem, CancellationToken stop)
    {
        var ceremony = IsFresh(caller)
            ? await ceremonies.BeginAddAsync(http, caller.Subject, caller.Email, caller.Session)
            : null;
        return new(new()
        {
            Person = caller.Email,
            IsAdministrator = caller.IsAdmin,
            Grants = [.. (await grants.OfSubjectAsync(caller.Tenant, caller.Subject, stop)).Select(Row)],
            Browsers = [.. (await sessions.OfSubjectAsync(caller.Tenant, caller.Subject, stop))
                .Where(session => session.IsLive(clock.GetUtcNow()))
                .Select(session => new Browser(
                    session.Id, session.Device, session.CreatedAt, session.SeenAt, session.Id == caller.Session))],
            Passkeys = [.. (await passkeys.OfSubjectAsync(caller.Tenant, caller.Subject, stop))
                .Select(passkey => new OwnPasskey(passkey.Id, passkey.Name, passkey.CreatedAt))],
            FormToken = forms.Token(Purpose, caller.Session),
            SignOutToken = forms.Token(SignOutEndpoint.Purpose, caller.Session),
            PasskeyOptions = ceremony?.Options,
            PasskeyState = ceremony?.State,
            MustSignInAgain = !IsFresh(caller),
            Done = done,
            Problem = problem,
        })
        {
            Status = problem is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity,
        };
    }

    private LetIn Row(GrantUse use)
    {
        var grant = use.Grant;
        var host = grant.Client.IsDocument ? Untrusted.Host(new(grant.Client.Value)) : null;
        return new(
            grant.Id.Value,
            new(grant.ClientName, host, Proof.Remembered, null, grant.InstallationName),
            GrantSentence.Of(grant, servers.ByResource(grant.Tenant, grant.Resource)),
            grant.CreatedAt,
            use.UsedAt,
            grant.ExpiresAt);
    }
}
