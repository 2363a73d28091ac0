using System.Buffers.Text;
using System.Security.Cryptography;
using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Identity.Users;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Identity.Sessions;

/// <summary>
/// The signed-in browsers, in memory. A session begins with a new random cookie at each sign-in, so that a value known
/// before is worth nothing after; it ends on every node through the change feed.
/// </summary>
internal sealed class SessionBook
{
    private const string Kind = "session", Name = "session", Prefix = "pss_";
    private const int Capacity = 50_000;

    private static readonly TimeSpan NoteEvery = TimeSpan.FromMinutes(5);

    private readonly SessionStore store;
    private readonly AuditLog audit;
    private readonly Logouts logouts;
    private readonly Switches switches;
    private readonly TimeProvider clock;
    private readonly RandomNumberGenerator random;
    private readonly Cache<(TenantId, string), Session> sessions;

    public SessionBook(
        SessionStore store,
        Changes changes,
        AuditLog audit,
        Logouts logouts,
        Switches switches,
        TimeProvider clock,
        RandomNumberGenerator random)
    {
        (this.logouts, this.switches) = (logouts, switches);
        (this.store, this.audit, this.clock, this.random) = (store, audit, clock, random);
        sessions = new(Capacity, (key, stop) => store.FindAsync(key.Item1, key.Item2, stop));
        changes.Subscribe(Hear);
    }

    /// <summary>The session of the browser that sends this request; null when it is not signed in.</summary>
    public async ValueTask<Session?> FindAsync(HttpContext http, CancellationToken stop)
    {
        if (http.Cookie(Name) is not { Length: 4 + Secret.Length } cookie
            || !cookie.StartsWith(Prefix, StringComparison.Ordinal)
            || !Base64Url.IsValid(cookie.AsSpan(Prefix.Length)))
        {
            return null;
        }

        var (key, now) = ((http.Tenant.Id, new Secret(cookie).Hash()), clock.GetUtcNow());
        var session = await sessions.FindAsync(key, stop);
        if (session is not null && !session.IsLive(now))
        {
            // Another node may have seen this browser since.
            sessions.Drop(key);
            session = await sessions.FindAsync(key, stop);
        }

        // It rests with its person's switch: nobody sits behind it, and it neither ends nor grows older by that.
        return session is null || !session.IsLive(now) || switches.IsOff(Party.Of(session.Tenant, session.Subject))
            ? null
            : await NoteSeenAsync(session, now);
    }

    public Task<List<Session>> OfSubjectAsync(TenantId tenant, SubjectId subject, CancellationToken stop) =>
        store.OfSubjectAsync(tenant, subject, stop);

    /// <summary>
    /// Prepares a session for a person who has just proven who they are; the secret is for the cookie alone.
    /// </summary>
    public (Session Session, Secret Cookie) Prepare(User user, string method, HttpContext http)
    {
        var (secret, now) = (new Secret(Prefix + Secret.New(random).Reveal()), clock.GetUtcNow());
        var device = DeviceName.Of(http.Request.Headers.UserAgent);
        return (new(user.Tenant, secret.Hash(), user.Id, user.Email, user.IsAdmin, method, device, now, now), secret);
    }

    /// <summary>Writes a session and its entry as part of a unit, and ends the one this browser had before.</summary>
    public async ValueTask BeginAsync(Unit unit, Session session, HttpContext http)
    {
        await SessionStore.InsertAsync(unit, session);
        foreach (var over in await SessionStore.PruneAsync(unit, session.Tenant, session.Subject, session.SeenAt))
        {
            unit.Announce(Kind, session.Tenant, over);
            await logouts.NoteAsync(unit, session.Tenant, over);
        }

        if (http.Features.Get<Caller>() is { } before
            && await SessionStore.DeleteAsync(unit, before.Tenant, before.Subject, before.Session))
        {
            unit.Announce(Kind, before.Tenant, before.Session);
            if (before.Subject == session.Subject)
            {
                // The same person goes on in the same browser: what they agreed to in it goes on with them.
                await GrantStore.MoveAsync(unit, session.Tenant, before.Session, session.Id);
            }
            else
            {
                await logouts.NoteAsync(unit, before.Tenant, before.Session);
            }
        }

        audit.Write(unit, new()
        {
            Tenant = session.Tenant,
            Kind = AuditKinds.UserLogin,
            User = session.Subject,
            Effect = "allow",
            Reason = session.Method,
            Network = SourceNetwork.Of(http),
        });
    }

    /// <summary>Ends a session of this person; false when there is none of that name.</summary>
    public async ValueTask<bool> EndAsync(Unit unit, Caller caller, string id, HttpContext http)
    {
        if (!await SessionStore.DeleteAsync(unit, caller.Tenant, caller.Subject, id))
        {
            return false;
        }

        unit.Announce(Kind, caller.Tenant, id);
        await logouts.NoteAsync(unit, caller.Tenant, id);
        audit.Write(unit, new()
        {
            Tenant = caller.Tenant,
            Kind = AuditKinds.UserLogout,
            User = caller.Subject,
            Reason = id == caller.Session ? "signed out" : "ended from another browser",
            Network = SourceNetwork.Of(http),
        });
        return true;
    }

    /// <summary>
    /// Ends every session of this person but the caller's; the entry is that of what made it necessary.
    /// </summary>
    public async ValueTask EndOthersAsync(Unit unit, Caller caller) =>
        await EndAllAsync(unit, caller.Tenant, caller.Subject, caller.Session);

    /// <summary>Ends every session of a person, but for one that is named; answers how many.</summary>
    public async ValueTask<int> EndAllAsync(Unit unit, TenantId tenant, SubjectId person, string but = "")
    {
        var ended = await SessionStore.DeleteOthersAsync(unit, tenant, person, but);
        foreach (var over in ended)
        {
            unit.Announce(Kind, tenant, over);
            await logouts.NoteAsync(unit, tenant, over);
        }

        return ended.Count;
    }

    public void SetCookie(HttpContext http, Secret cookie) =>
        http.SetCookie(Name, cookie.Reveal(), clock.GetUtcNow() + Session.Absolute);

    public static void DropCookie(HttpContext http) => http.DropCookie(Name);

    private async ValueTask<Session> NoteSeenAsync(Session session, DateTimeOffset now)
    {
        if (now < session.SeenAt + NoteEvery)
        {
            return session;
        }

        var seen = session with { SeenAt = now };
        await store.NoteSeenAsync(seen);
        sessions.Drop((session.Tenant, session.Id));
        return seen;
    }

    private void Hear(Change change)
    {
        if (change.Kind is Kind)
        {
            sessions.Drop((change.Tenant, change.Key));
        }
        else if (change.Kind is Changes.Everything)
        {
            sessions.Clear();
        }
    }
}
