using System.CommandLine;

namespace Postern.Cli.Organization;

/// <summary><c>postern organization add ID [--name NAME]</c></summary>
internal sealed class AddCommand : Command
{
    private readonly Argument<string> id = new("ID")
    {
        Description = "What it is called here: lower-case letters, digits and hyphens.",
    };

    private readonly Option<string?> name = new("--name") { Description = "What people see.", HelpName = "NAME" };

    public AddCommand()
        : base("add", "Makes an organization; who belongs to it is disabled with it.")
    {
        Add(id);
        Add(name);
        SetAction(AddAsync);
    }

    private async Task<int> AddAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var asked = new NewOrganization(parse.GetRequiredValue(id), parse.GetValue(name));
        var text = await api.PostAsync("/api/organizations", asked, CliJson.Default.NewOrganization, stop);
        return parse.Tell(api, text, CliJson.Default.OrganizationAnswer, (screen, made) =>
            screen.Say($"[bold]{Screen.Safe(made.Name)}[/] {Screen.Safe(made.Id)}"));
    }
}
