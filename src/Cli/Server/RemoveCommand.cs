using System.CommandLine;
using System.Text.Json;

namespace Postern.Cli.Server;

/// <summary><c>postern server remove NAME</c></summary>
internal sealed class RemoveCommand : Command
{
    private readonly Argument<string> name = new("NAME") { Description = "A server that was added here." };

    public RemoveCommand()
        : base("remove", "Takes a server from behind the gateway; nothing reaches it through here any more.")
    {
        Add(name);
        SetAction(RemoveAsync);
    }

    private async Task<int> RemoveAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var gone = parse.GetRequiredValue(name);
        await api.DeleteAsync($"/api/servers/{Uri.EscapeDataString(gone)}", stop);
        return parse.Tell(
            api,
            JsonSerializer.Serialize(new(gone, Removed: true), CliJson.Default.RemovedServer),
            CliJson.Default.RemovedServer,
            (screen, removed) => screen.Say($"{Screen.Safe(removed.Name)} is removed."));
    }
}
