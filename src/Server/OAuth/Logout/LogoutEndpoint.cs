using Postern.Identity.Sessions;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Logout;

/// <summary>
/// OpenID Connect RP-Initiated Logout: a client sends a person here to sign out. With an ID token of the very session
/// that is at once; anything less is a question, or any site could sign people out.
/// </summary>
internal sealed class LogoutEndpoint(
    ClientBook clients,
    OwnIdTokens hints,
    Subjects subjects,
    SessionBook sessions,
    LogoutSender sender,
    PageForms forms,
    Db db,
    TimeProvider clock)
{
    /// <summary>How long the person waits until the clients were told.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/logout", (HttpContext http, LogoutEndpoint logout) => logout.BeginAsync(http)).Open();
        routes.MapPost("/logout", AsLinkAsync).Open();
        routes.MapPost("/logout/confirm", (HttpContext http, LogoutEndpoint logout) => logout.ConfirmAsync(http))
            .For(Door.PersonOr(_ => Done));
    }

    private static async Task<IResult> AsLinkAsync(HttpContext http, CancellationToken stop) =>
        (await Form.ReadAsync(http.Request, stop)).Failed(out _, out var form)
        || LogoutRequest.Parse(form.All) is not { } request
            ? Malformed
            : new SeeOther(request.Link);

    private async Task<IResult> BeginAsync(HttpContext http)
    {
        if (LogoutRequest.Parse(http.Request.Query) is not { } request)
        {
            return Malformed;
        }

        if ((await CheckAsync(http, request)).Failed(out var error, out var valid))
        {
            return Refused(error.Description);
        }

        return (http.Features.Get<Caller>(), valid) switch
        {
            // Nothing to end. Whoever brings an ID token may be told so; anybody can have one who registers itself, and
            // then the person sees where the way leads.
            (null, { Hint: not null, Client.IsVouchedFor: true, Address: { } address }) => new SeeOther(address),
            (null, { Hint: not null, Address: { } address }) => OnTo(address),
            (null, _) => Done,
            ({ } caller, { Client: { } client, Hint: { } hint }) when await IsOfAsync(hint, client, caller) =>
                await EndAsync(http, valid),
            ({ } caller, _) => Ask(http, request, valid, caller),
        };
    }

    private async Task<IResult> ConfirmAsync(HttpContext http)
    {
        if (LogoutRequest.Parse(http.Request.Query) is not { } request)
        {
            return Malformed;
        }

        if ((await CheckAsync(http, request)).Failed(out var error, out var valid))
        {
            return Refused(error.Description);
        }

        // The form is good for exactly this request, in this session.
        return await forms.ReadAsync(http.Request, PurposeOf(request), http.Caller.Session, http.RequestAborted) is null
            ? RefusedForm.Page
            : await EndAsync(http, valid);
    }

    private ValueTask<Result<ValidLogoutRequest>> CheckAsync(HttpContext http, LogoutRequest request) =>
        ValidLogoutRequest.CheckAsync(
            http.Tenant, request, clients, hints, SourceNetwork.Of(http), http.RequestAborted);

    private async ValueTask<bool> IsOfAsync(OwnIdToken hint, Client client, Caller caller) =>
        hint.Sid == caller.Sid(client.Id)
        && hint.Subject == await subjects.OfAsync(caller.Tenant, client, caller.Subject, CancellationToken.None);

    private async Task<IResult> EndAsync(HttpContext http, ValidLogoutRequest valid)
    {
        var caller = http.Caller;
        await db.WriteAsync(async unit => await sessions.EndAsync(unit, caller, caller.Session, http));
        SessionBook.DropCookie(http);
        await TellAsync();
        return valid.Address is { } address ? new SeeOther(address) : Done;
    }

    // Back-Channel Logout §2.5 would have everybody told before the browser goes on; who does not answer is told later.
    private async Task TellAsync()
    {
        try
        {
            await sender.NowAsync(CancellationToken.None).WaitAsync(Patience, clock);
        }
        catch (Exception late) when (late is TimeoutException or DatabaseUnavailableException)
        {
            // It goes on without us.
        }
    }

    private PageResult<LogoutPage, LogoutView> Ask(
        HttpContext http, LogoutRequest request, ValidLogoutRequest valid, Caller caller) =>
        new(new(
            valid.Client is { IsVouchedFor: true } client ? Untrusted.Name(client.Name) : null,
            caller.Email,
            request.Confirmation,
            forms.Token(http.Tenant.Id, PurposeOf(request), caller.Session)))
        {
            FormTargets = valid.Address is { } address && Uri.TryCreate(address, UriKind.Absolute, out var uri)
                ? [uri.Scheme is "http" or "https" ? uri.GetLeftPart(UriPartial.Authority) : uri.Scheme + ":"]
                : [],
        };

    private static string PurposeOf(LogoutRequest request) => $"logout\n{request.Link}";

    private static PageResult<ErrorPage, ErrorView> Malformed =>
        Refused("The request says something twice, or is too long.");

    private static PageResult<ErrorPage, ErrorView> Refused(string why) => new(new(
        "You are not signed out", why, "Go back to the app, or sign out on your page.", "/me", "Your page"))
    {
        Status = StatusCodes.Status400BadRequest,
    };

    private static PageResult<ErrorPage, ErrorView> OnTo(string address) => new(new(
        "You are signed out",
        "Nobody is signed in in this browser.",
        $"Go on to {Untrusted.Place(new(address))}, or close this page.",
        address,
        $"Go on to {Untrusted.Place(new(address))}"));

    private static PageResult<ErrorPage, ErrorView> Done => new(new(
        "You are signed out",
        "Nobody is signed in in this browser. Agents that you let in go on as you allowed them.",
        "You can close this page."));
}
