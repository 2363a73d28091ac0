using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Grants;
using Postern.Platform.Database;

namespace Postern.Approvals;

/// <summary>The only place that reads and writes the table <c>asks</c>.</summary>
internal sealed partial class AskStore(Db db)
{
    // How long one that is over is still known, so that whoever comes late is told that it is over.
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    private const string Pending = nameof(AskState.Pending);

    public Task<Ask?> FindAsync(TenantId tenant, GrantId id, CancellationToken stop) => db.FirstAsync(
        $"select * from asks where tenant = {tenant.Value} and id = {id.Value}", Read, stop);

    /// <summary>What waits for a person, the newest first.</summary>
    public Task<List<Ask>> OfSubjectAsync(
        TenantId tenant, SubjectId subject, DateTimeOffset now, CancellationToken stop) => db.AllAsync(
        $"""
        select * from asks where tenant = {tenant.Value} and state = {Pending}
          and expires_at > {now.ToUnixTimeSeconds()} and subject = {subject.Value}
        order by created_at desc, id desc limit 50
        """,
        Read,
        stop);

    /// <summary>
    /// Writes a question; false when one with this user code is there, or the same as <paramref name="openKey"/> waits.
    /// </summary>
    public static async ValueTask<bool> InsertAsync(Unit unit, Ask ask, string? openKey) => await unit.RunAsync(
        $"""
        insert into asks (tenant, id, way, client_id, subject, session, wish, message, network, open_key, user_code,
          notify, holder, by_stranger, state, created_at, expires_at)
        values ({ask.Tenant.Value}, {ask.Id.Value}, {ask.Way.ToString()}, {ask.Wish.Client}, {ask.Subject?.Value},
          {ask.Session}, {JsonSerializer.Serialize(ask.Wish, AskJson.Default.Wish)}, {ask.Message}, {ask.Network},
          {openKey}, {ask.UserCode}, {ask.Notify}, {ask.Binding}, {ask.IsByStranger},
          {ask.State.ToString()}, {ask.CreatedAt.ToUnixTimeSeconds()}, {ask.ExpiresAt.ToUnixTimeSeconds()})
        on conflict do nothing
        """) is 1;

    /// <summary>
    /// One value for every request to this person that is the same but for when it was made.
    /// </summary>
    public static string Sameness(Ask ask, Secret? notify)
    {
        var wish = JsonSerializer.Serialize(ask.Wish with { Id = "", CreatedAt = 0 }, AskJson.Default.Wish);
        var life = ask.ExpiresAt - ask.CreatedAt;
        return new Secret(
            $"{ask.Way}\n{ask.Subject}\n{ask.Binding}\n{life}\n{wish}\n{ask.Message}\n{notify?.Reveal()}").Hash();
    }

    /// <summary>The same request, if it waits already.</summary>
    public static ValueTask<Ask?> OpenAsync(Unit unit, TenantId tenant, string openKey) => unit.FirstAsync(
        $"select * from asks where tenant = {tenant.Value} and open_key = {openKey}", Read);

    /// <summary>A request that is over is in nobody's way.</summary>
    public static async ValueTask FreeAsync(Unit unit, TenantId tenant, string openKey, DateTimeOffset now) =>
        await unit.RunAsync(
            $"""
            update asks set open_key = null
            where tenant = {tenant.Value} and open_key = {openKey} and expires_at <= {now.ToUnixTimeSeconds()}
            """);

    /// <summary>Whether this person has said no to this client since then.</summary>
    public static async ValueTask<bool> WasDeniedAsync(Unit unit, Ask ask, DateTimeOffset since) =>
        await unit.FirstAsync(
            $"""
            select id from asks where tenant = {ask.Tenant.Value} and state = {nameof(AskState.Denied)}
              and client_id = {ask.Wish.Client} and subject = {ask.Subject?.Value}
              and decided_at > {since.ToUnixTimeSeconds()} limit 1
            """,
            row => row.GetString(0)) is not null;

    /// <summary>How many wait, as those see it who would have to wait with this one.</summary>
    public static async ValueTask<Waiting> CountAsync(Unit unit, Ask ask, DateTimeOffset now) => (await unit.FirstAsync(
        $"""
        select count(case when by_stranger = {ask.IsByStranger} then 1 end),
          count(case when client_id = {ask.Wish.Client} then 1 end),
          count(case when by_stranger and {ask.IsByStranger} and network = {ask.Network} and subject is null
            then 1 end),
          count(case when subject = {ask.Subject?.Value} then 1 end)
        from asks where tenant = {ask.Tenant.Value} and state = {Pending} and expires_at > {now.ToUnixTimeSeconds()}
        """,
        row => new Waiting(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3))))!;

    /// <summary>
    /// Puts the question of a user code to the first person who brings it: a second finds nothing, and neither does the
    /// first in another browser. One statement, so it has one winner.
    /// </summary>
    public static async ValueTask<GrantId?> ClaimAsync(Unit unit, string userCode, Caller caller, DateTimeOffset now) =>
        await unit.FirstAsync(
            $"""
            update asks set subject = {caller.Subject.Value}, session = {caller.Session}
            where tenant = {caller.Tenant.Value} and user_code = {userCode}
              and state = {Pending} and expires_at > {now.ToUnixTimeSeconds()}
              and (subject is null or (subject = {caller.Subject.Value} and session = {caller.Session}))
            returning id
            """,
            row => row.GetString(0)) is { } id
            ? new GrantId(id)
            : null;

    /// <summary>Answers a question; false when that was done before, or it is over or another's.</summary>
    public static async ValueTask<bool> DecideAsync(
        Unit unit, Ask ask, Caller caller, AskState state, DateTimeOffset now) =>
        await unit.RunAsync(
            $"""
            update asks set state = {state.ToString()}, decided_at = {now.ToUnixTimeSeconds()}, open_key = null
            where tenant = {ask.Tenant.Value} and id = {ask.Id.Value}
              and state = {Pending} and expires_at > {now.ToUnixTimeSeconds()}
              and subject = {caller.Subject.Value} and (session is null or session = {caller.Session})
            """) is 1;

    public static async ValueTask PruneAsync(Unit unit, long now) =>
        await unit.RunAsync($"delete from asks where expires_at < {now - (long)Remembered.TotalSeconds}");

    private static Ask Read(DbDataReader row) => new()
    {
        Id = new(Text(row, "id")!),
        Tenant = new(Text(row, "tenant")!),
        Way = Enum.Parse<AskWay>(Text(row, "way")!),
        Wish = JsonSerializer.Deserialize(Text(row, "wish")!, AskJson.Default.Wish)!,
        Subject = Text(row, "subject") is { } subject ? new(subject) : null,
        Session = Text(row, "session"),
        UserCode = Text(row, "user_code"),
        Message = Text(row, "message"),
        Notify = Text(row, "notify"),
        Binding = Text(row, "holder"),
        IsByStranger = row.GetBoolean(row.GetOrdinal("by_stranger")),
        Network = Text(row, "network")!,
        State = Enum.Parse<AskState>(Text(row, "state")!),
        CreatedAt = At(row, "created_at"),
        ExpiresAt = At(row, "expires_at"),
    };

    private static string? Text(DbDataReader row, string column) =>
        row.GetOrdinal(column) is var at && row.IsDBNull(at) ? null : row.GetString(at);

    private static DateTimeOffset At(DbDataReader row, string column) =>
        DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(row.GetOrdinal(column)));

    [JsonSerializable(typeof(Wish))]
    private sealed partial class AskJson : JsonSerializerContext;
}

/// <summary>
/// Questions that wait: of the like in the tenant, of one client, of strangers in one network for whoever brings the
/// code, for one person.
/// </summary>
internal sealed record Waiting(long InAll, long OfClient, long OfNetwork, long OfSubject);
