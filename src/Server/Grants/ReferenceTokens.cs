using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Keys;

namespace Postern.Grants;

/// <summary>
/// Access tokens that say nothing themselves: <c>pat_</c>, 256 random bits, and a MAC by which a guess costs no query.
/// What such a token would say stays here; in the database it is known by its SHA-256 alone.
/// </summary>
internal sealed class ReferenceTokens
{
    private const string Prefix = "pat_", Purpose = "reference";

    private const int RandomSize = 32, MacSize = 16, Length = 64;

    /// <summary>Tokens in memory; the least used make room.</summary>
    private const int Capacity = 20_000;

    private readonly Db db;
    private readonly Sealer sealer;
    private readonly Sweep sweep;
    private readonly RandomNumberGenerator random;
    private readonly Cache<(TenantId Tenant, string Id), byte[]> known;

    public ReferenceTokens(Db db, Sealer sealer, TimeProvider clock, RandomNumberGenerator random)
    {
        (this.db, this.sealer, this.random, sweep) = (db, sealer, random, new(clock));
        known = new(Capacity, LoadAsync);
    }

    /// <summary>A token that stands for nothing yet.</summary>
    public string New(TenantId tenant)
    {
        var bytes = random.Bytes(RandomSize);
        return Prefix + Base64Url.EncodeToString([.. bytes, .. MacOf(tenant, bytes)]);
    }

    /// <summary>Lets a new token stand for these claims.</summary>
    public async ValueTask KeepAsync(
        Unit unit, TenantId tenant, string token, byte[] claims, DateTimeOffset expires)
    {
        if (sweep.IsDue(out var now))
        {
            await unit.RunAsync($"delete from reference_tokens where expires_at < {now - 60}");
        }

        await unit.RunAsync(
            $"""
            insert into reference_tokens (tenant, id, claims, expires_at)
            values ({tenant.Value}, {new Secret(token).Hash()}, {Encoding.UTF8.GetString(claims)},
              {expires.ToUnixTimeSeconds()})
            """);
    }

    /// <summary>The claims that a token of this tenant stands for, whether or not they still hold; null for any other
    /// text.</summary>
    public ValueTask<byte[]?> ClaimsAsync(TenantId tenant, string token, CancellationToken stop) =>
        IsOurs(tenant, token) ? known.FindAsync((tenant, new Secret(token).Hash()), stop) : default;

    private Task<byte[]?> LoadAsync((TenantId Tenant, string Id) key, CancellationToken stop) => db.FirstAsync(
        $"select claims from reference_tokens where tenant = {key.Tenant.Value} and id = {key.Id}",
        row => Encoding.UTF8.GetBytes(row.GetString(0)),
        stop);

    // In its one spelling: 64 characters are 48 bytes, so there are no loose bits.
    private bool IsOurs(TenantId tenant, string token)
    {
        if (token.Length != Prefix.Length + Length
            || !token.StartsWith(Prefix, StringComparison.Ordinal)
            || !Base64Url.IsValid(token.AsSpan(Prefix.Length), out var size)
            || size is not RandomSize + MacSize)
        {
            return false;
        }

        var bytes = Base64Url.DecodeFromChars(token.AsSpan(Prefix.Length));
        return CryptographicOperations.FixedTimeEquals(
            MacOf(tenant, bytes.AsSpan(0, RandomSize)), bytes.AsSpan(RandomSize));
    }

    private byte[] MacOf(TenantId tenant, ReadOnlySpan<byte> bytes) => sealer.Mac(tenant, Purpose, bytes)[..MacSize];
}
