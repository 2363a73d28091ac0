using System.CommandLine;
using System.Text.Json;

namespace Postern.Cli.Server;

/// <summary><c>postern server restart NAME</c></summary>
internal sealed class RestartCommand : Command
{
    private readonly Argument<string> name = new("NAME") { Description = "A server that is a local command." };

    public RestartCommand()
        : base("restart", "Ends a local command's processes and forgets its crashes; the next call starts it anew.")
    {
        Add(name);
        SetAction(RestartAsync);
    }

    private async Task<int> RestartAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var server = parse.GetRequiredValue(name);
        await api.PostAsync($"/api/servers/{Uri.EscapeDataString(server)}/restart", stop);
        return parse.Tell(
            api,
            JsonSerializer.Serialize(new(server, Restarted: true), CliJson.Default.RestartedServer),
            CliJson.Default.RestartedServer,
            (screen, done) => screen.Say($"{Screen.Safe(done.Name)} is stopped; the next call starts it."));
    }
}
