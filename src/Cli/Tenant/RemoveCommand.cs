using System.CommandLine;
using System.Text.Json;

namespace Postern.Cli.Tenant;

/// <summary><c>postern tenant remove NAME --yes</c></summary>
internal sealed class RemoveCommand : Command
{
    private readonly Argument<string> name = new("NAME") { Description = "A tenant that was added." };

    private readonly Option<bool> yes = new("--yes")
    {
        Description = "Ends its grants, sessions, keys and servers at once, and deletes its people and all their data.",
    };

    public RemoveCommand()
        : base("remove", "Ends a tenant and everything of it, at once and for good.")
    {
        Add(name);
        Add(yes);
        SetAction(RemoveAsync);
    }

    private async Task<int> RemoveAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var gone = parse.GetRequiredValue(name);
        if (!parse.GetValue(yes))
        {
            throw new RefusalException("Nothing was removed. Say --yes when it shall be gone for good.");
        }

        await api.DeleteAsync($"/api/tenants/{Uri.EscapeDataString(gone)}", stop);
        return parse.Tell(
            api,
            JsonSerializer.Serialize(new(gone, Removed: true), CliJson.Default.RemovedTenant),
            CliJson.Default.RemovedTenant,
            (screen, removed) => screen.Say($"{Screen.Safe(removed.Name)} is gone."));
    }
}
