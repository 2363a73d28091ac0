using System.CommandLine;

namespace Postern.Cli.Agent;

/// <summary><c>postern agent list</c></summary>
internal sealed class ListCommand : Command
{
    public ListCommand()
        : base("list", "Shows the agents, the oldest first.") => SetAction(ListAsync);

    private static async Task<int> ListAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var text = await api.GetAsync("/api/agents", stop);
        return parse.Tell(api, text, CliJson.Default.AgentsAnswer, (screen, answer) => screen.Table(
            ["AGENT", "NAME", "OWNER", "PURPOSE", "ENDS", "STATE"],
            answer.Agents.Select(agent => (string[])
            [
                agent.Id,
                agent.Name,
                agent.Owner ?? "nobody",
                agent.Purpose,
                ShowCommand.Day(agent.Ends),
                agent.Off ?? "on",
            ])));
    }
}
