using Microsoft.AspNetCore.WebUtilities;
using Postern.Identity.Sessions;
using Postern.Identity.SignIn;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Pages;

namespace Postern.Identity.SignOut;

/// <summary>
/// Ends the session of this browser: the record, not only the cookie, so that a copy of it opens nothing. Whoever was
/// asked in another person's place comes by here to sign in as themselves, and is asked the same.
/// </summary>
internal static class SignOutEndpoint
{
    /// <summary>What a form that signs out is sealed for; each page that offers to is shown to that session.</summary>
    public const string Purpose = "signout";

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/signout", SignOutAsync).For(Door.PersonOr(Next));

    private static async Task<IResult> SignOutAsync(
        HttpContext http, PageForms forms, SessionBook sessions, Db db, CancellationToken stop)
    {
        var caller = http.Caller;
        if (await forms.ReadAsync(http.Request, Purpose, caller.Session, stop) is null)
        {
            return RefusedForm.Page;
        }

        await db.WriteAsync(async unit => await sessions.EndAsync(unit, caller, caller.Session, http));
        SessionBook.DropCookie(http);
        return Next(http);
    }

    // The sign-in page goes on with a request only if it was sealed for this browser; it is text until then.
    private static SeeOther Next(HttpContext http) => new(
        http.Request.Query[SignInView.TransactionField] is [{ Length: > 0 } transaction]
            ? QueryHelpers.AddQueryString("/signin", SignInView.TransactionField, transaction)
            : "/");
}
