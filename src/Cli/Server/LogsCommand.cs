using System.CommandLine;

namespace Postern.Cli.Server;

/// <summary><c>postern server logs NAME</c></summary>
internal sealed class LogsCommand : Command
{
    private readonly Argument<string> name = new("NAME") { Description = "A server that is a local command." };

    public LogsCommand()
        : base("logs", "Shows what a local command printed and what became of it, oldest first.")
    {
        Add(name);
        SetAction(ReadAsync);
    }

    private async Task<int> ReadAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var text = await api.GetAsync($"/api/servers/{Uri.EscapeDataString(parse.GetRequiredValue(name))}/log", stop);
        return parse.Tell(api, text, CliJson.Default.LogAnswer, (screen, log) =>
        {
            foreach (var line in log.Lines)
            {
                screen.Say(Screen.Safe(line));
            }
        });
    }
}
