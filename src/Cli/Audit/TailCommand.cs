using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Postern.Cli.Audit;

/// <summary><c>postern audit tail</c></summary>
internal sealed class TailCommand : Command
{
    private const int Page = 200, Shown = 20;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Option<bool> follow = new("--follow", "-f")
    {
        Description = "Goes on with what happens from now, until Ctrl-C.",
    };

    private readonly Option<long?> after = new("--after")
    {
        Description = $"Begins behind this entry, -1 for the first; otherwise {Shown} before the newest.",
        HelpName = "N",
    };

    public TailCommand()
        : base("tail", "Shows the newest entries of the log, oldest first.")
    {
        Add(follow);
        Add(after);
        SetAction(TailAsync);
    }

    private async Task<int> TailAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var screen = parse.Screen;
        var from = parse.GetValue(after) ?? Math.Max(-1, await LastAsync(api, stop) - Shown);
        try
        {
            from = await DrainAsync(api, screen, from, stop);
            while (parse.GetValue(follow))
            {
                await Task.Delay(Pause, stop);
                from = await DrainAsync(api, screen, from, stop);
            }
        }
        catch (OperationCanceledException) when (parse.GetValue(follow))
        {
            // That is how following ends.
        }

        return 0;
    }

    private static async Task<long> LastAsync(AdminApi api, CancellationToken stop) =>
        api.Read(await api.GetAsync("/api/status", stop), CliJson.Default.StatusAnswer).LastEntry;

    private static async Task<long> DrainAsync(AdminApi api, Screen screen, long from, CancellationToken stop)
    {
        while (true)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"/api/audit?after={from}&limit={Page}");
            var page = api.Read(await api.GetAsync(path, stop), CliJson.Default.EntriesAnswer);
            foreach (var entry in page.Entries)
            {
                Show(screen, entry);
                from = entry.GetProperty("seq").GetInt64();
            }

            if (page.Entries.Count < Page)
            {
                return from;
            }
        }
    }

    private static void Show(Screen screen, JsonElement entry)
    {
        if (screen.IsJson)
        {
            Screen.Document(entry.GetRawText());
            return;
        }

        screen.Say(new EntryLine(entry).Markup);
    }
}
