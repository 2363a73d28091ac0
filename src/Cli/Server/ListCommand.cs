using System.CommandLine;
using System.Globalization;

namespace Postern.Cli.Server;

/// <summary><c>postern server list</c></summary>
internal sealed class ListCommand : Command
{
    public ListCommand()
        : base("list", "Shows the MCP servers and the addresses to paste into clients.") => SetAction(ListAsync);

    private static async Task<int> ListAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var text = await api.GetAsync("/api/servers", stop);
        return parse.Tell(api, text, CliJson.Default.ServersAnswer, (screen, answer) => Tell(screen, answer.Servers));
    }

    private static void Tell(Screen screen, IReadOnlyList<ServerAnswer> servers)
    {
        if (servers.Count is 0)
        {
            screen.Say("There is no server yet. Add one: postern server add NAME URL");
            return;
        }

        screen.Table(["NAME", "ADDRESS", "KIND", "FROM", "TOOLS", "STATE"], servers.Select(Row));
    }

    private static string[] Row(ServerAnswer server) =>
    [
        server.Name,
        server.Resource,
        server.Kind,
        server.Origin,
        server.Tools?.ToString(CultureInfo.InvariantCulture) ?? "not asked yet",
        server.Hosted is { } hosted ? $"{hosted.State}; {hosted.Sandbox}" : "",
    ];
}
