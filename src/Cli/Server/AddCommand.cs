using System.CommandLine;

namespace Postern.Cli.Server;

/// <summary><c>postern server add NAME URL</c></summary>
internal sealed class AddCommand : Command
{
    private readonly Argument<string> name = new("NAME")
    {
        Description = "The last part of its address here: lower-case letters, digits and hyphens.",
    };

    private readonly Argument<string> url = new("URL") { Description = "Where it is, https." };

    private readonly Option<string?> title = new("--title")
    {
        Description = "What people see; otherwise the name.",
        HelpName = "TEXT",
    };

    private readonly Option<string?> lifetime = new("--token-lifetime")
    {
        Description = "How long its access tokens are good; otherwise as long as all others.",
        HelpName = "1m to 1h",
    };

    private readonly Option<bool> opaque = new("--token-opaque")
    {
        Description = "Its access tokens are references, which say nothing to those who hold them.",
    };

    private readonly Option<bool> status = new("--token-status-list")
    {
        Description = "Its access tokens name their place in a published status list.",
    };

    private readonly ProtectionOptions protection = new();

    public AddCommand()
        : base("add", "Puts a remote MCP server behind the gateway.")
    {
        Add(name);
        Add(url);
        Add(title);
        Add(lifetime);
        Add(opaque);
        Add(status);
        protection.AddTo(this);
        SetAction(AddAsync);
    }

    private async Task<int> AddAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var wanted = protection.Of(parse);
        var asked = new NewServer(
            parse.GetRequiredValue(name),
            parse.GetRequiredValue(url),
            parse.GetValue(title),
            wanted.RequireDpop,
            wanted.Require,
            wanted.TransactionTokens,
            TokenOf(parse));
        var text = await api.PostAsync("/api/servers", asked, CliJson.Default.NewServer, stop);
        return parse.Tell(api, text, CliJson.Default.ServerAnswer, (screen, added) =>
        {
            screen.Say($"[bold]{Screen.Safe(added.Name)}[/] is behind the gateway. Paste this into a client:");
            screen.Say($"  {Screen.Safe(added.Resource)}");
        });
    }

    private NewServerToken? TokenOf(ParseResult parse)
    {
        var (span, isOpaque, hasStatus) = (parse.GetValue(lifetime), parse.GetValue(opaque), parse.GetValue(status));
        return span is null && !isOpaque && !hasStatus
            ? null
            : new(span, isOpaque ? "opaque" : null, hasStatus ? true : null);
    }
}
