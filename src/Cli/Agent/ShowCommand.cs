using System.CommandLine;
using System.Globalization;

namespace Postern.Cli.Agent;

/// <summary><c>postern agent show ID</c></summary>
internal sealed class ShowCommand : Command
{
    private readonly Argument<string> id = new("ID") { Description = "The agent, as postern agent list shows it." };

    public ShowCommand()
        : base("show", "Shows one agent.")
    {
        Add(id);
        SetAction(ShowAsync);
    }

    public static void Tell(Screen screen, AgentAnswer agent)
    {
        screen.Say($"[bold]{Screen.Safe(agent.Name)}[/] {Screen.Safe(agent.Id)}");
        (string Name, string? Value)[] pairs =
        [
            ("Purpose", agent.Purpose),
            ("Owner", agent.Owner ?? "nobody"),
            ("Organization", agent.Organization),
            ("Ends", Day(agent.Ends)),
            ("Comes by", string.Join(", ", agent.Clients)),
            ("Reaches", string.Join(", ", agent.Servers)),
            ("State", agent.Off ?? "on"),
        ];
        screen.Pairs(pairs.Where(pair => !string.IsNullOrEmpty(pair.Value)).Select(pair => (pair.Name, pair.Value!)));
    }

    public static string Day(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private async Task<int> ShowAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var text = await api.GetAsync($"/api/agents/{Uri.EscapeDataString(parse.GetRequiredValue(id))}", stop);
        return parse.Tell(api, text, CliJson.Default.AgentAnswer, Tell);
    }
}
