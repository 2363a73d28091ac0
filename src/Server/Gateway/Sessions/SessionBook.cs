using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Postern.Gateway.Relay;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Keys;
using Postern.Servers;

namespace Postern.Gateway.Sessions;

/// <summary>
/// The sessions of legacy clients: the row is the truth, so that any node can serve any request and a restart ends
/// none; memory follows it by the change feed. Their number per owner and their rest are bounded.
/// </summary>
internal sealed class SessionBook : IAsyncDisposable
{
    /// <summary>Sessions one subject may have through one client; the one longest unused makes room.</summary>
    public const int MostPerOwner = 32;

    private const string Kind = "gateway-session", LevelKind = "gateway-session-level", Purpose = "gateway-session";

    private static readonly TimeSpan
        Idle = TimeSpan.FromHours(12), NoteEvery = TimeSpan.FromMinutes(5), SweepEvery = TimeSpan.FromHours(1);

    private readonly Db db;
    private readonly Sealer sealer;
    private readonly TimeProvider clock;
    private readonly RandomNumberGenerator random;
    private readonly Cache<(TenantId, string), LegacySession> sessions;
    private readonly ITimer sweeping;

    public SessionBook(
        Db db, Changes changes, ServerBook servers, Sealer sealer, TimeProvider clock, RandomNumberGenerator random)
    {
        (this.db, this.sealer, this.clock, this.random) = (db, sealer, clock, random);
        sessions = new(10_000, LoadAsync);
        changes.Subscribe(Hear);
        servers.Watch(gone: Drop);
        servers.Forgetting.Add(ForgetAsync);
        sweeping = clock.CreateTimer(_ => _ = SweepAsync(), null, SweepEvery, SweepEvery);
    }

    /// <summary>Begins a session and answers its handle, which only the client will know.</summary>
    public async Task<string> OpenAsync(string server, string version, Line line)
    {
        var handle = Secret.New(random);
        var (owner, now) = (line.Owner, clock.GetUtcNow().ToUnixTimeSeconds());
        var sealedId = line.SessionId is null
            ? null
            : sealer.Seal(line.Owner.Tenant, Purpose, Encoding.ASCII.GetBytes(line.SessionId));
        await db.WriteAsync(async unit =>
        {
            await unit.RunAsync(
                $"""
                insert into gateway_sessions (tenant, id, server, subject, client, grant_id, version, capabilities,
                  client_info, log_level, upstream_version, upstream_session, seen_at)
                values ({owner.Tenant.Value}, {handle.Hash()}, {server}, {owner.Subject.Value}, {owner.Client.Value},
                  {owner.Grant.Value}, {version}, {line.Capabilities}, {line.ClientInfo}, {line.LogLevel},
                  {line.Version}, {sealedId}, {now})
                """);
            var surplus = await unit.AllAsync(
                $"""
                delete from gateway_sessions
                where tenant = {owner.Tenant.Value} and subject = {owner.Subject.Value}
                  and client = {owner.Client.Value}
                  and id not in (
                    select id from gateway_sessions
                    where tenant = {owner.Tenant.Value} and subject = {owner.Subject.Value}
                      and client = {owner.Client.Value}
                    order by seen_at desc, case id when {handle.Hash()} then 0 else 1 end, id
                    limit {(long)MostPerOwner})
                returning id
                """,
                row => row.GetString(0));
            surplus.ForEach(id => unit.Announce(Kind, owner.Tenant, id));
        });
        return handle.Reveal();
    }

    /// <summary>
    /// The session of this owner at this server; null for one that is unknown, over or somebody else's alike.
    /// </summary>
    public async ValueTask<LegacySession?> FindAsync(
        string handle, Principal caller, string server, CancellationToken stop)
    {
        if (handle.Length is not Secret.Length)
        {
            return null;
        }

        var session = await sessions.FindAsync((caller.Tenant, new Secret(handle).Hash()), stop);
        var now = clock.GetUtcNow();
        if (session is null || !session.IsOf(caller, server)
            || (IsIdle(session, now) && !await WasSeenAsync(session, now, stop)))
        {
            return null;
        }

        if (now - session.SeenAt > NoteEvery)
        {
            session.SeenAt = now;
            await db.WriteAsync(async unit => await unit.RunAsync(
                $"""
                update gateway_sessions set seen_at = {now.ToUnixTimeSeconds()}
                where tenant = {caller.Tenant.Value} and id = {session.Id}
                """));
        }

        return session;
    }

    /// <summary>Keeps the level of log messages the client asks for.</summary>
    public async Task SetLevelAsync(LegacySession session, string level)
    {
        var tenant = session.Line.Owner.Tenant;
        session.Line = session.Line with { LogLevel = level };
        await db.WriteAsync(async unit =>
        {
            await unit.RunAsync(
                $"update gateway_sessions set log_level = {level} where tenant = {tenant.Value} and id = {session.Id}");
            unit.Announce(LevelKind, tenant, session.Id);
        });
    }

    public Task EndAsync(LegacySession session)
    {
        var tenant = session.Line.Owner.Tenant;
        return db.WriteAsync(async unit =>
        {
            await unit.RunAsync($"delete from gateway_sessions where tenant = {tenant.Value} and id = {session.Id}");
            unit.Announce(Kind, tenant, session.Id);
        });
    }

    public ValueTask DisposeAsync() => sweeping.DisposeAsync();

    private void Hear(Change change)
    {
        if (change.Kind is Kind)
        {
            sessions.Drop((change.Tenant, change.Key));
        }
        else if (change.Kind is LevelKind && sessions.Peek((change.Tenant, change.Key)) is { } session)
        {
            // Not dropped: it knows what is under way with the client on this node.
            _ = ReloadAsync(session);
        }
        else if (change.Kind is Changes.Everything)
        {
            sessions.Clear();
        }
    }

    private void Drop(McpServer server) => sessions.DropWhere(
        session => session.Server == server.Name && session.Line.Owner.Tenant == server.Tenant);

    private static async ValueTask ForgetAsync(Unit unit, TenantId tenant, string server) =>
        await unit.RunAsync($"delete from gateway_sessions where tenant = {tenant.Value} and server = {server}");

    private static bool IsIdle(LegacySession session, DateTimeOffset now) => now - session.SeenAt > Idle;

    // Another node may have served it since.
    private async Task<bool> WasSeenAsync(LegacySession session, DateTimeOffset now, CancellationToken stop)
    {
        var key = (session.Line.Owner.Tenant, session.Id);
        if (await LoadAsync(key, stop) is not { } kept)
        {
            sessions.Drop(key);
            return false;
        }

        session.SeenAt = kept.SeenAt;
        return !IsIdle(session, now);
    }

    private async Task ReloadAsync(LegacySession session)
    {
        var key = (session.Line.Owner.Tenant, session.Id);
        try
        {
            session.Line = (await LoadAsync(key, CancellationToken.None))?.Line ?? session.Line;
        }
        catch (DatabaseUnavailableException)
        {
            sessions.Drop(key);
        }
    }

    private async Task SweepAsync()
    {
        var before = (clock.GetUtcNow() - Idle).ToUnixTimeSeconds();
        try
        {
            await db.WriteAsync(
                async unit => await unit.RunAsync($"delete from gateway_sessions where seen_at < {before}"));
        }
        catch (DatabaseUnavailableException)
        {
            // The next sweep finds the same rows; until then nobody can use them.
        }
    }

    private Task<LegacySession?> LoadAsync((TenantId Tenant, string Id) key, CancellationToken stop) => db.FirstAsync(
        $"""
        select id, server, version, subject, client, grant_id, capabilities, client_info, log_level, upstream_version,
          upstream_session, seen_at
        from gateway_sessions where tenant = {key.Tenant.Value} and id = {key.Id}
        """,
        row => Read(row, key.Tenant),
        stop);

    private LegacySession Read(DbDataReader row, TenantId tenant)
    {
        var line = new Line(new(tenant, new(row.GetString(3)), new(row.GetString(4)), new(row.GetString(5))))
        {
            Capabilities = row.GetString(6),
            ClientInfo = row.IsDBNull(7) ? null : row.GetString(7),
            LogLevel = row.IsDBNull(8) ? null : row.GetString(8),
            Version = row.GetString(9),
            SessionId = row.IsDBNull(10) ? null : Opened(tenant, row.GetString(10)),
        };
        return new(row.GetString(0), row.GetString(1), row.GetString(2), line)
        {
            SeenAt = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(11)),
        };
    }

    private string? Opened(TenantId tenant, string text) =>
        sealer.Open(tenant, Purpose, text) is { } bytes ? Encoding.ASCII.GetString(bytes) : null;
}
