using System.Data.Common;
using Postern.Platform.Database;

namespace Postern.Identity.Sessions;

/// <summary>The only place that reads and writes the table <c>sessions</c>.</summary>
internal sealed class SessionStore(Db db)
{
    /// <summary>The most signed-in browsers of one person; a further one ends the oldest.</summary>
    private const long Most = 50;

    public Task<Session?> FindAsync(TenantId tenant, string id, CancellationToken stop) => db.FirstAsync(
        $"""
        select s.*, u.email, u.roles from sessions s
        join users u on u.tenant = s.tenant and u.id = s.subject
        where s.tenant = {tenant.Value} and s.id = {id}
        """,
        Read,
        stop);

    /// <summary>A person's browsers, the newest first.</summary>
    public Task<List<Session>> OfSubjectAsync(TenantId tenant, SubjectId subject, CancellationToken stop) =>
        db.AllAsync(
            $"""
            select s.*, u.email, u.roles from sessions s
            join users u on u.tenant = s.tenant and u.id = s.subject
            where s.tenant = {tenant.Value} and s.subject = {subject.Value} order by s.created_at desc limit {Most}
            """,
            Read,
            stop);

    public static async ValueTask InsertAsync(Unit unit, Session session) => await unit.RunAsync(
        $"""
        insert into sessions (tenant, id, subject, method, device, created_at, seen_at)
        values ({session.Tenant.Value}, {session.Id}, {session.Subject.Value}, {session.Method}, {session.Device},
          {session.CreatedAt.ToUnixTimeSeconds()}, {session.SeenAt.ToUnixTimeSeconds()})
        """);

    /// <summary>Ends the sessions of a person that are over, and the oldest beyond the most; answers which.</summary>
    public static ValueTask<List<string>> PruneAsync(
        Unit unit, TenantId tenant, SubjectId subject, DateTimeOffset now) =>
        unit.AllAsync(
            $"""
            delete from sessions where tenant = {tenant.Value} and subject = {subject.Value} and (
              created_at <= {(now - Session.Absolute).ToUnixTimeSeconds()}
              or seen_at <= {(now - Session.Idle).ToUnixTimeSeconds()}
              or id in (
                select id from sessions where tenant = {tenant.Value} and subject = {subject.Value}
                order by created_at desc limit 1000 offset {Most}))
            returning id
            """,
            row => row.GetString(0));

    /// <summary>Ends one; false when it is over already or another's.</summary>
    public static async ValueTask<bool> DeleteAsync(Unit unit, TenantId tenant, SubjectId subject, string id) =>
        await unit.RunAsync(
            $"delete from sessions where tenant = {tenant.Value} and subject = {subject.Value} and id = {id}") is 1;

    /// <summary>Ends all of a person's but one; answers which.</summary>
    public static ValueTask<List<string>> DeleteOthersAsync(
        Unit unit, TenantId tenant, SubjectId subject, string id) =>
        unit.AllAsync(
            $"""
            delete from sessions where tenant = {tenant.Value} and subject = {subject.Value} and id <> {id}
            returning id
            """,
            row => row.GetString(0));

    public Task NoteSeenAsync(Session session) => db.WriteAsync(async unit => await unit.RunAsync(
        $"""
        update sessions set seen_at = {session.SeenAt.ToUnixTimeSeconds()}
        where tenant = {session.Tenant.Value} and id = {session.Id}
        """));

    private static Session Read(DbDataReader row) => new(
        new(row.GetString(row.GetOrdinal("tenant"))),
        row.GetString(row.GetOrdinal("id")),
        new(row.GetString(row.GetOrdinal("subject"))),
        row.GetString(row.GetOrdinal("email")),
        row.GetString(row.GetOrdinal("roles")) is "admin",
        row.GetString(row.GetOrdinal("method")),
        row.GetString(row.GetOrdinal("device")),
        DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(row.GetOrdinal("created_at"))),
        DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(row.GetOrdinal("seen_at"))));
}
