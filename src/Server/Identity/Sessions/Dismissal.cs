using System.Globalization;
using Postern.Audit;
using Postern.Grants;
using Postern.Platform.Database;

namespace Postern.Identity.Sessions;

/// <summary>
/// Ends all that somebody or something was let in for, on every node. Of a person also the browser sessions, first: who
/// would go on signs in again, and nothing new is agreed to in an old session.
/// </summary>
internal sealed class Dismissal(Db db, GrantBook grants, SessionBook sessions, AuditLog audit)
{
    /// <summary>Ends it, durably, and writes down how much there was; nothing left to end is no error.</summary>
    public async Task<Dismissed> EndAsync(TenantId tenant, GrantsOf whose, AuditEntry by)
    {
        var person = (whose as GrantsOf.Person)?.Id;
        var over = person is { } id ? await db.WriteAsync(unit => sessions.EndAllAsync(unit, tenant, id)) : 0;
        var ended = await grants.RevokeAllAsync(
            tenant, whose, by with { Kind = AuditKinds.GrantRevoked, User = person });
        await audit.WriteAsync(by with
        {
            Kind = AuditKinds.GrantAllRevoked,
            User = person,
            Reason = string.Create(
                CultureInfo.InvariantCulture, $"{by.Reason}: {ended} grants and {over} sessions ended"),
        });
        return new(ended, over);
    }
}

/// <summary>How much ended.</summary>
internal sealed record Dismissed(int Grants, int Sessions);
