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
/// Who people are in the log: made with their first entry, and kept in memory for those who act often.
/// </summary>
internal sealed class AuditSubjects
{
    private const string SubjectPurpose = "audit-subject", IndexPurpose = "audit-index";

    private readonly Db db;
    private readonly Sealer sealer;
    private readonly RandomNumberGenerator random;
    private readonly Cache<(TenantId, SubjectId), AuditSubject> subjects;

    public AuditSubjects(Db db, Sealer sealer, RandomNumberGenerator random)
    {
        (this.db, this.sealer, this.random) = (db, sealer, random);
        subjects = new(20_000, LoadAsync);
    }

    /// <summary>Somebody whose key is in memory; null for others.</summary>
    public AuditSubject? Known(TenantId tenant, SubjectId subject) => subjects.Peek((tenant, subject));

    /// <summary>
    /// Brings a person's key to memory, so that entries about them are rendered outside the writer. Who writes about a
    /// person in a unit calls it before. Of somebody unknown there is none until their first entry.
    /// </summary>
    public async ValueTask PrepareAsync(TenantId tenant, SubjectId subject) =>
        await subjects.FindAsync((tenant, subject), CancellationToken.None);

    /// <summary>Somebody in an entry of this transaction, which makes their key if it is their first.</summary>
    public async ValueTask<AuditSubject> FindOrMakeAsync(Unit unit, TenantId tenant, SubjectId subject)
    {
        if (Known(tenant, subject) is { } known)
        {
            return known;
        }

        var name = Encoding.UTF8.GetBytes($"{tenant}\n{subject}");
        var pseudonym = Convert.ToHexStringLower(sealer.Mac(tenant, IndexPurpose, name))[..32];
        var key = random.Bytes(32);
        var closed = sealer.SealBytes(tenant, SubjectPurpose, key, Encoding.UTF8.GetBytes(subject.Value));
        await unit.RunAsync(
            $"""
            insert into audit_subjects (tenant, subject, pseudonym, sealed)
            values ({tenant.Value}, {subject.Value}, {pseudonym}, {closed})
            on conflict do nothing
            """);
        var row = await unit.FirstAsync(Select(tenant, subject), Read) ?? throw new UnreachableException();
        // Not kept yet: if this transaction fails the row is not there. The next one finds it.
        return Open(tenant, subject, row);
    }

    private async Task<AuditSubject?> LoadAsync((TenantId Tenant, SubjectId Subject) key, CancellationToken stop) =>
        await db.FirstAsync(Select(key.Tenant, key.Subject), Read, stop) is { } row
            ? Open(key.Tenant, key.Subject, row)
            : null;

    private AuditSubject Open(TenantId tenant, SubjectId subject, Tuple<string, byte[]> row)
    {
        var key = sealer.OpenBytes(tenant, SubjectPurpose, row.Item2, Encoding.UTF8.GetBytes(subject.Value))
            ?? throw new SetupException("A person's key in the log was sealed with another master key.");
        var json = new CanonicalJson();
        json.Begin();
        json.Text("f", "user");
        json.Text("v", subject.Value);
        json.End();
        return new(row.Item1, "hmac-sha-256:" + Base64Url.EncodeToString(HMACSHA256.HashData(key, json.Written)));
    }

    private static FormattableString Select(TenantId tenant, SubjectId subject) =>
        $"select pseudonym, sealed from audit_subjects where tenant = {tenant.Value} and subject = {subject.Value}";

    private static Tuple<string, byte[]> Read(DbDataReader row) =>
        Tuple.Create(row.GetString(0), row.GetFieldValue<byte[]>(1));
}
