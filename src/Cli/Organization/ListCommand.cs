using System.CommandLine;
using System.Globalization;

namespace Postern.Cli.Organization;

/// <summary><c>postern organization list</c></summary>
internal sealed class ListCommand : Command
{
    public ListCommand()
        : base("list", "Shows the organizations and how many belong to each.") => SetAction(ListAsync);

    private static async Task<int> ListAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var text = await api.GetAsync("/api/organizations", stop);
        return parse.Tell(api, text, CliJson.Default.OrganizationsAnswer, (screen, answer) => screen.Table(
            ["ORGANIZATION", "NAME", "MEMBERS", "STATE"],
            answer.Organizations.Select(one => (string[])
            [
                one.Id,
                one.Name,
                one.Members.ToString(CultureInfo.InvariantCulture),
                one.Off ? "off" : "on",
            ])));
    }
}
