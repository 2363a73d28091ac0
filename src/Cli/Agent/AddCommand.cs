using System.CommandLine;

namespace Postern.Cli.Agent;

/// <summary><c>postern agent add NAME --owner EMAIL --purpose TEXT --ends DAY …</c></summary>
internal sealed class AddCommand : Command
{
    private readonly Argument<string> name = new("NAME") { Description = "What people see." };

    private readonly Option<string> owner =
        Needed("--owner", "The person who answers for it; when that one is disabled, so is it.", "EMAIL");

    private readonly Option<string> purpose = Needed("--purpose", "What it is for; people are shown it.", "TEXT");

    private readonly Option<string> ends =
        Needed("--ends", "The day on which it is over by itself, such as 2027-06-30.", "DAY");

    private readonly Option<string?> organization = new("--organization")
    {
        Description = "To which one it belongs.",
        HelpName = "ID",
    };

    private readonly Option<string?> keys = new("--keys")
    {
        Description = "A file with its public keys (JWKS): it proves itself by them, and its ID is its client_id.",
        HelpName = "FILE",
    };

    private readonly Option<string?> scope = new("--scope")
    {
        Description = "The most it may ask for with those keys.",
        HelpName = "SCOPES",
    };

    private readonly Option<string[]> servers = new("--reaches")
    {
        Description = "A server that it may reach with those keys; may be said again.",
        HelpName = "SERVER",
    };

    private readonly Option<string[]> clients = new("--client")
    {
        Description = "A client by which it comes; may be said again.",
        HelpName = "CLIENT",
    };

    public AddCommand()
        : base("add", "Makes an agent: software with an owner, a purpose and an end.")
    {
        Add(name);
        Array.ForEach<Option>([owner, purpose, ends, organization, keys, scope, servers, clients], Add);
        SetAction(AddAsync);
    }

    private async Task<int> AddAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var asked = new NewAgent(
            parse.GetRequiredValue(name),
            parse.GetRequiredValue(owner),
            parse.GetRequiredValue(purpose),
            parse.GetRequiredValue(ends),
            parse.GetValue(organization),
            parse.GetValue(keys) is { } file ? await ReadAsync(file, stop) : null,
            parse.GetValue(scope),
            parse.GetValue(servers) ?? [],
            parse.GetValue(clients) ?? []);
        var text = await api.PostAsync("/api/agents", asked, CliJson.Default.NewAgent, stop);
        return parse.Tell(api, text, CliJson.Default.AgentAnswer, ShowCommand.Tell);
    }

    private static async Task<string> ReadAsync(string file, CancellationToken stop)
    {
        try
        {
            return await File.ReadAllTextAsync(file, stop);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new RefusalException($"{file} cannot be read: {failure.Message}");
        }
    }

    private static Option<string> Needed(string flag, string what, string help) =>
        new(flag) { Description = what, HelpName = help, Required = true };
}
