using Postern.Audit;

namespace Postern.Api;

/// <summary>Who reads the log stands in the log, at most once a minute, and before they see it.</summary>
internal sealed class ReadNotes(AuditLog audit, TimeProvider clock)
{
    private readonly Lock gate = new();
    private Task note = Task.CompletedTask;
    private long notedIn;

    /// <summary>
    /// Ends when the entry that covers this reading is durable; readers of the same minute wait for the same one.
    /// </summary>
    public Task NoteAsync(HttpContext http)
    {
        lock (gate)
        {
            var minute = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
            if (minute != notedIn || note.IsFaulted)
            {
                notedIn = minute;
                note = audit.WriteAsync(By.Admin(http, AuditKinds.AdminRead));
            }

            return note;
        }
    }
}
