using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Postern.Audit;
using Postern.Platform.Database;
using Postern.Platform.Keys;

namespace Postern.Grants;

/// <summary>
/// The line of one-time tokens of a grant: generation 0 is the authorization code, each later one a
/// refresh token <c>prt_FAMILY.GENERATION.MAC</c>. The MAC is checked before anything is looked up, so a
/// guess costs no query; one compare-and-swap decides every race; the same generation always makes the
/// same text, so a lost answer can be repeated.
/// </summary>
internal sealed class Families(Db db, Sealer sealer, AuditLog audit, GrantBook grants, TimeProvider clock)
{
    /// <summary>How long a repeat by the same holder is taken for a lost answer and not for theft.</summary>
    public static readonly TimeSpan RetryWindow = TimeSpan.FromSeconds(30);

    private const string Prefix = "prt_", Purpose = "refresh", TokenPurpose = "token-id";

    /// <summary>Begins the line of a new grant at the code.</summary>
    public async ValueTask BeginAsync(Unit unit, Grant grant)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        await unit.RunAsync(
            $"""
            insert into families (tenant, grant_id, generation, rotated_at, idle_until, holder)
            values ({grant.Tenant.Value}, {grant.Id.Value}, {0L}, {now}, {grant.ExpiresAt.ToUnixTimeSeconds()}, {""})
            """);
    }

    /// <summary>
    /// The name of the access token that goes with a generation, for one request: its answer is the same each time.
    /// </summary>
    public string TokenId(Grant grant, long generation, string asked) => Base64Url.EncodeToString(sealer.Mac(
        grant.Tenant,
        TokenPurpose,
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{grant.Id}\n{generation}\n{asked}")))
        .AsSpan(0, 16));

    /// <summary>The refresh token of a generation.</summary>
    public string Token(Grant grant, long generation)
    {
        var body = string.Create(
            CultureInfo.InvariantCulture, $"{grant.Id.Value[GrantId.Prefix.Length..]}.{generation}");
        var mac = sealer.Mac(grant.Tenant, Purpose, Encoding.ASCII.GetBytes(body));
        return $"{Prefix}{body}.{Base64Url.EncodeToString(mac)}";
    }

    /// <summary>
    /// Reads a refresh token that this tenant made, in its one exact spelling; null for anything else.
    /// </summary>
    public (GrantId Grant, long Generation)? Parse(TenantId tenant, string token)
    {
        if (token.Length > 200
            || !token.StartsWith(Prefix, StringComparison.Ordinal)
            || token[Prefix.Length..].Split('.') is not
                [{ Length: 32 } id, { Length: > 0 and <= 18 } number, { Length: 43 } mac]
            || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
            || !Base64Url.IsValid(mac))
        {
            return null;
        }

        var body = Encoding.ASCII.GetBytes($"{id}.{number}");
        var made = Base64Url.DecodeFromChars(mac);
        return sealer.IsMac(tenant, Purpose, body, made) && Base64Url.EncodeToString(made) == mac
            ? (new(GrantId.Prefix + id), generation)
            : null;
    }

    /// <summary>
    /// Whether this is the newest generation of its line, has not rested too long, and is this one's to present, if it
    /// matters whose. Nothing is used up.
    /// </summary>
    public async Task<bool> IsNewestAsync(
        Grant grant, long generation, CancellationToken stop, Hand? hand = null) => await db.FirstAsync(
        $"""
        select grant_id from families
        where tenant = {grant.Tenant.Value} and grant_id = {grant.Id.Value} and generation = {generation}
          and idle_until > {clock.GetUtcNow().ToUnixTimeSeconds()}
          and (bound_to = {""} or bound_to = {hand?.Key ?? ""} or {hand is not { MayReplaceKey: false }})
          and (instance = {""} or instance = {hand?.Instance ?? ""} or {hand is null})
        """,
        row => row.GetString(0),
        stop) is not null;

    /// <summary>
    /// Moves the line from <paramref name="generation"/> to the next, once; or, for a client that may keep its refresh
    /// token, only puts its rest off. The unit also takes the entry that
    /// <paramref name="entry"/> describes, when this caller is the winner or repeats its own rotation.
    /// </summary>
    /// <param name="grant">The grant, alive as far as this node knows.</param>
    /// <param name="generation">The generation presented.</param>
    /// <param name="hand">Who presents it.</param>
    /// <param name="idle">How long the next generation may rest.</param>
    /// <param name="entry">The entry of a token issued.</param>
    /// <param name="isPolled">The holder of a code comes for its answer again and again.</param>
    /// <param name="begin">Makes the grant, where it begins with its code.</param>
    /// <param name="keep">Writes what the tokens leave that this caller is to have.</param>
    public async Task<Rotation> RotateAsync(
        Grant grant,
        long generation,
        Hand hand,
        TimeSpan idle,
        AuditEntry entry,
        bool isPolled = false,
        Func<Unit, ValueTask>? begin = null,
        Func<Unit, Rotation.Moved, ValueTask>? keep = null)
    {
        var now = clock.GetUtcNow();
        var seconds = now.ToUnixTimeSeconds();
        var idleUntil = Math.Min(now.Add(idle).ToUnixTimeSeconds(), grant.ExpiresAt.ToUnixTimeSeconds());
        return await db.WriteAsync(async unit =>
        {
            if (begin is not null)
            {
                await begin(unit);
            }

            var rotation = await RotateAsync(unit);
            if (keep is not null && rotation is Rotation.Moved moved)
            {
                await keep(unit, moved);
            }

            return rotation;
        });

        async ValueTask<Rotation> RotateAsync(Unit unit)
        {
            if (generation > 0 && await IsKeptAsync(unit, grant, generation, hand, seconds, idleUntil))
            {
                audit.Write(unit, entry with { TokenId = hand.KeptAs });
                return new Rotation.Moved(generation, now, idleUntil) { IsKept = true };
            }

            // The grant is looked at again in the statement itself: another
            // node may have ended it and not been heard yet. So is the key: a wrong one consumes nothing.
            var moved = await unit.RunAsync(
                $"""
                update families
                set generation = generation + 1, rotated_at = {seconds}, idle_until = {idleUntil},
                  holder = {hand.Network}, bound_to = {hand.Key}, instance = {hand.Instance},
                  asked = {hand.Asked}
                where tenant = {grant.Tenant.Value} and grant_id = {grant.Id.Value}
                  and generation = {generation} and idle_until > {seconds}
                  and (bound_to = {""} or bound_to = {hand.Key} or {hand.MayReplaceKey})
                  and (instance = {""} or instance = {hand.Instance})
                  and exists (
                    select 1 from grants
                    where tenant = {grant.Tenant.Value} and id = {grant.Id.Value} and revoked_at is null)
                """);
            if (moved is 1)
            {
                audit.Write(unit, entry);
                return new Rotation.Moved(generation + 1, Seconds(seconds), idleUntil);
            }

            return await WhyNotAsync(unit, grant, generation, hand, now, entry, isPolled);
        }
    }

    // FAPI 2.0 §5.3.2.1: to whom else a refresh token goes is nothing to them without the client's own proof and the
    // key it is bound to, so that a new one at each use would only be one more answer to lose. With another key it is
    // a new one, and the old one is over: what is seen of theft stays seen.
    private static async ValueTask<bool> IsKeptAsync(
        Unit unit, Grant grant, long generation, Hand hand, long now, long idleUntil) =>
        hand is { KeptAs: not null } and not { Key: "", Instance: "" }
        && await unit.RunAsync(
            $"""
            update families set idle_until = {idleUntil}
            where tenant = {grant.Tenant.Value} and grant_id = {grant.Id.Value}
              and generation = {generation} and idle_until > {now}
              and bound_to = {hand.Key} and instance = {hand.Instance}
              and exists (
                select 1 from grants
                where tenant = {grant.Tenant.Value} and id = {grant.Id.Value} and revoked_at is null)
            """) is 1;

    private async ValueTask<Rotation> WhyNotAsync(
        Unit unit,
        Grant grant,
        long generation,
        Hand hand,
        DateTimeOffset now,
        AuditEntry entry,
        bool isPolled)
    {
        var row = await unit.FirstAsync(
            $"""
            select f.generation, f.rotated_at, f.holder, f.bound_to, f.asked, f.repeated, f.repeated_at,
              f.idle_until, f.instance
            from families f
            join grants g on g.tenant = f.tenant and g.id = f.grant_id
            where f.tenant = {grant.Tenant.Value} and f.grant_id = {grant.Id.Value} and g.revoked_at is null
            """,
            row => new Line(row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetString(3))
            {
                Asked = row.GetString(4),
                Repeated = row.GetInt64(5),
                RepeatedAt = row.GetInt64(6),
                IdleUntil = row.GetInt64(7),
                Instance = row.GetString(8),
            });
        if (row is null || row.Generation == generation)
        {
            return row is null || hand.Holds(row.BoundTo, row.Instance)
                ? new Rotation.Expired()
                : new Rotation.Foreign();
        }

        // Code 0 is never repeated: its lost answer is a new sign-in. A refresh
        // token is, for a moment, to its own holder.
        var isSoon = row.Generation == generation + 1
            && now.ToUnixTimeSeconds() - row.RotatedAt <= (long)RetryWindow.TotalSeconds
            && row.Holder == hand.Network && row.BoundTo == hand.Key && row.Instance == hand.Instance;
        if (isSoon && generation > 0 && (hand.IsProven || IsRepeat(row, generation, hand)))
        {
            await NoteRepeatAsync(unit, grant, generation, now);
            audit.Write(unit, entry);
            return new Rotation.Moved(row.Generation, Seconds(row.RotatedAt), row.IdleUntil);
        }

        // Two polls side by side: one has the answer, the other has nothing and harms nothing.
        if (isSoon && isPolled)
        {
            return new Rotation.Expired();
        }

        // One of the two who hold this token is a thief, and nobody can say which: the whole grant ends.
        await grants.RevokeAsync(unit, grant, entry with
        {
            Kind = AuditKinds.TokenReuse,
            Effect = "deny",
            Reason = generation is 0 ? "code used again" : "refresh token used again",
            TokenId = null,
        });
        return new Rotation.Reused();
    }

    // Nothing was proven, so it must be the very request whose answer was lost. And the token must not be one that was
    // given out twice just before: of two who use such a one, either may have it from the other.
    private static bool IsRepeat(Line row, long generation, Hand hand) =>
        row.Asked == hand.Asked
        && (row.Repeated != generation - 1 || row.RotatedAt - row.RepeatedAt > (long)RetryWindow.TotalSeconds);

    private static async ValueTask NoteRepeatAsync(Unit unit, Grant grant, long generation, DateTimeOffset now) =>
        await unit.RunAsync(
            $"""
            update families set repeated = {generation}, repeated_at = {now.ToUnixTimeSeconds()}
            where tenant = {grant.Tenant.Value} and grant_id = {grant.Id.Value}
            """);

    private static DateTimeOffset Seconds(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);

    private sealed record Line(long Generation, long RotatedAt, string Holder, string BoundTo)
    {
        public required string Asked { get; init; }

        public required long Repeated { get; init; }

        public required long RepeatedAt { get; init; }

        public required long IdleUntil { get; init; }

        public required string Instance { get; init; }
    }
}
