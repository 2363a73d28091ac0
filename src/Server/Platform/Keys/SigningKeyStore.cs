using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Postern.Platform.Database;

namespace Postern.Platform.Keys;

/// <summary>
/// The only place that reads and writes the table <c>signing_keys</c>; the private halves rest in it sealed, each for
/// its tenant.
/// </summary>
internal sealed class SigningKeyStore(Db db, Sealer sealer, TimeProvider clock)
{
    public const string Kind = "keys";

    private const string Purpose = "signing-key";

    /// <summary>
    /// The keys that are published, with the tenant of each; those that are known stay what they are.
    /// </summary>
    public async Task<List<(TenantId Tenant, SigningKey Key)>> LoadAsync(
        IReadOnlyDictionary<string, SigningKey> known, CancellationToken stop)
    {
        var rows = await db.AllAsync(
            $"""
            select tenant, kid, alg, sealed, signs_from, signs_until, published_until from signing_keys
            where published_until > {clock.GetUtcNow().ToUnixTimeSeconds()} order by signs_from
            """,
            Row.Read,
            stop);
        return [.. rows.Select(row =>
            (row.Tenant, known.GetValueOrDefault(row.Kid) is { } same && row.Is(same) ? same : Open(row)))];
    }

    /// <summary>
    /// Adds a key as part of a unit. Two nodes may find at once that one is due; the second finds that it is there
    /// already, and null says so.
    /// </summary>
    public async ValueTask<string?> InsertAsync(
        Unit unit, TenantId tenant, AsymmetricAlgorithm pair, DateTimeOffset from)
    {
        var until = from + SigningKeys.Term;
        using var key = new SigningKey(pair, from, until, until + SigningKeys.Tail);
        var secret = sealer.SealBytes(tenant, Purpose, pair.ExportPkcs8PrivateKey(), Encoding.ASCII.GetBytes(key.Id));
        // One node after the other: two that look at once would both see that there is none.
        await unit.RunAsync($"update change_head set id = id");
        var rows = await unit.RunAsync(
            $"""
            insert into signing_keys
              (tenant, kid, alg, sealed, public_jwk, created_at, signs_from, signs_until, published_until)
            select {tenant.Value}, {key.Id}, {key.Algorithm}, {secret}, {key.PublicJwk},
              {clock.GetUtcNow().ToUnixTimeSeconds()}, {from.ToUnixTimeSeconds()}, {until.ToUnixTimeSeconds()},
              {key.PublishedUntil.ToUnixTimeSeconds()}
            where not exists (
              select 1 from signing_keys
              where tenant = {tenant.Value} and alg = {key.Algorithm} and signs_until > {from.ToUnixTimeSeconds()})
            """);
        unit.Announce(Kind, tenant, key.Id);
        return rows > 0 ? key.Id : null;
    }

    /// <summary>Lets the keys that sign now sign until a moment, and be published until another.</summary>
    public static async ValueTask RetireAsync(
        Unit unit, TenantId tenant, DateTimeOffset now, DateTimeOffset until, DateTimeOffset published) =>
        await unit.RunAsync(
            $"""
            update signing_keys
            set signs_until = {until.ToUnixTimeSeconds()}, published_until = {published.ToUnixTimeSeconds()}
            where tenant = {tenant.Value} and signs_until > {until.ToUnixTimeSeconds()}
              and signs_from <= {now.ToUnixTimeSeconds()}
            """);

    /// <summary>Takes every key out of the set.</summary>
    public static async ValueTask EndAsync(Unit unit, TenantId tenant, DateTimeOffset now) => await unit.RunAsync(
        $"""
        update signing_keys set signs_until = {now.ToUnixTimeSeconds()}, published_until = {now.ToUnixTimeSeconds()}
        where tenant = {tenant.Value} and published_until > {now.ToUnixTimeSeconds()}
        """);

    private SigningKey Open(Row row)
    {
        var plain = sealer.OpenBytes(row.Tenant, Purpose, row.Sealed, Encoding.ASCII.GetBytes(row.Kid))
            ?? throw new SetupException($"Signing key {row.Kid} was sealed with another master key.");
        using var pair = SigningKey.Import(row.Algorithm, plain);
        CryptographicOperations.ZeroMemory(plain);
        return new(pair, row.SignsFrom, row.SignsUntil, row.PublishedUntil);
    }

    private sealed record Row(
        TenantId Tenant,
        string Kid,
        string Algorithm,
        byte[] Sealed,
        DateTimeOffset SignsFrom,
        DateTimeOffset SignsUntil,
        DateTimeOffset PublishedUntil)
    {
        public static Row Read(DbDataReader row) => new(
            new(row.GetString(0)),
            row.GetString(1),
            row.GetString(2),
            row.GetFieldValue<byte[]>(3),
            DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(4)),
            DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(5)),
            DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(6)));

        public bool Is(SigningKey key) =>
            (key.SignsFrom, key.SignsUntil, key.PublishedUntil) == (SignsFrom, SignsUntil, PublishedUntil);
    }
}
