using System.Data.Common;
using System.Diagnostics;
using System.Security.Cryptography;
using Postern.Platform.Database;
using Postern.Platform.Tenants;

namespace Postern.Audit;

/// <summary>
/// The append-only record. An entry is written in the transaction of what it records; its number and the hash of the
/// one before it are given under the lock of the tenant's chain, at the end of that transaction.
/// </summary>
internal sealed class AuditLog
{
    /// <summary>Entries for which there are places in a tenant's chain.</summary>
    internal const long MostEntries = 1L << 40;

    private readonly Db db;
    private readonly TimeProvider clock;
    private readonly RandomNumberGenerator random;
    private readonly AuditSubjects subjects;

    // Where each chain ended when this node last wrote to it. Only the writer looks here, and
    // it asks the database whether it is still so.
    private readonly Dictionary<TenantId, Head> heads = [];

    public AuditLog(
        Db db, AuditSubjects subjects, TenantBook tenants, TimeProvider clock, RandomNumberGenerator random)
    {
        tenants.Beginning.Add(BeginAsync);
        (this.db, this.subjects, this.clock, this.random) = (db, subjects, clock, random);
        db.AtCommit(CommitStep.Log, AppendAsync);
    }

    /// <summary>Records an act in the transaction that carries it out; answers the entry's identifier.</summary>
    public string Write(Unit unit, AuditEntry entry)
    {
        var (id, item) = Prepare(entry);
        unit.Attach(item);
        return id;
    }

    /// <summary>
    /// Records an act that changes nothing else; returns when the entry is durable, with its identifier.
    /// </summary>
    public async Task<string> WriteAsync(AuditEntry entry)
    {
        // Rendered here, where many do so at once, and not in the unit, which the one writer runs.
        if (entry.User is { } user)
        {
            await subjects.PrepareAsync(entry.Tenant, user);
        }

        var (id, item) = Prepare(entry);
        await db.AttachAsync(item);
        return id;
    }

    /// <inheritdoc cref="AuditSubjects.PrepareAsync"/>
    public ValueTask PrepareAsync(TenantId tenant, SubjectId subject) => subjects.PrepareAsync(tenant, subject);

    /// <summary>
    /// Records an act whose beginning is recorded already, or that may go before its entry: durable within a twentieth
    /// of a second, and lost if the process is killed before. Answers the entry's identifier.
    /// </summary>
    public string WriteSoon(AuditEntry entry)
    {
        var (id, item) = Prepare(entry);
        db.AttachSoon(item);
        return id;
    }

    /// <summary>Entries after a number, oldest first; at most <paramref name="limit"/>.</summary>
    public Task<List<AuditRow>> AfterAsync(TenantId tenant, long seq, int limit, CancellationToken stop) => db.AllAsync(
        $"""
        select e.place - h.number * {MostEntries}, e.kind, e.record, e.leaf, s.subject from audit_heads h
        join audit_entries e on e.place > h.number * {MostEntries} + {seq} and e.place < (h.number + 1) * {MostEntries}
        left join audit_subjects s on s.tenant = h.tenant and s.pseudonym = e.subject
        where h.tenant = {tenant.Value} order by e.place limit {(long)limit}
        """,
        AuditRow.Read,
        stop);

    /// <summary>The number of the newest entry, from 0; -1 when there is none.</summary>
    public async Task<long> LastAsync(TenantId tenant, CancellationToken stop) =>
        await db.FirstAsync(
            $"select seq from audit_heads where tenant = {tenant.Value}",
            row => Tuple.Create(row.GetInt64(0)),
            stop) is { } head
            ? head.Item1
            : -1;

    // Numbers are taken in turn, under the lock by which tenants are made; none is given again, nor is its place.
    private static async ValueTask BeginAsync(Unit unit, TenantId tenant) => await unit.RunAsync(
        $"""
        insert into audit_heads (tenant, number, seq, leaf)
        select {tenant.Value}, max(number) + 1, -1, '' from audit_heads
        """);

    private (string Id, object Item) Prepare(AuditEntry entry)
    {
        var now = clock.GetUtcNow();
        var id = random.Version7(now);
        var subject = entry.User is { } user ? subjects.Known(entry.Tenant, user) : null;
        return (id.ToString(), entry.User is not null && subject is null
            ? new Unprepared(entry, id, now)
            : new AuditRecord(entry, subject, id, now));
    }

    private async ValueTask AppendAsync(Unit last, IReadOnlyList<object> attached, IReadOnlyList<Change> changes)
    {
        var records = new List<AuditRecord>(attached.Count);
        foreach (var item in attached)
        {
            if (item is AuditRecord record)
            {
                records.Add(record);
            }
            else if (item is Unprepared { Entry: var entry } unprepared)
            {
                var subject = await subjects.FindOrMakeAsync(last, entry.Tenant, entry.User!.Value);
                records.Add(new(entry, subject, unprepared.Id, unprepared.Now));
            }
        }

        // In one order of tenants, so that two nodes never wait for each other.
        var chains = records.GroupBy(record => record.Entry.Tenant);
        foreach (var chain in chains.OrderBy(chain => chain.Key.Value, StringComparer.Ordinal))
        {
            await AppendAsync(last, chain.Key, [.. chain]);
        }
    }

    private async ValueTask AppendAsync(Unit last, TenantId tenant, List<AuditRecord> records)
    {
        var head = heads.GetValueOrDefault(tenant) ?? await LockAsync(last, tenant);
        var (rows, next) = Place(records, head);
        if (!await MoveAsync(last, tenant, head, next))
        {
            // Another node wrote meanwhile, or a transaction of this one was taken back.
            head = await LockAsync(last, tenant);
            (rows, next) = Place(records, head);
            if (!await MoveAsync(last, tenant, head, next))
            {
                throw new UnreachableException("The end of the log moved while it was locked.");
            }
        }

        heads[tenant] = next;
        await last.InsertAsync("audit_entries", records.Count, rows);
    }

    // Every entry of the chain is written under the row lock that this takes.
    // Without entries there is no leaf to compare.
    private static async ValueTask<bool> MoveAsync(Unit last, TenantId tenant, Head from, Head to) =>
        await last.RunAsync(
            $"""
            update audit_heads set seq = {to.Seq}, leaf = {to.Leaf}
            where tenant = {tenant.Value} and seq = {from.Seq} and (seq < 0 or leaf = {from.Leaf})
            """) is 1;

    private static async ValueTask<Head> LockAsync(Unit last, TenantId tenant) => await last.FirstAsync(
        $"update audit_heads set seq = seq where tenant = {tenant.Value} returning number, seq, leaf",
        row => new Head(row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2)))
        ?? throw new UnreachableException();

    private static (Cells[] Rows, Head Next) Place(List<AuditRecord> records, Head head)
    {
        var (places, times) = (new long[records.Count], new long[records.Count]);
        var kinds = new string[records.Count];
        var (grants, subjects) = (new string?[records.Count], new string?[records.Count]);
        var (texts, leaves) = (new ReadOnlyMemory<byte>[records.Count], new byte[records.Count][]);
        for (var i = 0; i < records.Count; i++)
        {
            var record = records[i];
            var (text, leaf) = record.Place(head.Seq + 1, head.Leaf.Length is 0 ? new byte[32] : head.Leaf);
            head = head with { Seq = head.Seq + 1, Leaf = leaf };
            (places[i], times[i]) = ((head.Number * MostEntries) + head.Seq, record.At.ToUnixTimeMilliseconds());
            (kinds[i], grants[i]) = (record.Entry.Kind, record.Entry.Grant?.Id.Value);
            subjects[i] = record.Subject?.Pseudonym;
            (texts[i], leaves[i]) = (text, leaf);
        }

        return (
            [
                new Cells.Numbers("place", places),
                new Cells.Numbers("at", times),
                new Cells.Texts("kind", kinds),
                new Cells.Texts("grant_id", grants),
                new Cells.Texts("subject", subjects),
                new Cells.Utf8("record", texts),
                new Cells.Bytes("leaf", leaves),
            ],
            head);
    }

    private sealed record Unprepared(AuditEntry Entry, Guid Id, DateTimeOffset Now);

    /// <summary>The end of a chain.</summary>
    private sealed record Head(long Number, long Seq, byte[] Leaf);
}

/// <summary>An entry as it is read back; <see cref="Subject"/> while the person is not forgotten.</summary>
internal sealed record AuditRow(long Seq, string Kind, string Record, byte[] Leaf, SubjectId? Subject)
{
    public static AuditRow Read(DbDataReader row) => new(
        row.GetInt64(0),
        row.GetString(1),
        row.GetString(2),
        row.GetFieldValue<byte[]>(3),
        row.IsDBNull(4) ? null : new(row.GetString(4)));
}
