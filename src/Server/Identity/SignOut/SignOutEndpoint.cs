using Postern.Identity.Sessions;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Pages;

namespace Postern.Identity.SignOut;

/// <summary>Ends the session of this browser: the record, not only the cookie, so that a copy of it opens nothing.</summary>
internal static class SignOutEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/signout", SignOutAsync).For(Door.Person);

    private static async Task<IResult> SignOutAsync(
        HttpContext http, PageForms forms, SessionBook sessions, Db db, CancellationToken stop)
    {
        if (http.Features.Get<Caller>() is not { } caller)
        {
            return new SeeOther("/");
        }

        // The token of a person's own page: every page that offers to sign out is shown to that session.
        if (await forms.ReadAsync(http.Request, "me", caller.Session, stop) is null)
        {
            return RefusedForm.Page;
        }

        await db.WriteAsync(async unit => await sessions.EndAsync(unit, caller, caller.Session, http));
        sessions.DropCookie(http);
        return new SeeOther("/");
    }
}
