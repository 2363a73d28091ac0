using System.CommandLine;

namespace Postern.Cli.Tenant;

/// <summary><c>postern tenant setup NAME</c></summary>
internal sealed class SetupCommand : Command
{
    private readonly Argument<string> name = new("NAME") { Description = "A tenant that nobody runs yet." };

    public SetupCommand()
        : base("setup", "Makes a new link for the first administrator; the one before is worth nothing.")
    {
        Add(name);
        SetAction(SetUpAsync);
    }

    public static void Tell(Screen screen, TenantAnswer tenant)
    {
        screen.Say($"[bold]{Screen.Safe(tenant.Name)}[/] is at {Screen.Safe(tenant.Issuer)}");
        if (tenant.Setup is { } link)
        {
            screen.Say($"  [yellow]Set up[/]    {Screen.Safe(link)}");
            screen.Say("            [dim]Makes its administrator. Good once, for an hour.[/]");
        }
    }

    private async Task<int> SetUpAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var path = $"/api/tenants/{Uri.EscapeDataString(parse.GetRequiredValue(name))}/setup";
        return parse.Tell(api, await api.PostAsync(path, stop), CliJson.Default.TenantAnswer, Tell);
    }
}
