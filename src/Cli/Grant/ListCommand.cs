using System.CommandLine;
using System.Globalization;

namespace Postern.Cli.Grant;

/// <summary><c>postern grant list</c></summary>
internal sealed class ListCommand : Command
{
    private readonly Option<string?> after = new("--after")
    {
        Description = "Goes on where an earlier list ended.",
        HelpName = "CURSOR",
    };

    public ListCommand()
        : base("list", "Shows the grants that are not over, newest first.")
    {
        Add(after);
        SetAction(ListAsync);
    }

    private async Task<int> ListAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var query = parse.GetValue(after) is { } cursor ? $"?cursor={Uri.EscapeDataString(cursor)}" : "";
        var text = await api.GetAsync($"/api/grants{query}", stop);
        return parse.Tell(api, text, CliJson.Default.GrantsAnswer, Tell);
    }

    private static void Tell(Screen screen, GrantsAnswer list)
    {
        if (list.Grants.Count is 0)
        {
            screen.Say("No grant is alive. People make them: paste the address of a server into a client.");
            return;
        }

        screen.Table(["GRANT", "WHO", "LETS IN", "WHERE", "WHAT", "UNTIL", "LAST USED"], list.Grants.Select(Row));
        if (list.Next is { } next)
        {
            screen.Say($"[dim]There are more: postern grant list --after {Screen.Safe(next)}[/]");
        }
    }

    private static string[] Row(GrantAnswer grant) =>
    [
        grant.Id,
        grant.Email ?? grant.Subject,
        WhoOf(grant),
        grant.Resource,
        grant.Tools is { } tools ? $"{tools.Count} tools" : grant.Scope,
        Day(grant.ExpiresAt),
        grant.UsedAt is { } used ? Day(used) : "never",
    ];

    // A chain of delegation is told from the one who acts back to the one who was let in.
    private static string WhoOf(GrantAnswer grant) => grant switch
    {
        { Actors: { Count: > 1 } chain } => string.Join(" for ", chain.Skip(1).Prepend(grant.ClientName)),
        { Installation: { } copy } => $"{grant.ClientName} on {copy}",
        _ => grant.ClientName,
    };

    private static string Day(DateTimeOffset at) =>
        at.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
