using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Postern.Cli.Try;

/// <summary>
/// Tells of every gate as it opens, with the time it took; in the end the same facts as one document.
/// </summary>
internal sealed class TryReport(Screen screen, bool isHeadless)
{
    private static readonly string[] Next =
    [
        "postern serve, then postern login and postern server add NAME URL: your own server behind the gateway",
        "http://localhost:7400/mcp/notes: paste it into Claude, Cursor or any other MCP client",
        "postern audit tail --follow: read the log while it works",
    ];

    private readonly JsonArray gates = [];
    private JsonObject? token;
    private JsonNode? entry;

    /// <summary>Runs one gate. Whatever goes wrong inside is what came back at this gate.</summary>
    public async Task<T> PassAsync<T>(string gate, Func<Task<T>> pass, Func<T, string> tell)
    {
        if (gates.Count is 0)
        {
            screen.Say();
            screen.Say("  [bold]An agent's errand, gate by gate[/]");
            screen.Say();
        }

        var began = TimeProvider.System.GetTimestamp();
        try
        {
            var passed = await pass();
            Tell(gate, isOpen: true, TimeProvider.System.GetElapsedTime(began), tell(passed));
            return passed;
        }
        catch (Exception failure) when (IsAnswer(failure))
        {
            Tell(gate, isOpen: false, TimeProvider.System.GetElapsedTime(began), failure.Message);
            throw new GateException(gate, failure.Message);
        }
    }

    /// <summary>Something a person must know to go on.</summary>
    public void Say(string markup) => screen.Say($"    {markup}");

    public void Token(JsonObject decoded) => token = decoded;

    public void Entry(JsonNode found) => entry = found;

    public void Finish()
    {
        if (screen.IsJson)
        {
            Screen.Document(Document().ToJsonString());
            return;
        }

        Claims();
        Record();
        screen.Say();
        screen.Say("  [bold]Next[/]");
        foreach (var line in Next)
        {
            var parts = line.Split(": ", 2);
            screen.Say($"  • {Screen.Safe(parts[0])}");
            screen.Say($"    [dim]{Screen.Safe(parts[1])}[/]");
        }

        screen.Say();
    }

    public int Fail(GateException gate)
    {
        if (!screen.IsJson)
        {
            return screen.Fail($"The gate `{gate.Gate}` stayed closed: {gate.Message}", 1);
        }

        var document = Document();
        document["error"] = $"The gate `{gate.Gate}` stayed closed: {gate.Message}";
        Screen.Document(document.ToJsonString());
        return 1;
    }

    private void Tell(string gate, bool isOpen, TimeSpan took, string what)
    {
        var ms = Math.Round(took.TotalMilliseconds, 1);
        gates.Add(new JsonObject { ["gate"] = gate, ["open"] = isOpen, ["ms"] = ms, ["what"] = what });
        if (!screen.IsJson)
        {
            screen.Step(isOpen, gate, ms, what);
        }
    }

    private static bool IsAnswer(Exception failure) =>
        failure is RefusalException or HttpRequestException or JsonException or SocketException or IOException
            or TaskCanceledException { InnerException: TimeoutException };

    private void Claims()
    {
        screen.Say();
        screen.Say("  [bold]The token, decoded[/]  [dim]the agent alone holds it[/]");
        screen.Pairs(
            from part in token!
            from member in part.Value!.AsObject()
            select ($"{part.Key} {member.Key}", Word(member.Key, member.Value!)));
    }

    private void Record()
    {
        screen.Say();
        screen.Say("  [bold]The call in the log[/]  [dim]written before the call went through[/]");
        screen.Pairs(
            from member in entry!["record"]!.AsObject().Append(new("leaf", entry["leaf"]))
            select (member.Key, member.Value is JsonObject inner ? Inline(inner) : member.Value!.ToString()));
    }

    private static string Inline(JsonObject group) =>
        string.Join("  ", group.Select(member => $"{member.Key}={member.Value}"));

    private static string Word(string name, JsonNode value) => name is "exp" or "iat" or "auth_time"
        ? $"{value}  {DateTimeOffset.FromUnixTimeSeconds((long)value).ToLocalTime():yyyy-MM-dd HH:mm:ss}"
        : value is JsonValue text && text.GetValueKind() is JsonValueKind.String ? (string)text! : value.ToJsonString();

    private JsonObject Document()
    {
        var document = new JsonObject { ["headless"] = isHeadless, ["gates"] = gates };
        if (token is not null)
        {
            document["token"] = token;
        }

        if (entry is not null)
        {
            document["entry"] = entry.DeepClone();
            document["next"] = new JsonArray([.. Next.Select(line => JsonValue.Create(line))]);
        }

        return document;
    }
}
