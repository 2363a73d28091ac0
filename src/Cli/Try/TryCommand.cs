using System.CommandLine;

namespace Postern.Cli.Try;

/// <summary>
/// <c>postern try</c>: a private server and, in this program, an agent's client that knows nothing but the address of
/// an MCP server. It goes the whole way a real one goes and shows every gate.
/// </summary>
internal sealed class TryCommand : Command
{
    private readonly Option<bool> headless = new("--headless")
    {
        Description = "Signs in and says yes in place of a person, through the same pages, without a browser.",
    };

    public TryCommand()
        : base("try", "Shows the whole way of an agent, from the closed door to an answer, on a server of its own.")
    {
        Add(headless);
        SetAction(TryAsync);
    }

    private async Task<int> TryAsync(ParseResult parse, CancellationToken stop)
    {
        var isHeadless = parse.GetValue(headless);
        if (!isHeadless && !Browser.IsHere && Console.IsOutputRedirected)
        {
            throw new RefusalException("There is neither display nor person to ask. Run: postern try --headless");
        }

        var screen = parse.Screen;
        var report = new TryReport(screen, isHeadless);
        try
        {
            await using var server = await report.PassAsync(
                "server",
                () => PrivateServer.StartAsync(stop),
                started => $"{started.Origin}, private, gone when this ends");
            await new Errand(server, report, isHeadless).RunAsync(stop);
            report.Finish();
            return 0;
        }
        catch (GateException gate)
        {
            return report.Fail(gate);
        }
    }
}
