using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>A place in one of the status lists.</summary>
internal sealed record StatusPlace(long List, long Index);

/// <summary>
/// The places of access tokens in the published status lists. A place is drawn at random, so that a list tells neither
/// whose token stands where nor which came first, and belongs to one token for as long as that lives.
/// </summary>
internal sealed class StatusPlaces(Db db, TimeProvider clock, RandomNumberGenerator random)
{
    /// <summary>Where the lists are published, by their numbers.</summary>
    public const string Path = "/statuslists";

    /// <summary>Places in one list, and lists at one tenant.</summary>
    public const int Size = 1 << 17, Lists = 64;

    // In a list that is half full, all of them are taken once in 256 times: the next list takes over as one fills.
    private const int Tries = 8;

    // Where the last place was found, so that nobody tries all the full lists before it.
    private readonly ConcurrentDictionary<TenantId, long> lately = new();
    private readonly Sweep sweep = new(clock);

    /// <summary>Takes a place for a token.</summary>
    /// <exception cref="DatabaseUnavailableException">All lists are full: millions of tokens live.</exception>
    public async ValueTask<StatusPlace> TakeAsync(
        Unit unit, Grant grant, string tokenId, IReadOnlyList<string> ancestors, DateTimeOffset expires)
    {
        var from = ancestors is [] ? null : $" {string.Join(' ', ancestors)} ";
        if (sweep.IsDue(out var now))
        {
            await unit.RunAsync($"delete from token_statuses where expires_at < {now - 60}");
        }

        var first = lately.GetValueOrDefault(grant.Tenant);
        for (var tries = 0; tries < Lists * Tries; tries++)
        {
            var place = new StatusPlace(
                (first + (tries / Tries)) % Lists, BinaryPrimitives.ReadUInt32LittleEndian(random.Bytes(4)) % Size);
            var taken = await unit.RunAsync(
                $"""
                insert into token_statuses (tenant, list, place, token_id, grant_id, expires_at, ancestors)
                values ({grant.Tenant.Value}, {place.List}, {place.Index}, {tokenId}, {grant.Id.Value},
                  {expires.ToUnixTimeSeconds()}, {from})
                on conflict do nothing
                """);
            if (taken is 1)
            {
                lately[grant.Tenant] = place.List;
                return place;
            }
        }

        throw new DatabaseUnavailableException("the status lists are full");
    }

    /// <summary>The places of a list whose tokens have not expired and stand no more.</summary>
    public async Task<IReadOnlyList<int>> EndedAsync(TenantId tenant, long list, CancellationToken stop) =>
        [.. (await db.AllAsync(
            $"""
            select s.place from token_statuses s
            where s.tenant = {tenant.Value} and s.list = {list}
              and s.expires_at > {clock.GetUtcNow().ToUnixTimeSeconds()} and (
                exists (
                  select 1 from grants g
                  where g.tenant = s.tenant and g.id = s.grant_id and g.revoked_at is not null)
                or exists (
                  select 1 from revoked_tokens r where r.tenant = s.tenant and r.token_id = s.token_id)
                or (s.ancestors is not null and exists (
                  select 1 from revoked_tokens r
                  where r.tenant = s.tenant and s.ancestors like '% ' || r.token_id || ' %')))
            """,
            row => Tuple.Create((int)row.GetInt64(0)),
            stop)).Select(row => row.Item1)];
}
