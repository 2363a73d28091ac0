using System.Data.Common;
using Postern.Platform.Database;

namespace Postern.Gateway.Notes;

/// <summary>A note of one person.</summary>
internal sealed record Note(long Number, string Title, string Body, DateTimeOffset UpdatedAt);

/// <summary>The only place that reads and writes the table <c>notes</c>. Every statement names its owner.</summary>
internal sealed class NoteStore(Db db, TimeProvider clock)
{
    /// <summary>Notes of one person, and their sizes.</summary>
    public const int Most = 200, MaxTitle = 200, MaxBody = 20_000;

    public Task<List<Note>> AllAsync(TenantId tenant, SubjectId owner, CancellationToken stop) => db.AllAsync(
        $"""
        select number, title, body, updated_at from notes
        where tenant = {tenant.Value} and subject = {owner.Value} order by number limit {(long)Most}
        """,
        Read,
        stop);

    public Task<Note?> FindAsync(TenantId tenant, SubjectId owner, long number, CancellationToken stop) =>
        db.FirstAsync(
            $"""
            select number, title, body, updated_at from notes
            where tenant = {tenant.Value} and subject = {owner.Value} and number = {number}
            """,
            Read,
            stop);

    /// <summary>
    /// The new note's number; null when the owner has as many as one may have. One statement, so two cannot be the
    /// last.
    /// </summary>
    public async Task<long?> AddAsync(TenantId tenant, SubjectId owner, string title, string body)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var added = await db.WriteAsync(unit => unit.FirstAsync(
            $"""
            insert into notes (tenant, subject, number, title, body, updated_at)
            select {tenant.Value}, {owner.Value}, coalesce(max(number), 0) + 1, {title}, {body}, {now}
            from notes where tenant = {tenant.Value} and subject = {owner.Value} having count(*) < {(long)Most}
            returning number
            """,
            row => Tuple.Create(row.GetInt64(0))));
        return added?.Item1;
    }

    /// <summary>Replaces what is given; false when there is no such note.</summary>
    public Task<bool> EditAsync(TenantId tenant, SubjectId owner, long number, string? title, string? body) =>
        db.WriteAsync(async unit => await unit.RunAsync(
            $"""
            update notes set title = coalesce({title}, title), body = coalesce({body}, body),
              updated_at = {clock.GetUtcNow().ToUnixTimeSeconds()}
            where tenant = {tenant.Value} and subject = {owner.Value} and number = {number}
            """) is 1);

    public Task<bool> DeleteAsync(TenantId tenant, SubjectId owner, long number) => db.WriteAsync(async unit =>
        await unit.RunAsync(
            $"delete from notes where tenant = {tenant.Value} and subject = {owner.Value} and number = {number}") is 1);

    private static Note Read(DbDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetString(2), DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(3)));
}
