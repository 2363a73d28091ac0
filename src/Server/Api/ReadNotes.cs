using Postern.Audit;

namespace Postern.Api;

/// <summary>Who reads the log stands in the log, at most once a minute, and before they see it.</summary>
internal sealed class ReadNotes(AuditLog audit, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private long notedIn;

    /// <summary>
    /// Ends when the entry that covers this reading is durable; readers of the same minute share one.
    /// </summary>
    public async Task NoteAsync(HttpContext http)
    {
        await turn.WaitAsync(http.RequestAborted);
        try
        {
            var minute = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
            if (minute != notedIn)
            {
                await audit.WriteAsync(By.Admin(http, AuditKinds.AdminRead));
                notedIn = minute;
            }
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();
}
