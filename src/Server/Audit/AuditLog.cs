using System.Buffers.Text;
using System.Data.Common;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Keys;

namespace Postern.Audit;

/// <summary>
/// The append-only record. An entry is written in the transaction of what it records; its number and the hash of the
/// one before it are given under the lock of the tenant's chain, at the end of that transaction.
/// </summary>
internal sealed class AuditLog
{
    /// <summary>Rows of one insert. A multi-row statement is prepared once for each of these sizes.</summary>
    private static readonly int[] Sizes = [64, 16, 4, 1];

    private const int Columns = 9;
    private const string SubjectPurpose = "audit-subject", IndexPurpose = "audit-index";

    private static readonly Dictionary<int, string> Inserts = Sizes.ToDictionary(size => size, InsertOf);

    private readonly Db db;
    private readonly Sealer sealer;
    private readonly TimeProvider clock;
    private readonly Cache<(TenantId, SubjectId), AuditSubject> subjects;

    public AuditLog(Db db, Sealer sealer, TimeProvider clock)
    {
        (this.db, this.sealer, this.clock) = (db, sealer, clock);
        subjects = new(20_000, LoadSubjectAsync);
        db.BeforeCommit.Add(AppendAsync);
    }

    /// <summary>Records an act in the transaction that carries it out; answers the entry's identifier.</summary>
    public string Write(Unit unit, AuditEntry entry)
    {
        var (id, item) = Prepare(entry);
        unit.Attach(item);
        return id;
    }

    /// <summary>Records an act that changes nothing else; returns when the entry is durable, with its identifier.</summary>
    public async Task<string> WriteAsync(AuditEntry entry)
    {
        // Rendered here, where many do so at once, and not in the unit, which the one writer runs.
        var (id, item) = Prepare(entry);
        await db.AttachAsync(item);
        return id;
    }

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
        select e.seq, e.kind, e.record, e.leaf, s.subject from audit_entries e
        left join audit_subjects s on s.tenant = e.tenant and s.pseudonym = e.subject
        where e.tenant = {tenant.Value} and e.seq > {seq} order by e.seq limit {(long)limit}
        """,
        AuditRow.Read,
        stop);

    /// <summary>The number of the newest entry, from 0; -1 when there is none.</summary>
    public async Task<long> LastAsync(TenantId tenant, CancellationToken stop) =>
        await db.FirstAsync(
            $"select seq from audit_heads where tenant = {tenant.Value}", row => Tuple.Create(row.GetInt64(0)), stop) is { } head
            ? head.Item1
            : -1;

    private (string Id, object Item) Prepare(AuditEntry entry)
    {
        var now = clock.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        var subject = entry.User is { } user ? subjects.Peek((entry.Tenant, user)) : null;
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
                var subject = await SubjectAsync(last, entry.Tenant, entry.User!.Value);
                records.Add(new(entry, subject, unprepared.Id, unprepared.Now));
            }
        }

        // In one order of tenants, so that two nodes never wait for each other.
        foreach (var chain in records.GroupBy(record => record.Entry.Tenant).OrderBy(chain => chain.Key.Value, StringComparer.Ordinal))
        {
            await AppendAsync(last, chain.Key, [.. chain]);
        }
    }

    private static async ValueTask AppendAsync(Unit last, TenantId tenant, List<AuditRecord> records)
    {
        var head = await last.FirstAsync(
            $"update audit_heads set seq = seq + {(long)records.Count} where tenant = {tenant.Value} returning seq, leaf",
            row => Tuple.Create(row.GetInt64(0), row.GetFieldValue<byte[]>(1))) ?? throw new UnreachableException();
        var (seq, leaf) = (head.Item1 - records.Count, head.Item2.Length is 32 ? head.Item2 : new byte[32]);
        for (var at = 0; at < records.Count;)
        {
            var size = Array.Find(Sizes, size => size <= records.Count - at);
            await last.RunRowsAsync(Inserts[size], size * Columns, parameters =>
            {
                for (var row = 0; row < size; row++)
                {
                    leaf = Bind(parameters, row * Columns, records[at + row], ++seq, leaf);
                }
            });
            at += size;
        }

        await last.RunAsync($"update audit_heads set leaf = {leaf} where tenant = {tenant.Value}");
    }

    private static byte[] Bind(DbParameterCollection parameters, int at, AuditRecord record, long seq, byte[] previous)
    {
        var (bytes, leaf) = record.Place(seq, previous);
        var entry = record.Entry;
        parameters[at].Value = entry.Tenant.Value;
        parameters[at + 1].Value = seq;
        parameters[at + 2].Value = record.Id;
        parameters[at + 3].Value = record.At.ToUnixTimeMilliseconds();
        parameters[at + 4].Value = entry.Kind;
        parameters[at + 5].Value = (object?)entry.Grant?.Id.Value ?? DBNull.Value;
        parameters[at + 6].Value = (object?)record.Subject?.Pseudonym ?? DBNull.Value;
        parameters[at + 7].Value = Encoding.UTF8.GetString(bytes);
        parameters[at + 8].Value = leaf;
        return leaf;
    }

    private async ValueTask<AuditSubject> SubjectAsync(Unit unit, TenantId tenant, SubjectId subject)
    {
        if (subjects.Peek((tenant, subject)) is { } known)
        {
            return known;
        }

        var pseudonym = Convert.ToHexStringLower(sealer.Mac(IndexPurpose, Encoding.UTF8.GetBytes($"{tenant}\n{subject}")))[..32];
        var key = RandomNumberGenerator.GetBytes(32);
        await unit.RunAsync(
            $"""
            insert into audit_subjects (tenant, subject, pseudonym, sealed)
            values ({tenant.Value}, {subject.Value}, {pseudonym}, {sealer.SealBytes(SubjectPurpose, key, Encoding.UTF8.GetBytes(subject.Value))})
            on conflict do nothing
            """);
        var row = await unit.FirstAsync(SelectSubject(tenant, subject), ReadSubject) ?? throw new UnreachableException();
        // Not kept yet: if this transaction fails the row is not there. The next one finds it.
        return Open(subject, row);
    }

    private async Task<AuditSubject?> LoadSubjectAsync((TenantId Tenant, SubjectId Subject) key, CancellationToken stop) =>
        await db.FirstAsync(SelectSubject(key.Tenant, key.Subject), ReadSubject, stop) is { } row ? Open(key.Subject, row) : null;

    /// <summary>Brings a person's key to memory, so that entries about them are rendered outside the writer.</summary>
    public async ValueTask PrepareAsync(TenantId tenant, SubjectId subject, CancellationToken stop) =>
        await subjects.FindAsync((tenant, subject), stop);

    private AuditSubject Open(SubjectId subject, Tuple<string, byte[]> row)
    {
        var key = sealer.OpenBytes(SubjectPurpose, row.Item2, Encoding.UTF8.GetBytes(subject.Value))
            ?? throw new SetupException("A person's key in the log was sealed with another master key.");
        var json = new CanonicalJson();
        json.Begin();
        json.Text("f", "user");
        json.Text("v", subject.Value);
        json.End();
        return new(row.Item1, "hmac-sha-256:" + Base64Url.EncodeToString(HMACSHA256.HashData(key, json.Written)));
    }

    private static FormattableString SelectSubject(TenantId tenant, SubjectId subject) =>
        $"select pseudonym, sealed from audit_subjects where tenant = {tenant.Value} and subject = {subject.Value}";

    private static Tuple<string, byte[]> ReadSubject(DbDataReader row) => Tuple.Create(row.GetString(0), row.GetFieldValue<byte[]>(1));

    private static string InsertOf(int rows) =>
        "insert into audit_entries (tenant, seq, id, at, kind, grant_id, subject, record, leaf) values "
        + string.Join(", ", Enumerable.Range(0, rows).Select(row =>
            $"({string.Join(", ", Enumerable.Range(row * Columns, Columns).Select(i => $"@p{i}"))})"));

    private sealed record Unprepared(AuditEntry Entry, Guid Id, DateTimeOffset Now);
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
