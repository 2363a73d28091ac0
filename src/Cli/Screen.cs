using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace Postern.Cli;

/// <summary>What a verb says: words and tables for people, JSON for programs.</summary>
internal sealed class Screen(bool isJson)
{
    /// <summary>
    /// Lines are left to the terminal to break: an address with a line break inside cannot be clicked or copied.
    /// </summary>
    private const int Unbroken = 2000;

    private readonly IAnsiConsole people = Console(isJson);

    public bool IsJson => isJson;

    /// <summary>A document for programs; people are told the same in words.</summary>
    public static void Document(string json) => Terminal.Say(json);

    /// <summary>One line of Spectre's markup; whatever did not come from this program is escaped before.</summary>
    public void Say(string markup = "") => people.MarkupLine(markup);

    /// <summary>Columns under headings, without lines: easy to read, and to cut.</summary>
    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.None, ShowRowSeparators = false };
        foreach (var heading in headings)
        {
            var title = new Markup($"[dim]{heading.EscapeMarkup()}[/]");
            table.AddColumn(new TableColumn(title) { Padding = new(0, 0, 2, 0), NoWrap = true });
        }

        foreach (var row in rows)
        {
            table.AddRow(row.Select(cell => new Text(Plain(cell))));
        }

        people.Write(table);
    }

    /// <summary>Names and values, indented; a long value goes on below itself.</summary>
    public void Pairs(IEnumerable<(string Name, string Value)> pairs)
    {
        var grid = new Grid()
            .AddColumn(new() { Padding = new(4, 0, 2, 0), NoWrap = true })
            .AddColumn(new() { Padding = new(0, 0) });
        foreach (var (name, value) in pairs)
        {
            grid.AddRow(new Markup($"[dim]{Safe(name)}[/]"), new Text(Plain(value)));
        }

        Columns(grid);
    }

    /// <summary>
    /// One of several steps: how it went, its name, its time, and what there is to say, which goes on below itself.
    /// </summary>
    public void Step(bool isDone, string name, double ms, string what) => Columns(new Grid()
        .AddColumn(new() { Padding = new(2, 0, 1, 0), NoWrap = true })
        .AddColumn(new() { Padding = new(0, 0, 1, 0), NoWrap = true, Width = 12 })
        .AddColumn(new() { Padding = new(0, 0, 2, 0), NoWrap = true, Width = 9, Alignment = Justify.Right })
        .AddColumn(new() { Padding = new(0, 0) })
        .AddRow(
            new Markup(isDone ? "[green]✓[/]" : "[red]✗[/]"),
            new Text(name),
            new Text(string.Create(CultureInfo.InvariantCulture, $"{ms:0.0} ms")),
            new Text(Plain(what))));

    /// <summary>One clear message on standard error; answers the exit code.</summary>
    public int Fail(string message, int code)
    {
        if (!isJson)
        {
            Terminal.Fail(Plain(message));
            return code;
        }

        System.Console.Error.WriteLine(JsonSerializer.Serialize(new(message), CliJson.Default.Failure));
        return code;
    }

    /// <summary>
    /// Text from elsewhere, fit for a terminal: a client that names itself with escape sequences or turns the direction
    /// of writing shall not redraw what stands around it.
    /// </summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var isUnsafe = Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.OtherNotAssigned;
            plain.Append(isUnsafe ? "\ufffd" : rune.ToString());
        }

        return plain.ToString();
    }

    /// <summary><see cref="Plain"/>, ready to stand in markup.</summary>
    public static string Safe(string text) => Plain(text).EscapeMarkup();

    private static IAnsiConsole Console(bool isJson)
    {
        // With --json people may still have to be told something on the way; that does not belong into the document.
        var writer = isJson ? System.Console.Error : System.Console.Out;
        var isTerminal = isJson ? !System.Console.IsErrorRedirected : !System.Console.IsOutputRedirected;
        var isPlain = !isTerminal || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        var console = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isPlain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = isPlain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = Unbroken;
        return console;
    }

    // What stands in columns is broken within them, where somebody looks.
    private void Columns(Grid grid)
    {
        people.Profile.Width = people.Profile.Out.IsTerminal ? Math.Max(60, System.Console.WindowWidth) : Unbroken;
        people.Write(grid);
        people.Profile.Width = Unbroken;
    }
}
