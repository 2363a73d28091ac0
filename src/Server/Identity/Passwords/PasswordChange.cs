using System.Diagnostics;
using Postern.Audit;
using Postern.Identity.Sessions;
using Postern.Identity.SignIn;
using Postern.Identity.Users;
using Postern.Platform.Database;
using Postern.Platform.Http;

namespace Postern.Identity.Passwords;

/// <summary>
/// Exchanges a password for another. Whoever found a browser open must still guess the old one, with no more tries than
/// the sign-in page gives; and whoever came in by the old one elsewhere is out.
/// </summary>
internal sealed class PasswordChange(
    UserStore users, SignInTries tries, PasswordHashes hashes, Db db, SessionBook sessions, AuditLog audit)
{
    public async Task<PasswordOutcome> MakeAsync(
        HttpContext http, Caller caller, string old, string wanted, CancellationToken stop)
    {
        if (await users.FindAsync(caller.Tenant, caller.Subject, stop) is not { PasswordHash: not null } user)
        {
            return new PasswordOutcome.Refused("You sign in without a password.");
        }

        var problem = wanted == old
            ? "The new password is the one you have."
            : PasswordRules.Refuse(wanted, user.Email);
        if (problem is not null)
        {
            return new PasswordOutcome.Refused(problem);
        }

        return await tries.CheckAsync(http, user, user.Email, old, stop) switch
        {
            SignInOutcome.Proven proven =>
                await WriteAsync(http, caller, proven.User, await hashes.MakeAsync(wanted, stop)),
            SignInOutcome.TooMany late => new PasswordOutcome.TooMany(late.Wait),
            SignInOutcome.Wrong wrong => await WrongAsync(http, caller, wrong.Reason),
            _ => throw new UnreachableException(),
        };
    }

    private async Task<PasswordOutcome> WriteAsync(HttpContext http, Caller caller, User user, string hash)
    {
        var isChanged = await db.WriteAsync(async unit =>
        {
            if (!await UserStore.ChangePasswordAsync(unit, user, hash))
            {
                return false;
            }

            await sessions.EndOthersAsync(unit, caller);
            audit.Write(unit, Entry(http, caller, AuditKinds.UserChanged, "changed the password"));
            return true;
        });
        return isChanged
            ? new PasswordOutcome.Changed()
            : new PasswordOutcome.Refused("The password was changed in another browser meanwhile.");
    }

    private async Task<PasswordOutcome> WrongAsync(HttpContext http, Caller caller, string reason)
    {
        await audit.WriteAsync(Entry(http, caller, AuditKinds.UserFailed, reason) with { Effect = "deny" });
        return new PasswordOutcome.Refused("That is not your current password.");
    }

    private static AuditEntry Entry(HttpContext http, Caller caller, string kind, string reason) => new()
    {
        Tenant = caller.Tenant,
        Kind = kind,
        User = caller.Subject,
        Reason = reason,
        Network = SourceNetwork.Of(http),
    };
}
