using System.Security.Cryptography;
using Postern.Audit;
using Postern.Identity.Passwords;
using Postern.Platform.Configuration;
using Postern.Platform.Database;

namespace Postern.Identity.Users;

/// <summary>Makes the accounts that the configuration names, once; what a person changed later stays.</summary>
internal sealed class UserSeeds(
    Settings settings,
    UserStore users,
    PasswordHashes hashes,
    Db db,
    AuditLog audit,
    TimeProvider clock,
    RandomNumberGenerator random)
{
    public async Task ApplyAsync(CancellationToken stop)
    {
        foreach (var seed in settings.Users)
        {
            if (await users.FindByEmailAsync(TenantId.Default, seed.Email, stop) is null)
            {
                await AddAsync(seed, stop);
            }
        }
    }

    private async Task AddAsync(UserSeed seed, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var user = new User
        {
            Tenant = TenantId.Default,
            Id = User.NewId(now, random),
            Email = seed.Email,
            Name = seed.Name,
            IsEmailVerified = seed.IsEmailVerified,
            PasswordHash = await hashes.MakeAsync(seed.Password.Reveal(), stop),
            IsAdmin = seed.Roles.Contains("admin"),
            CreatedAt = now,
        };
        await db.WriteAsync(async unit =>
        {
            if (await UserStore.InsertAsync(unit, user))
            {
                audit.Write(unit, new()
                {
                    Tenant = user.Tenant,
                    Kind = AuditKinds.UserCreated,
                    User = user.Id,
                    Reason = "named in the configuration",
                });
            }
        });
    }
}
