using System.Text.Json;
using Postern.Audit;

namespace Postern.Console;

/// <summary>The members of an entry that pages show, read from its record.</summary>
internal sealed record LogRecord(
    DateTimeOffset At, string? Client, string? GrantId, string? Resource, string? Tool, string? Effect, string? Status)
{
    public static LogRecord Of(AuditRow row)
    {
        using var record = JsonDocument.Parse(row.Record);
        var root = record.RootElement;
        return new(
            root.GetProperty("time").GetDateTimeOffset(),
            Text(root, "actor", "client"),
            Text(root, "decision", "grantId"),
            Text(root, "object", "resource"),
            Text(root, "object", "tool"),
            Text(root, "decision", "effect"),
            Text(root, "outcome", "status"));
    }

    private static string? Text(JsonElement root, string group, string name) =>
        root.TryGetProperty(group, out var found) && found.TryGetProperty(name, out var value)
            ? value.GetString()
            : null;
}
