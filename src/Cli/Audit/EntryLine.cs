using System.Globalization;
using System.Text.Json;

namespace Postern.Cli.Audit;

/// <summary>An entry of the log as one line for people: when, what, how it was decided, who, on what, why.</summary>
internal sealed class EntryLine(JsonElement entry)
{
    private readonly JsonElement record = entry.GetProperty("record");

    public string Markup =>
        $"[dim]{Seq,6}  {When:yyyy-MM-dd HH:mm:ss}[/]  {Screen.Safe($"{Kind,-20}")}  {Outcome}  {Screen.Safe(Rest)}";

    private long Seq => entry.GetProperty("seq").GetInt64();

    private DateTimeOffset When => record.GetProperty("time").GetDateTimeOffset().ToLocalTime();

    private string Kind => record.GetProperty("kind").GetString() ?? "";

    private string Outcome => (Text("decision", "effect") ?? Text("outcome", "status")) switch
    {
        "allow" => "[green]allow[/]  ",
        "deny" => "[red]deny[/]   ",
        { } other => Screen.Safe($"{other,-7}"),
        null => "       ",
    };

    private string Rest => string.Join("  ", new[]
    {
        entry.TryGetProperty("email", out var email) ? email.GetString() : null,
        Text("actor", "client"),
        Text("object", "tool"),
        Text("object", "resource"),
        Text("decision", "reason"),
        Duration,
    }.OfType<string>());

    private string? Duration =>
        record.TryGetProperty("outcome", out var outcome) && outcome.TryGetProperty("durationMs", out var took)
            ? string.Create(CultureInfo.InvariantCulture, $"{took.GetInt64()} ms")
            : null;

    private string? Text(string group, string name) =>
        record.TryGetProperty(group, out var found) && found.TryGetProperty(name, out var value)
            ? value.GetString()
            : null;
}
