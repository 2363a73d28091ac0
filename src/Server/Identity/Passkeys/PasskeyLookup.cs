using System.Buffers.Text;
using Microsoft.AspNetCore.Identity;
using Postern.Identity.Users;

namespace Postern.Identity.Passkeys;

/// <summary>
/// What ASP.NET Core Identity's passkey check asks about people and their credentials, answered from our tables. It
/// asks and never writes: changes are made by the rooms, in the unit that records them.
/// </summary>
internal sealed class PasskeyLookup(TenantId tenant, UserStore users, PasskeyStore passkeys) : IUserPasskeyStore<User>
{
    public Task<User?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        users.FindAsync(tenant, new(userId), cancellationToken);

    public async Task<User?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        await passkeys.FindAsync(tenant, Base64Url.EncodeToString(credentialId), cancellationToken) is { } known
            ? await users.FindAsync(tenant, known.Subject, cancellationToken)
            : null;

    public async Task<UserPasskeyInfo?> FindPasskeyAsync(
        User user, byte[] credentialId, CancellationToken cancellationToken) =>
        await passkeys.FindAsync(tenant, Base64Url.EncodeToString(credentialId), cancellationToken) is { } known
        && known.Subject == user.Id
            ? known.ToIdentity()
            : null;

    public async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(User user, CancellationToken cancellationToken) =>
        [.. (await passkeys.OfSubjectAsync(tenant, user.Id, cancellationToken)).Select(known => known.ToIdentity())];

    public Task<string> GetUserIdAsync(User user, CancellationToken cancellationToken) =>
        Task.FromResult(user.Id.Value);

    public Task<string?> GetUserNameAsync(User user, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(user.Email);

    public Task AddOrUpdatePasskeyAsync(User user, UserPasskeyInfo passkey, CancellationToken cancellationToken) =>
        throw NeverAsked();

    public Task RemovePasskeyAsync(User user, byte[] credentialId, CancellationToken cancellationToken) =>
        throw NeverAsked();

    public Task SetUserNameAsync(User user, string? userName, CancellationToken cancellationToken) =>
        throw NeverAsked();

    public Task<string?> GetNormalizedUserNameAsync(User user, CancellationToken cancellationToken) =>
        throw NeverAsked();

    public Task SetNormalizedUserNameAsync(User user, string? normalizedName, CancellationToken cancellationToken) =>
        throw NeverAsked();

    public Task<IdentityResult> CreateAsync(User user, CancellationToken cancellationToken) => throw NeverAsked();

    public Task<IdentityResult> UpdateAsync(User user, CancellationToken cancellationToken) => throw NeverAsked();

    public Task<IdentityResult> DeleteAsync(User user, CancellationToken cancellationToken) => throw NeverAsked();

    public Task<User?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) =>
        throw NeverAsked();

    public void Dispose()
    {
    }

    private static NotSupportedException NeverAsked() => new("The check of a passkey does not ask this.");
}
