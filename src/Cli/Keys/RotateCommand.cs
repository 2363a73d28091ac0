using System.CommandLine;

namespace Postern.Cli.Keys;

/// <summary><c>postern keys rotate [--now]</c></summary>
internal sealed class RotateCommand : Command
{
    private readonly Option<bool> now = new("--now")
    {
        Description =
            "The key is lost: the new one signs at once, and every token the old one signed is worth nothing.",
    };

    public RotateCommand()
        : base("rotate", "Makes the next signing key; it is published now and signs in a day.")
    {
        Add(now);
        SetAction(RotateAsync);
    }

    private async Task<int> RotateAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var isNow = parse.GetValue(now);
        var text = await api.PostAsync("/api/keys", new NewKey(isNow), CliJson.Default.NewKey, stop);
        return parse.Tell(api, text, CliJson.Default.KeyAnswer, (screen, key) => screen.Say(isNow
            ? $"Key {Screen.Safe(key.Id)} signs from now on. What the old one signed opens nothing any more."
            : $"Key {Screen.Safe(key.Id)} is published, and signs from {key.SignsFrom:u}."));
    }
}
