namespace Postern.Cli;

/// <summary>What the person who started the program reads.</summary>
public static class Terminal
{
    private const int MostServers = 5;

    public static void Say(string text) => Console.Out.WriteLine(text);

    /// <summary>One clear message; answers the exit code of a refusal.</summary>
    public static int Fail(string message)
    {
        Console.Error.WriteLine($"postern: {message}");
        return 1;
    }

    /// <summary>What to do with a server that has just started.</summary>
    /// <param name="issuer">Its address.</param>
    /// <param name="setup">The link for the first administrator; null when there is one.</param>
    /// <param name="console">The operators' page.</param>
    /// <param name="servers">What to paste into a client.</param>
    public static void Welcome(string issuer, string? setup, string console, IReadOnlyList<string> servers)
    {
        var screen = new Screen(isJson: false);
        screen.Say();
        screen.Say($"  [bold]Postern is ready at {Screen.Safe(issuer)}[/]");
        screen.Say();
        if (setup is not null)
        {
            screen.Say($"  [yellow]Set up[/]    {Screen.Safe(setup)}");
            screen.Say("            [dim]Makes you the administrator. Good once, for an hour.[/]");
        }

        screen.Say($"  Console   {Screen.Safe(console)}");
        foreach (var (index, server) in servers.Take(MostServers).Index())
        {
            screen.Say($"  {(index is 0 ? "MCP    " : "       ")}   {Screen.Safe(server)}");
        }

        if (servers.Count > 0)
        {
            screen.Say($"            [dim]Paste {(servers.Count is 1 ? "it" : "one")} into Claude, Cursor or any "
                + $"other MCP client.{More(servers.Count)}[/]");
        }

        screen.Say();
        screen.Say("  [dim]Command line: postern login, postern help. Stop with Ctrl-C.[/]");
        screen.Say();
    }

    private static string More(int servers) =>
        servers > MostServers ? $" {servers - MostServers} more: postern server list." : "";
}
