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
        select e.place - h.number * {AuditLog.MostEntries}, e.kind, e.record, e.leaf, s.subject from audit_subjects s
        join audit_heads h on h.tenant = s.tenant
        join audit_entries e on e.subject = s.pseudonym and e.place < (h.number + 1) * {AuditLog.MostEntries}
              and e.place > h.number * {AuditLog.MostEntries}
                + case when h.seq < {(long)Reach} then -1 else h.seq - {(long)Reach} end
        where s.tenant = {tenant.Value} and s.subject = {subject.Value} and e.kind = {AuditKinds.ToolCallDecision}
        order by e.place desc limit {(long)Most}
        """,
        AuditRow.Read,
        stop);
}
