using Postern.Grants.Parties;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>A client that is to be told that a person's session ended, by its own name for it.</summary>
internal sealed record LogoutDue(TenantId Tenant, ClientId Client, string Sid, SubjectId Subject, long Attempts);

/// <summary>
/// The only place that reads and writes the table <c>logouts</c>: who must still hear of the end of a session (OpenID
/// Connect Back-Channel Logout §2.7). Written in the unit that ends the session, so that no end goes unheard. Of
/// <c>sessions</c>, which belongs to people's own room, it reads which there are.
/// </summary>
internal sealed class Logouts(Db db, TimeProvider clock)
{
    public const string Kind = "logout";

    /// <summary>
    /// Tries until nobody is told any more; each waits twice as long as the one before, 17 hours in all.
    /// </summary>
    public const long MostAttempts = 11;

    /// <summary>Rows that are taken at once.</summary>
    private const long Page = 50;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Notes whom a session's end concerns: everybody who was told in it who the person is; nobody while that person is
    /// switched off, since they were told by then.
    /// </summary>
    public async ValueTask NoteAsync(Unit unit, TenantId tenant, string session)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var rows = await unit.RunAsync(
            $"""
            insert into logouts (tenant, client_id, sid, subject, attempts, due_at)
            select distinct tenant, client_id, sid, subject, {0L}, {now} from grants
            where tenant = {tenant.Value} and session = {session} and sid is not null
              and ' ' || scopes || ' ' like {"% openid %"}
              and not exists (
                select 1 from switched_off s
                where s.tenant = grants.tenant and s.kind = {"user"} and s.id = grants.subject)
              and not exists (
                select 1 from organization_members m
                join switched_off s
                  on s.tenant = m.tenant and s.kind = {"organization"} and s.id = m.organization
                where m.tenant = grants.tenant and m.kind = {"user"} and m.id = grants.subject)
            on conflict do nothing
            """);
        if (rows > 0)
        {
            unit.Announce(Kind, tenant, session);
        }
    }

    /// <summary>
    /// Notes the same for all sessions of a person, or of an organization's people, as part of the unit that switches
    /// them off: they rest, and it is as if they had ended. Not of whom the other of the two has switched off already.
    /// </summary>
    public async ValueTask NoteAllAsync(Unit unit, Party off)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var rows = off.Kind switch
        {
            PartyKind.User => await unit.RunAsync(
                $"""
                insert into logouts (tenant, client_id, sid, subject, attempts, due_at)
                select distinct g.tenant, g.client_id, g.sid, g.subject, {0L}, {now} from grants g
                join sessions e on e.tenant = g.tenant and e.id = g.session and e.subject = g.subject
                where g.tenant = {off.Tenant.Value} and g.subject = {off.Id} and g.sid is not null
                  and ' ' || g.scopes || ' ' like {"% openid %"}
                  and not exists (
                    select 1 from organization_members m
                    join switched_off s
                      on s.tenant = m.tenant and s.kind = {"organization"} and s.id = m.organization
                    where m.tenant = g.tenant and m.kind = {"user"} and m.id = g.subject)
                on conflict do nothing
                """),
            PartyKind.Organization => await unit.RunAsync(
                $"""
                insert into logouts (tenant, client_id, sid, subject, attempts, due_at)
                select distinct g.tenant, g.client_id, g.sid, g.subject, {0L}, {now} from organization_members m
                join grants g on g.tenant = m.tenant and g.subject = m.id
                join sessions e on e.tenant = g.tenant and e.id = g.session and e.subject = g.subject
                where m.tenant = {off.Tenant.Value} and m.organization = {off.Id} and m.kind = {"user"}
                  and g.sid is not null and ' ' || g.scopes || ' ' like {"% openid %"}
                  and not exists (
                    select 1 from switched_off s
                    where s.tenant = m.tenant and s.kind = {"user"} and s.id = m.id)
                on conflict do nothing
                """),
            _ => 0,
        };
        if (rows > 0)
        {
            unit.Announce(Kind, off.Tenant, off.Id);
        }
    }

    /// <summary>
    /// Takes what is due, for this node alone: the next try is set before this one, so that two nodes, or one that
    /// dies, do no harm.
    /// </summary>
    public async Task<List<LogoutDue>> TakeAsync(CancellationToken stop)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var due = await db.AllAsync(
            $"""
            select tenant, client_id, sid, subject, attempts from logouts
            where due_at <= {now} order by due_at limit {Page}
            """,
            row => new LogoutDue(
                new(row.GetString(0)), new(row.GetString(1)), row.GetString(2), new(row.GetString(3)), row.GetInt64(4)),
            stop);
        var taken = new List<LogoutDue>();
        foreach (var logout in due)
        {
            var next = now + ((long)FirstPause.TotalSeconds << (int)logout.Attempts);
            if (await db.WriteAsync(async unit => await unit.RunAsync(
                $"""
                update logouts set attempts = attempts + 1, due_at = {next}
                where tenant = {logout.Tenant.Value} and client_id = {logout.Client.Value} and sid = {logout.Sid}
                  and attempts = {logout.Attempts}
                """)) is 1)
            {
                taken.Add(logout);
            }
        }

        return taken;
    }

    /// <summary>The client was told, or never will be.</summary>
    public Task ForgetAsync(LogoutDue logout) => db.WriteAsync(async unit => await unit.RunAsync(
        $"""
        delete from logouts
        where tenant = {logout.Tenant.Value} and client_id = {logout.Client.Value} and sid = {logout.Sid}
        """));
}
