using System.CommandLine;

namespace Postern.Cli.Parties;

/// <summary><c>postern issuer list</c></summary>
internal sealed class IssuersCommand : Command
{
    public IssuersCommand()
        : base("list", "Shows the issuers whose assertions are grants here.") => SetAction(ListAsync);

    private static async Task<int> ListAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var text = await api.GetAsync("/api/identity-providers", stop);
        return parse.Tell(api, text, CliJson.Default.IssuersAnswer, (screen, answer) => screen.Table(
            ["ISSUER", "KIND", "STATE"],
            answer.IdentityProviders.Select(issuer => (string[])
                [issuer.Issuer, issuer.Kind, issuer.Off ? "off" : "on"])));
    }
}
