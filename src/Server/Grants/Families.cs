using Postern.Audit;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>
/// The line of one-time tokens of a grant: generation 0 is the authorization code, each later one a refresh token
/// (<see cref="RefreshTokens"/>). One compare-and-swap decides every race.
/// </summary>
internal sealed class Families(Db db, AuditLog audit, GrantBook grants, TimeProvider clock)
{
    /// <summary>How long a repeat by the same holder is taken for a lost answer and not for theft.</summary>
    public static readonly TimeSpan RetryWindow = TimeSpan.FromSeconds(30);

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
    /// Moves the line from the generation that is presented to the next, once; or, for a client that may keep its
    /// refresh token, only puts its rest off. The unit also takes the entry, when this caller is the winner or repeats
    /// its own rotation.
    /// </summary>
    public Task<Rotation> RotateAsync(Presented shown)
    {
        var now = clock.GetUtcNow();
        return db.WriteAsync(async unit =>
        {
            if (shown.Begin is { } begin)
            {
                await begin(unit);
            }

            var rotation = await RotateAsync(unit, shown, now);
            if (rotation is Rotation.Moved moved && shown.Keep is { } keep)
            {
                await keep(unit, moved);
            }

            return rotation;
        });
    }

    private async ValueTask<Rotation> RotateAsync(Unit unit, Presented shown, DateTimeOffset now)
    {
        var (seconds, idleUntil) = (now.ToUnixTimeSeconds(), shown.IdleUntil(now));
        if (await IsKeptAsync(unit, shown, seconds, idleUntil))
        {
            audit.Write(unit, shown.Entry with { TokenId = shown.Hand.KeptAs });
            return new Rotation.Moved(shown.Generation, now, idleUntil) { IsKept = true };
        }

        if (await IsMovedAsync(unit, shown, seconds, idleUntil))
        {
            audit.Write(unit, shown.Entry);
            return new Rotation.Moved(shown.Generation + 1, Seconds(seconds), idleUntil);
        }

        return await WhyNotAsync(unit, shown, seconds);
    }

    // The grant is looked at again in the statement itself: another node may have ended it and not been heard yet. So
    // is the key: a wrong one consumes nothing.
    private static async ValueTask<bool> IsMovedAsync(Unit unit, Presented shown, long now, long idleUntil)
    {
        var (grant, generation, hand) = (shown.Grant, shown.Generation, shown.Hand);
        return await unit.RunAsync(
            $"""
            update families
            set generation = generation + 1, rotated_at = {now}, idle_until = {idleUntil},
              holder = {hand.Network}, bound_to = {hand.Key}, instance = {hand.Instance}, asked = {hand.Asked}
            where tenant = {grant.Tenant.Value} and grant_id = {grant.Id.Value}
              and generation = {generation} and idle_until > {now}
              and (bound_to = {""} or bound_to = {hand.Key} or {hand.MayReplaceKey})
              and (instance = {""} or instance = {hand.Instance})
              and exists (
                select 1 from grants
                where tenant = {grant.Tenant.Value} and id = {grant.Id.Value} and revoked_at is null)
            """) is 1;
    }

    // FAPI 2.0 §5.3.2.1: to whom else a refresh token goes is nothing to them without the client's own proof and the
    // key it is bound to, so that a new one at each use would only be one more answer to lose. With another key it is
    // a new one, and the old one is over: what is seen of theft stays seen.
    private static async ValueTask<bool> IsKeptAsync(Unit unit, Presented shown, long now, long idleUntil)
    {
        var (grant, generation, hand) = (shown.Grant, shown.Generation, shown.Hand);
        return generation > 0
            && hand is { KeptAs: not null } and not { Key: "", Instance: "" }
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
    }

    private async ValueTask<Rotation> WhyNotAsync(Unit unit, Presented shown, long now)
    {
        var (generation, hand) = (shown.Generation, shown.Hand);
        if (await LineAsync(unit, shown.Grant) is not { } line)
        {
            return new Rotation.Expired();
        }

        if (line.Generation == generation)
        {
            return hand.Holds(line.BoundTo, line.Instance) ? new Rotation.Expired() : new Rotation.Foreign();
        }

        // Code 0 is never repeated: its lost answer is a new sign-in. A refresh token is, for a moment, to its own
        // holder.
        var isSoon = line.HasJustMoved(shown, now);
        if (isSoon && generation > 0 && (hand.IsProven || line.IsRepeatOf(shown)))
        {
            await NoteRepeatAsync(unit, shown, now);
            audit.Write(unit, shown.Entry);
            return new Rotation.Moved(line.Generation, Seconds(line.RotatedAt), line.IdleUntil);
        }

        // Two polls side by side: one has the answer, the other has nothing and harms nothing.
        return isSoon && shown.IsPolled ? new Rotation.Expired() : await EndAsync(unit, shown);
    }

    // One of the two who hold this token is a thief, and nobody can say which: the whole grant ends.
    private async ValueTask<Rotation> EndAsync(Unit unit, Presented shown)
    {
        await grants.RevokeAsync(unit, shown.Grant, shown.Entry with
        {
            Kind = AuditKinds.TokenReuse,
            Effect = "deny",
            Reason = shown.Generation is 0 ? "code used again" : "refresh token used again",
            TokenId = null,
        });
        return new Rotation.Reused();
    }

    private static ValueTask<Line?> LineAsync(Unit unit, Grant grant) => unit.FirstAsync(
        $"""
        select f.generation, f.rotated_at, f.holder, f.bound_to, f.asked, f.repeated, f.repeated_at, f.idle_until,
          f.instance
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

    private static async ValueTask NoteRepeatAsync(Unit unit, Presented shown, long now) => await unit.RunAsync(
        $"""
        update families set repeated = {shown.Generation}, repeated_at = {now}
        where tenant = {shown.Grant.Tenant.Value} and grant_id = {shown.Grant.Id.Value}
        """);

    private static DateTimeOffset Seconds(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);

    private sealed record Line(long Generation, long RotatedAt, string Network, string BoundTo)
    {
        private static readonly long Window = (long)RetryWindow.TotalSeconds;

        public required string Asked { get; init; }

        public required long Repeated { get; init; }

        public required long RepeatedAt { get; init; }

        public required long IdleUntil { get; init; }

        public required string Instance { get; init; }

        /// <summary>It left this generation a moment ago, by the same hand.</summary>
        public bool HasJustMoved(Presented shown, long now) =>
            Generation == shown.Generation + 1 && now - RotatedAt <= Window
            && Network == shown.Hand.Network && BoundTo == shown.Hand.Key && Instance == shown.Hand.Instance;

        /// <summary>
        /// Where nothing was proven, it must be the very request whose answer was lost. And the token must not be one
        /// that was given out twice just before: of two who use such a one, either may have it from the other.
        /// </summary>
        public bool IsRepeatOf(Presented shown) =>
            Asked == shown.Hand.Asked
            && (Repeated != shown.Generation - 1 || RotatedAt - RepeatedAt > Window);
    }
}
