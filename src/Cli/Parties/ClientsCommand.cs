using System.CommandLine;

namespace Postern.Cli.Parties;

/// <summary><c>postern client list</c></summary>
internal sealed class ClientsCommand : Command
{
    private readonly Option<string?> after = new("--after")
    {
        Description = "Goes on where an earlier list ended.",
        HelpName = "CURSOR",
    };

    public ClientsCommand()
        : base("list", "Shows the clients: those of the configuration, then those that came by themselves.")
    {
        Add(after);
        SetAction(ListAsync);
    }

    private async Task<int> ListAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var query = parse.GetValue(after) is { } cursor ? $"?cursor={Uri.EscapeDataString(cursor)}" : "";
        var text = await api.GetAsync($"/api/clients{query}", stop);
        return parse.Tell(api, text, CliJson.Default.ClientsAnswer, Tell);
    }

    private static void Tell(Screen screen, ClientsAnswer list)
    {
        screen.Table(
            ["CLIENT", "NAME", "BY", "AGENT", "STATE"],
            list.Clients.Select(client => (string[])
                [client.Id, client.Name, client.Source, client.Agent ?? "", client.Off ?? "on"]));
        if (list.Next is { } next)
        {
            screen.Say($"[dim]There are more: postern client list --after {Screen.Safe(next)}[/]");
        }
    }
}
