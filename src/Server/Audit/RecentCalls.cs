using Postern.Platform.Database;

namespace Postern.Audit;

/// <summary>
/// What was lately done, or refused, in a person's name. The log is kept in its own order and in no other, so only its
/// newest entries are looked through: a range of its key, the same small work however long the log is.
/// </summary>
internal sealed class RecentCalls(Db db)
{
    /// <summary>The most calls of one answer, and the entries that are looked through for them.</summary>
    public const int Most = 20, Reach = 5000;

    /// <summary>The decisions about calls made for this person, newest first.</summary>
    public Task<List<AuditRow>> OfAsync(TenantId tenant, SubjectId subject, CancellationToken stop) => db.AllAsync(
        $"""
        select e.seq, e.kind, e.record, e.leaf, s.subject from audit_subjects s
        join audit_heads h on h.tenant = s.tenant
        join audit_entries e on e.tenant = s.tenant and e.subject = s.pseudonym
        where s.tenant = {tenant.Value} and s.subject = {subject.Value}
          and e.seq > h.seq - {(long)Reach} and e.kind = {AuditKinds.ToolCallDecision}
        order by e.seq desc limit {(long)Most}
        """,
        AuditRow.Read,
        stop);
}
