using System.CommandLine;
using System.Text.Json;

namespace Postern.Cli.Agent;

/// <summary><c>postern agent remove ID</c></summary>
internal sealed class RemoveCommand : Command
{
    private readonly Argument<string> id = new("ID") { Description = "An agent that was added." };

    public RemoveCommand()
        : base("remove", "Ends an agent and all its grants, at once and for good.")
    {
        Add(id);
        SetAction(RemoveAsync);
    }

    private async Task<int> RemoveAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var gone = parse.GetRequiredValue(id);
        await api.DeleteAsync($"/api/agents/{Uri.EscapeDataString(gone)}", stop);
        return parse.Tell(
            api,
            JsonSerializer.Serialize(new(gone, Removed: true), CliJson.Default.RemovedAgent),
            CliJson.Default.RemovedAgent,
            (screen, removed) => screen.Say($"{Screen.Safe(removed.Id)} is gone."));
    }
}
