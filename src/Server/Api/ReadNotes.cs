using Postern.Audit;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>Who reads a tenant's log stands in it, at most once a minute, and before they see it.</summary>
internal sealed class ReadNotes(AuditLog audit, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private readonly Dictionary<TenantId, long> notedIn = [];

    /// <summary>
    /// Ends when the entry that covers this reading is durable; readers of the same minute share one.
    /// </summary>
    public async Task NoteAsync(HttpContext http)
    {
        await turn.WaitAsync(http.RequestAborted);
        try
        {
            var minute = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
            if (notedIn.GetValueOrDefault(http.Tenant.Id) != minute)
            {
                await audit.WriteAsync(By.Admin(http, AuditKinds.AdminRead));
                notedIn[http.Tenant.Id] = minute;
            }
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();
}
