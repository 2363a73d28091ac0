using System.CommandLine;
using System.Globalization;

namespace Postern.Cli.Parties;

/// <summary><c>postern client|user|agent|organization|issuer disable|enable ID</c></summary>
internal sealed class SwitchCommand : Command
{
    private readonly Argument<string> id;

    private readonly Option<string?> reason = new("--reason")
    {
        Description = "Why, for whoever looks at it later.",
        HelpName = "TEXT",
    };

    private readonly Option<bool> revoke = new("--revoke")
    {
        Description = "Ends the grants as well, for good: to be enabled again does not bring them back.",
    };

    private readonly string kind;
    private readonly bool isOff;

    private SwitchCommand(string kind, string who, bool isOff)
        : base(
            isOff ? "disable" : "enable",
            isOff
                ? "Stops everything at once: no tokens by any way, and those that are out open nothing."
                : "Lets it go on where it was; what has run out or was revoked meanwhile stays over.")
    {
        (this.kind, this.isOff) = (kind, isOff);
        id = new("ID") { Description = who };
        Add(id);
        if (isOff)
        {
            Add(reason);
            Add(revoke);
        }

        SetAction(TurnAsync);
    }

    public static SwitchCommand Disable(string kind, string who) => new(kind, who, isOff: true);

    public static SwitchCommand Enable(string kind, string who) => new(kind, who, isOff: false);

    private async Task<int> TurnAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var asked = new SwitchToTurn(
            kind,
            parse.GetRequiredValue(id),
            isOff,
            isOff ? parse.GetValue(reason) : null,
            isOff && parse.GetValue(revoke));
        var text = await api.PostAsync("/api/switches", asked, CliJson.Default.SwitchToTurn, stop);
        return parse.Tell(api, text, CliJson.Default.SwitchAnswer, (screen, turned) => screen.Say(
            $"{Screen.Safe(asked.Id)} is {(turned.Off ? "disabled" : "enabled")}"
            + (turned.Changed ? $", after {turned.Ms.ToString("0.0", CultureInfo.InvariantCulture)} ms" : " already")
            + (turned.Ended > 0 ? $"; {turned.Ended} grants are over" : "")
            + "."));
    }
}
