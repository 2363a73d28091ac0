using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Postern.OAuth.ClientAuth;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Keys;

namespace Postern.OAuth.OpenId;

/// <summary>
/// The names by which clients know people (OpenID Connect Core §8): our own, or for a client that registered for it one
/// that says nothing at another site.
/// </summary>
internal sealed class Subjects(Db db, Sealer sealer, RandomNumberGenerator random)
{
    public const string Public = "public", Pairwise = "pairwise";

    private const string Purpose = "pairwise-salt";

    private readonly ConcurrentDictionary<TenantId, byte[]> salts = new();

    public async ValueTask<string> OfAsync(TenantId tenant, Client client, SubjectId person, CancellationToken stop)
    {
        if (client.OpenId.Sector is not { } sector)
        {
            return person.Value;
        }

        var salt = salts.TryGetValue(tenant, out var known) ? known : await SaltAsync(tenant, stop);
        return Base64Url.EncodeToString(HMACSHA256.HashData(salt, Encoding.UTF8.GetBytes($"{sector}\n{person}")));
    }

    /// <summary>
    /// A grant as the access token names its person: where the token is good at UserInfo alone, by the client's name
    /// for them. At a server the person is the same whichever client comes for them.
    /// </summary>
    public async ValueTask<Grant> NamedAsync(Tenant tenant, Client client, Grant grant, CancellationToken stop) =>
        client.OpenId.Sector is null || grant.Resource.Value != tenant.UserInfo
            ? grant
            : grant with { Subject = new(await OfAsync(tenant.Id, client, grant.Subject, stop)) };

    // Kept, and not derived from the master key: that one changes, and the names must not.
    private async ValueTask<byte[]> SaltAsync(TenantId tenant, CancellationToken stop)
    {
        var made = sealer.SealBytes(tenant, Purpose, random.Bytes(32), Encoding.UTF8.GetBytes(tenant.Value));
        await db.WriteAsync(async unit => await unit.RunAsync(
            $"insert into pairwise_salts (tenant, sealed) values ({tenant.Value}, {made}) on conflict do nothing"));
        var kept = await db.FirstAsync(
            $"select sealed from pairwise_salts where tenant = {tenant.Value}",
            row => row.GetFieldValue<byte[]>(0),
            stop);
        return salts[tenant] = sealer.OpenBytes(tenant, Purpose, kept!, Encoding.UTF8.GetBytes(tenant.Value))
            ?? throw new SetupException("The salt of people's names was sealed with another master key.");
    }
}
