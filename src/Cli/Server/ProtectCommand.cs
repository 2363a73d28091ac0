using System.CommandLine;

namespace Postern.Cli.Server;

/// <summary><c>postern server protect NAME …</c></summary>
internal sealed class ProtectCommand : Command
{
    private readonly Argument<string> name = new("NAME") { Description = "A server that was added here." };

    private readonly ProtectionOptions protection = new();

    public ProtectCommand()
        : base("protect", "Says anew what a server demands of its callers; what is not named is not demanded any more.")
    {
        Add(name);
        protection.AddTo(this);
        SetAction(ProtectAsync);
    }

    private async Task<int> ProtectAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var path = $"/api/servers/{Uri.EscapeDataString(parse.GetRequiredValue(name))}/protection";
        var text = await api.PutAsync(path, protection.Of(parse), CliJson.Default.Protection, stop);
        return parse.Tell(
            api,
            text,
            CliJson.Default.ServerAnswer,
            (screen, changed) => screen.Say($"{Screen.Safe(changed.Name)} asks for it from now on."));
    }
}
