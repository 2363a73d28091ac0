using System.CommandLine;
using System.Text.Json;

namespace Postern.Cli.Organization;

/// <summary><c>postern organization join|leave ORGANIZATION KIND ID</c></summary>
internal sealed class MemberCommand : Command
{
    private readonly Argument<string> organization = new("ORGANIZATION") { Description = "Its ID." };

    private readonly Argument<string> kind =
        new Argument<string>("KIND") { Description = "What belongs to it: user, agent or identity_provider." }
            .AcceptOnlyFromAmong("user", "agent", "identity_provider");

    private readonly Argument<string> id = new("ID") { Description = "Who: an e-mail address, an ID, an issuer." };

    private readonly bool leaves;

    public MemberCommand(bool leaves)
        : base(
            leaves ? "leave" : "join",
            leaves ? "Lets somebody belong to no organization any more." : "Lets somebody belong to this one alone.")
    {
        this.leaves = leaves;
        Add(organization);
        Add(kind);
        Add(id);
        SetAction(MoveAsync);
    }

    private async Task<int> MoveAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var asked = new MovedMember(parse.GetRequiredValue(kind), parse.GetRequiredValue(id), leaves);
        var path = $"/api/organizations/{Uri.EscapeDataString(parse.GetRequiredValue(organization))}/members";
        await api.PostAsync(path, asked, CliJson.Default.MovedMember, stop);
        return parse.Tell(
            api,
            JsonSerializer.Serialize(asked, CliJson.Default.MovedMember),
            CliJson.Default.MovedMember,
            (screen, moved) => screen.Say(
                $"{Screen.Safe(moved.Id)} {(moved.Leaves ? "belongs to none any more" : "belongs to it now")}."));
    }
}
