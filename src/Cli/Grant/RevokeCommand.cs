using System.CommandLine;
using System.Globalization;

namespace Postern.Cli.Grant;

/// <summary><c>postern grant revoke ID</c>, or all of somebody's or something's.</summary>
internal sealed class RevokeCommand : Command
{
    private readonly Argument<string?> id = new("ID")
    {
        Description = "The grant, as postern grant list shows it.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> user = new("--user")
    {
        Description = "All that this person let in, and their browser sessions.",
        HelpName = "EMAIL",
    };

    private readonly Option<string?> client = new("--client")
    {
        Description = "All that this client was let in for.",
        HelpName = "CLIENT_ID",
    };

    private readonly Option<string?> installation = new("--installation")
    {
        Description = "All that one copy of a client was let in for; grant list --json names it.",
        HelpName = "ID",
    };

    public RevokeCommand()
        : base("revoke", "Ends a grant, or all of a person, a client or a copy; their tokens open nothing any more.")
    {
        Add(id);
        Add(user);
        Add(client);
        Add(installation);
        Validators.Add(result =>
        {
            var named = new[] { user, client, installation }.Count(option => result.GetValue(option) is not null);
            if (named + (result.GetValue(id) is null ? 0 : 1) is not 1)
            {
                result.AddError("Name one: a grant, --user, --client or --installation.");
            }
        });
        SetAction(RevokeAsync);
    }

    private async Task<int> RevokeAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        if (parse.GetValue(id) is { } one)
        {
            var text = await api.DeleteAsync($"/api/grants/{Uri.EscapeDataString(one)}", stop);
            return parse.Tell(api, text, CliJson.Default.RevokedAnswer, Tell);
        }

        var whose = new WhoseGrants(parse.GetValue(user), parse.GetValue(client), parse.GetValue(installation));
        var all = await api.PostAsync("/api/revoke", whose, CliJson.Default.WhoseGrants, stop);
        return parse.Tell(api, all, CliJson.Default.RevokedAllAnswer, Tell);
    }

    private static void Tell(Screen screen, RevokedAnswer ended) => screen.Say(ended.Revoked
        ? $"{Screen.Safe(ended.Id)} is over, after {Time(ended.Ms)} ms. Its tokens open nothing any more."
        : $"{Screen.Safe(ended.Id)} was over already.");

    private static void Tell(Screen screen, RevokedAllAnswer ended) => screen.Say(
        string.Create(CultureInfo.InvariantCulture, $"{ended.Grants} grants and {ended.Sessions} sessions are over, ")
            + $"after {Time(ended.Ms)} ms.");

    private static string Time(double ms) => ms.ToString("0.0", CultureInfo.InvariantCulture);
}
