using System.CommandLine;

namespace Postern.Cli.Tenant;

/// <summary><c>postern tenant add NAME [--host HOST] …</c></summary>
internal sealed class AddCommand : Command
{
    private readonly Argument<string> name = new("NAME")
    {
        Description = "What it is called, here and in its addresses: lower-case letters, digits and hyphens.",
    };

    private readonly Option<string?> host = new("--host")
    {
        Description = "A host of its own, such as acme.example.com; otherwise it lives below /t/NAME.",
        HelpName = "HOST",
    };

    private readonly Option<string?> access = Span("--access-lifetime", "How long an access token is good.");

    private readonly Option<string?> idle = Span("--refresh-idle", "How long a refresh token may rest.");

    private readonly Option<string?> absolute =
        Span("--refresh-absolute", "The longest a person can let somebody in for.");

    private readonly Option<int?> servers = Most("--servers", "MCP servers that may be added to it.");

    private readonly Option<int?> clients = Most("--clients", "Clients that may have registered themselves at it.");

    public AddCommand()
        : base("add", "Makes a tenant, and a link by which its first administrator comes in.")
    {
        Add(name);
        Array.ForEach<Option>([host, access, idle, absolute, servers, clients], Add);
        SetAction(AddAsync);
    }

    private async Task<int> AddAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var asked = new NewTenant(
            parse.GetRequiredValue(name),
            parse.GetValue(host),
            parse.GetValue(access),
            parse.GetValue(idle),
            parse.GetValue(absolute),
            parse.GetValue(servers),
            parse.GetValue(clients));
        var text = await api.PostAsync("/api/tenants", asked, CliJson.Default.NewTenant, stop);
        return parse.Tell(api, text, CliJson.Default.TenantAnswer, SetupCommand.Tell);
    }

    private static Option<string?> Span(string flag, string what) => new(flag)
    {
        Description = $"{what} Such as 10m, 12h or 30d; otherwise as at the root.",
        HelpName = "TIME",
    };

    private static Option<int?> Most(string flag, string what) => new(flag) { Description = what, HelpName = "MOST" };
}
