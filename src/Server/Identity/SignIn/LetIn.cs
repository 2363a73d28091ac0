using Postern.Identity.Passkeys;
using Postern.Identity.Sessions;
using Postern.Identity.Users;
using Postern.Platform.Database;

namespace Postern.Identity.SignIn;

/// <summary>
/// Begins the session of a person who has proven who they are: everything in one unit, then the cookies.
/// </summary>
internal sealed class LetIn(Db db, SessionBook sessions, KnownBrowser known)
{
    /// <summary>
    /// False when the passkey proved to be a copy, or <paramref name="first"/> did not hold; then nothing was done.
    /// </summary>
    public async Task<bool> BeginAsync(
        HttpContext http, User user, Passkey? used, Func<Unit, ValueTask<bool>>? first = null)
    {
        var (session, cookie) = sessions.Prepare(user, used is null ? "password" : "passkey", http);
        var isIn = await db.WriteAsync(async unit =>
        {
            var holds = first is null ? used is null || await PasskeyStore.NoteUseAsync(unit, used) : await first(unit);
            if (holds)
            {
                await sessions.BeginAsync(unit, session, http);
            }

            return holds;
        });
        if (isIn)
        {
            sessions.SetCookie(http, cookie);
            known.Remember(http, user);
        }

        return isIn;
    }
}
