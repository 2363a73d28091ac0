using System.Diagnostics;
using Postern.Audit;
using Postern.Grants;
using Postern.Identity.Passkeys;
using Postern.Identity.Passwords;
using Postern.Identity.Sessions;
using Postern.Identity.SignIn;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Pages;

namespace Postern.Console.Me;

/// <summary>A person looks at what they agreed to, and ends it.</summary>
internal static class MeEndpoint
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/me", ShowAsync).For(Door.Person);
        routes.MapPost("/me/grants/end", EndGrantAsync).For(Door.Person);
        routes.MapPost("/me/browsers/end", EndBrowserAsync).For(Door.Person);
        routes.MapPost("/me/passkeys/add", AddPasskeyAsync).For(Door.Person);
        routes.MapPost("/me/passkeys/remove", RemovePasskeyAsync).For(Door.Person);
        routes.MapPost("/me/password", ChangePasswordAsync).For(Door.Person);
    }

    private static async Task<IResult> ShowAsync(HttpContext http, MePages pages, CancellationToken stop) =>
        await pages.ShowAsync(http, http.Caller, new(), stop);

    private static Task<IResult> EndGrantAsync(
        HttpContext http, MePages pages, PageForms forms, GrantBook grants, CancellationToken stop) =>
        ActAsync(http, pages, forms, async (caller, id) =>
        {
            var began = Stopwatch.GetTimestamp();
            // Another's grant, one of before and one that never was are the same answer: there is nothing of yours.
            var isEnded = await grants.FindAsync(caller.Tenant, new(id), stop) is { IsOwn: false } grant
                && grant.Subject == caller.Subject
                && await grants.RevokeAsync(grant, By(caller, AuditKinds.GrantRevoked, "ended by the person", http));
            var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            return isEnded
                ? new(Done: $"Ended. It can do nothing for you from now on. That took {took:0} ms.")
                : new(Problem: "That was over already.");
        }, stop);

    private static Task<IResult> EndBrowserAsync(
        HttpContext http, MePages pages, PageForms forms, SessionBook sessions, Db db, CancellationToken stop) =>
        ActAsync(http, pages, forms, async (caller, id) =>
            await db.WriteAsync(unit => sessions.EndAsync(unit, caller, id, http))
                ? new(Done: "That browser is signed out.", IsGone: id == caller.Session)
                : new(Problem: "That browser was signed out already."), stop);

    private static Task<IResult> AddPasskeyAsync(
        HttpContext http,
        MePages pages,
        PageForms forms,
        PasskeyCeremonies ceremonies,
        Db db,
        AuditLog audit,
        CancellationToken stop) =>
        ActAsync(http, pages, forms, async (caller, _) =>
        {
            var form = await http.Request.ReadFormAsync(stop);
            if (!pages.IsFresh(caller)
                || await ceremonies.FinishAddAsync(
                    http, form[MeView.PasskeyField]!, form[MeView.StateField], caller.Session) is not { } made
                || made.Subject != caller.Subject)
            {
                return new(Problem: "The passkey was not added. Try again.");
            }

            return await db.WriteAsync(async unit =>
            {
                var isAdded = await PasskeyStore.InsertAsync(unit, made);
                if (isAdded)
                {
                    audit.Write(unit, By(caller, AuditKinds.UserChanged, "added a passkey", http));
                }

                return isAdded;
            })
                ? new(Done: "From now on you can sign in with this passkey.")
                : new(Problem: $"That passkey is known already, or you have {PasskeyStore.Most}. Remove one first.");
        }, stop);

    private static Task<IResult> RemovePasskeyAsync(
        HttpContext http, MePages pages, PageForms forms, Db db, AuditLog audit, CancellationToken stop) =>
        ActAsync(http, pages, forms, async (caller, id) =>
            await db.WriteAsync(async unit =>
            {
                var isRemoved = await PasskeyStore.DeleteAsync(unit, caller.Tenant, caller.Subject, id);
                if (isRemoved)
                {
                    audit.Write(unit, By(caller, AuditKinds.UserChanged, "removed a passkey", http));
                }

                return isRemoved;
            })
                ? new(Done: "That passkey opens nothing here any more.")
                : new(Problem: "It is gone already, or it is the only way you can sign in."), stop);

    private static Task<IResult> ChangePasswordAsync(
        HttpContext http, MePages pages, PageForms forms, PasswordChange passwords, CancellationToken stop) =>
        ActAsync(http, pages, forms, async (caller, _) =>
        {
            var form = await http.Request.ReadFormAsync(stop);
            if (!pages.IsFresh(caller))
            {
                return new(Problem: "The password was not changed: your sign-in is too long ago.");
            }

            var (old, wanted) = (form[MeView.PasswordField].ToString(), form[MeView.NewPasswordField].ToString());
            return await passwords.MakeAsync(http, caller, old, wanted, stop) switch
            {
                PasswordOutcome.Changed => new(Done: "The password is changed. Every other browser is signed out."),
                PasswordOutcome.Refused refused => new(PasswordProblem: refused.Problem),
                PasswordOutcome.TooMany late => new(PasswordProblem: SignInPages.TooMany(late.Wait), Wait: late.Wait),
                _ => throw new UnreachableException(),
            };
        }, stop);

    // What every act here has in common, so that none can forget it: a form of ours made for this session.
    private static async Task<IResult> ActAsync(
        HttpContext http,
        MePages pages,
        PageForms forms,
        Func<Caller, string, Task<Outcome>> act,
        CancellationToken stop)
    {
        var caller = http.Caller;
        if (await forms.ReadAsync(http.Request, MePages.Purpose, caller.Session, stop) is not { } form)
        {
            return RefusedForm.Page;
        }

        var outcome = await act(caller, form[MeView.IdField].ToString());
        if (outcome.Wait is { } wait)
        {
            http.Response.Headers.RetryAfter = $"{Math.Ceiling(wait.TotalSeconds)}";
        }

        return outcome.IsGone
            ? new SeeOther("/signin")
            : await pages.ShowAsync(http, caller, outcome, stop);
    }

    private static AuditEntry By(Caller caller, string kind, string reason, HttpContext http) => new()
    {
        Tenant = caller.Tenant,
        Kind = kind,
        User = caller.Subject,
        Reason = reason,
        Network = SourceNetwork.Of(http),
    };
}
