using System.CommandLine;
using System.Globalization;

namespace Postern.Cli.Grant;

/// <summary><c>postern grant revoke ID</c></summary>
internal sealed class RevokeCommand : Command
{
    private readonly Argument<string> id = new("ID") { Description = "The grant, as postern grant list shows it." };

    public RevokeCommand()
        : base("revoke", "Ends a grant: its tokens open nothing from that moment.")
    {
        Add(id);
        SetAction(RevokeAsync);
    }

    private async Task<int> RevokeAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var text = await api.DeleteAsync($"/api/grants/{Uri.EscapeDataString(parse.GetRequiredValue(id))}", stop);
        return parse.Tell(api, text, CliJson.Default.RevokedAnswer, (screen, ended) => screen.Say(ended.Revoked
            ? $"{Screen.Safe(ended.Id)} is over, after {ended.Ms.ToString("0.0", CultureInfo.InvariantCulture)} ms. "
                + "Its tokens open nothing any more."
            : $"{Screen.Safe(ended.Id)} was over already."));
    }
}
