using System.Data.Common;
using Postern.Platform.Database;

namespace Postern.Identity.Passkeys;

/// <summary>The only place that reads and writes the table <c>passkeys</c>.</summary>
internal sealed class PasskeyStore(Db db)
{
    /// <summary>The most passkeys of one person.</summary>
    public const int Most = 20;

    public Task<Passkey?> FindAsync(TenantId tenant, string id, CancellationToken stop) => db.FirstAsync(
        $"select * from passkeys where tenant = {tenant.Value} and id = {id}", Read, stop);

    public Task<List<Passkey>> OfSubjectAsync(TenantId tenant, SubjectId subject, CancellationToken stop) =>
        db.AllAsync(
            $"""
            select * from passkeys where tenant = {tenant.Value} and subject = {subject.Value}
            order by created_at limit {(long)Most}
            """,
            Read,
            stop);

    /// <summary>Adds one; false when it is somebody's already or the person has enough.</summary>
    public static async ValueTask<bool> InsertAsync(Unit unit, Passkey made) => await unit.RunAsync(
        $"""
        insert into passkeys (tenant, id, subject, name, public_key, sign_count, transports, is_backup_eligible,
          is_backed_up, created_at)
        select {made.Tenant.Value}, {made.Id}, {made.Subject.Value}, {made.Name}, {made.PublicKey}, {made.SignCount},
          {string.Join(' ', made.Transports)}, {made.IsBackupEligible}, {made.IsBackedUp},
          {made.CreatedAt.ToUnixTimeSeconds()}
        where (
          select count(*) from passkeys
          where tenant = {made.Tenant.Value} and subject = {made.Subject.Value}) < {(long)Most}
        on conflict do nothing
        """) is 1;

    /// <summary>
    /// Notes a use. False when the counter does not go forward: a copy of the key, or an old answer, came later.
    /// Authenticators that do not count stay at zero (WebAuthn §6.1.1).
    /// </summary>
    public static async ValueTask<bool> NoteUseAsync(Unit unit, Passkey used) => await unit.RunAsync(
        $"""
        update passkeys set sign_count = {used.SignCount}, is_backed_up = {used.IsBackedUp}
        where tenant = {used.Tenant.Value} and id = {used.Id}
          and (sign_count < {used.SignCount} or (sign_count = 0 and {used.SignCount} = 0))
        """) is 1;

    /// <summary>Removes one; false when there is none, or when it is the last way in for who has no password.</summary>
    public static async ValueTask<bool> DeleteAsync(Unit unit, TenantId tenant, SubjectId subject, string id) =>
        await unit.RunAsync(
            $"""
            delete from passkeys where tenant = {tenant.Value} and subject = {subject.Value} and id = {id} and (
              exists (
                select 1 from users u
                where u.tenant = {tenant.Value} and u.id = {subject.Value} and u.password_hash is not null)
              or exists (
                select 1 from passkeys p
                where p.tenant = {tenant.Value} and p.subject = {subject.Value} and p.id <> {id}))
            """) is 1;

    private static Passkey Read(DbDataReader row) => new(
        new(row.GetString(row.GetOrdinal("tenant"))),
        row.GetString(row.GetOrdinal("id")),
        new(row.GetString(row.GetOrdinal("subject"))),
        row.GetString(row.GetOrdinal("name")),
        row.GetFieldValue<byte[]>(row.GetOrdinal("public_key")),
        row.GetInt64(row.GetOrdinal("sign_count")),
        row.GetString(row.GetOrdinal("transports")).Split(' ', StringSplitOptions.RemoveEmptyEntries),
        row.GetBoolean(row.GetOrdinal("is_backup_eligible")),
        row.GetBoolean(row.GetOrdinal("is_backed_up")),
        DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(row.GetOrdinal("created_at"))));
}
