using System.Data.Common;
using Postern.Grants.Parties;
using Postern.Platform.Database;

namespace Postern.Identity.Users;

/// <summary>The only place that reads and writes the table <c>users</c>.</summary>
internal sealed class UserStore(Db db, Switches switches)
{
    private const string Admin = "admin";

    public Task<User?> FindAsync(TenantId tenant, SubjectId id, CancellationToken stop) => db.FirstAsync(
        $"select * from users where tenant = {tenant.Value} and id = {id.Value}", Read, stop);

    public async Task<User?> FindByEmailAsync(TenantId tenant, string? email, CancellationToken stop) =>
        EmailAddress.Normalize(email) is { } normal
            ? await db.FirstAsync(
                $"select * from users where tenant = {tenant.Value} and email_normal = {normal}", Read, stop)
            : null;

    /// <summary>Whether somebody runs this installation, switched off or not: nobody takes their place.</summary>
    public async Task<bool> HasAdminAsync(TenantId tenant, CancellationToken stop) => await db.FirstAsync(
        $"select id from users where tenant = {tenant.Value} and roles = {Admin} limit 1",
        row => row.GetString(0),
        stop) is not null;

    /// <inheritdoc cref="HasAdminAsync(TenantId, CancellationToken)"/>
    public static async ValueTask<bool> HasAdminAsync(Unit unit, TenantId tenant) => await unit.FirstAsync(
        $"select id from users where tenant = {tenant.Value} and roles = {Admin} limit 1",
        row => row.GetString(0)) is not null;

    /// <summary>Whether somebody has this address already, as seen from inside a unit.</summary>
    public static async ValueTask<bool> HasAsync(Unit unit, TenantId tenant, string email) => await unit.FirstAsync(
        $"select id from users where tenant = {tenant.Value} and email_normal = {EmailAddress.Normalize(email)}",
        row => row.GetString(0)) is not null;

    /// <summary>Adds a person; false when the address has an account.</summary>
    public static async ValueTask<bool> InsertAsync(Unit unit, User user) => await unit.RunAsync(
        $"""
        insert into users
          (tenant, id, email, email_normal, name, email_verified, password_hash, roles, created_at)
        values ({user.Tenant.Value}, {user.Id.Value}, {user.Email}, {EmailAddress.Normalize(user.Email)},
          {user.Name}, {user.IsEmailVerified}, {user.PasswordHash}, {(user.IsAdmin ? Admin : "")},
          {user.CreatedAt.ToUnixTimeSeconds()})
        on conflict do nothing
        """) is 1;

    /// <summary>Replaces a hash by one of today's strength, unless the password was changed meanwhile.</summary>
    public Task RehashAsync(User user, string hash) => db.WriteAsync(async unit => await unit.RunAsync(
        $"""
        update users set password_hash = {hash}
        where tenant = {user.Tenant.Value} and id = {user.Id.Value} and password_hash = {user.PasswordHash}
        """));

    /// <summary>Exchanges the hash of a password; false when it is not the one that was checked any more.</summary>
    public static async ValueTask<bool> ChangePasswordAsync(Unit unit, User user, string hash) => await unit.RunAsync(
        $"""
        update users set password_hash = {hash}
        where tenant = {user.Tenant.Value} and id = {user.Id.Value}
          and password_hash = {user.PasswordHash}
        """) is 1;

    private User Read(DbDataReader row) => Read(
        new(row.GetString(row.GetOrdinal("tenant"))), new(row.GetString(row.GetOrdinal("id"))), row);

    private User Read(TenantId tenant, SubjectId id, DbDataReader row) => new()
    {
        Tenant = tenant,
        Id = id,
        Email = row.GetString(row.GetOrdinal("email")),
        Name = row.GetOrdinal("name") is var name && row.IsDBNull(name) ? null : row.GetString(name),
        IsEmailVerified = row.GetBoolean(row.GetOrdinal("email_verified")),
        PasswordHash = row.GetOrdinal("password_hash") is var hash && row.IsDBNull(hash) ? null : row.GetString(hash),
        IsAdmin = row.GetString(row.GetOrdinal("roles")) is Admin,
        CreatedAt = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(row.GetOrdinal("created_at"))),
        DisabledAt = switches.Since(Party.Of(tenant, id)),
    };
}
