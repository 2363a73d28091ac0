using System.CommandLine;
using System.Text.Json;

namespace Postern.Cli;

/// <summary>
/// <c>postern login</c>: keeps the administrator's token of a server, after the server has taken it once.
/// </summary>
internal sealed class LoginCommand : Command
{
    private const string Here = "./data/admin.token";
    private const int MaxLength = 200;

    private readonly Option<string?> given = new("--token")
    {
        Description = "The token, or - to read it from standard input, where no other user of this machine sees it.",
        HelpName = "TOKEN",
    };

    public LoginCommand()
        : base("login", $"Lets this command line in as administrator, by the token in {Here}.")
    {
        Add(given);
        Add(new ServerOption());
        SetAction(LoginAsync);
    }

    private async Task<int> LoginAsync(ParseResult parse, CancellationToken stop)
    {
        var (known, token) = (Credentials.Load(), TokenOf(parse));
        var server = parse.Server(known);
        using var api = new AdminApi(server, token);
        var status = api.Read(await api.GetAsync("/api/status", stop), CliJson.Default.StatusAnswer);
        known.Keep(server, token);
        return parse.Tell(
            api,
            JsonSerializer.Serialize(new(server, status.Version, Credentials.File), CliJson.Default.LoginDone),
            CliJson.Default.LoginDone,
            Tell);
    }

    private static void Tell(Screen screen, LoginDone done)
    {
        screen.Say($"You are in at [bold]{Screen.Safe(done.Server)}[/] (Postern {Screen.Safe(done.Version)}).");
        screen.Say($"The token is kept in {Screen.Safe(done.Credentials)}.");
        screen.Say("[dim]Next: postern server add NAME URL, postern grant list, postern audit tail --follow[/]");
    }

    private string TokenOf(ParseResult parse)
    {
        var text = parse.GetValue(given) switch
        {
            null => FromFile(),
            "-" => Console.In.ReadLine() ?? "",
            var token => token,
        };
        return text.Trim() is { Length: > 0 and <= MaxLength } trimmed
            ? trimmed
            : throw new RefusalException(
                "That is no token. It is the line in admin.token in the server's data folder.");
    }

    private static string FromFile()
    {
        try
        {
            return File.ReadAllText(Here);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new RefusalException(
                $"{Here} cannot be read here. Run this where the server runs, or give the token: postern login "
                    + "--token - < FOLDER/admin.token");
        }
    }
}
