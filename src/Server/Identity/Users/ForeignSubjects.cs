using System.Security.Cryptography;
using Postern.Audit;
using Postern.Platform.Database;

namespace Postern.Identity.Users;

/// <summary>
/// Whom another issuer means: issuer, its tenant (empty when it has none) and its name for the person.
/// </summary>
internal sealed record ForeignSubject(string Issuer, string Realm, string Subject);

/// <summary>An address as another issuer tells it, and whether it says that the address is theirs.</summary>
internal sealed record ForeignAddress(string Email, bool IsVerified);

/// <summary>
/// Which of our people another issuer means. Known by its own name for them and by nothing else; an e-mail address
/// decides once, at first sight, and only where an operator says that this issuer alone knows whose it is.
/// </summary>
internal sealed class ForeignSubjects(
    Db db, UserStore users, AuditLog audit, TimeProvider clock, RandomNumberGenerator random)
{
    /// <summary>The person, if this issuer has meant one by that name before.</summary>
    public async Task<User?> FindAsync(TenantId tenant, ForeignSubject who, CancellationToken stop) =>
        await db.FirstAsync(
            $"""
            select user_id from foreign_subjects
            where tenant = {tenant.Value} and issuer = {who.Issuer} and realm = {who.Realm}
              and subject = {who.Subject}
            """,
            row => row.GetString(0),
            stop) is { } id
            ? await users.FindAsync(tenant, new(id), stop)
            : null;

    /// <summary>
    /// Remembers whom it means: the person of that address, or a new one where <paramref name="makes"/> says so. Null
    /// when there is nobody.
    /// </summary>
    public async Task<User?> MeetAsync(
        TenantId tenant, ForeignSubject who, ForeignAddress address, bool makes, CancellationToken stop)
    {
        var email = address.Email;
        if (makes
            && EmailAddress.IsPlain(email)
            && await users.FindByEmailAsync(tenant, email, stop) is null)
        {
            await MakeAsync(tenant, who, email);
        }

        // T154: who runs this installation is nobody's to be who only typed their address somewhere.
        if (await users.FindByEmailAsync(tenant, email, stop) is not { } user || (user.IsAdmin && !address.IsVerified))
        {
            return null;
        }

        await db.WriteAsync(async unit =>
        {
            var isNew = await unit.RunAsync(
                $"""
                insert into foreign_subjects (tenant, issuer, realm, subject, user_id, created_at)
                values ({tenant.Value}, {who.Issuer}, {who.Realm}, {who.Subject}, {user.Id.Value},
                  {clock.GetUtcNow().ToUnixTimeSeconds()})
                on conflict do nothing
                """) is 1;
            if (isNew)
            {
                Record(unit, user, AuditKinds.UserChanged, "is known to an issuer that an operator trusts");
            }
        });
        // Of two at once, the first said who it is.
        return await FindAsync(tenant, who, stop);
    }

    private Task MakeAsync(TenantId tenant, ForeignSubject who, string email)
    {
        var now = clock.GetUtcNow();
        var user = new User { Tenant = tenant, Id = User.NewId(now, random), Email = email, CreatedAt = now };
        return db.WriteAsync(async unit =>
        {
            if (await UserStore.InsertAsync(unit, user))
            {
                Record(unit, user, AuditKinds.UserCreated, $"named by {who.Issuer}");
            }
        });
    }

    private void Record(Unit unit, User user, string kind, string reason) => audit.Write(unit, new()
    {
        Tenant = user.Tenant,
        Kind = kind,
        User = user.Id,
        Reason = reason,
    });
}
