using Postern.Audit;

namespace Postern.Api;

/// <summary>Who reads the log stands in the log, at most once a minute, and before they see it.</summary>
internal sealed class ReadNotes(AuditLog audit, TimeProvider clock)
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private Task note = Task.CompletedTask;
    private long? notedAt;

    /// <summary>Ends when the entry that covers this reading is durable; readers of the same minute wait for the same one.</summary>
    public Task NoteAsync(HttpContext http)
    {
        lock (gate)
        {
            if (notedAt is not { } at || note.IsFaulted || clock.GetElapsedTime(at) >= Every)
            {
                notedAt = clock.GetTimestamp();
                note = audit.WriteAsync(By.Admin(http, AuditKinds.AdminRead));
            }

            return note;
        }
    }
}
