using System.Globalization;
using System.Runtime.InteropServices;
using Postern.Bench.Report;
using Postern.Bench.Rows;
using Postern.Bench.Sides;

namespace Postern.Bench;

/// <summary>
/// Starts the product and its yardsticks side by side, lets them take turns, and says how they compare. The verbs
/// <c>floor</c> and <c>echo</c> are the yardsticks that this program is itself.
/// </summary>
internal static class Program
{
    private const string Usage =
        """
        ./bench [--quick] [--only ROW] [--write]
          --quick     a fifth of the time, for a first look
          --only ROW  one row: disk, tokens, codes, refresh, par, proofs, exchange, introspection, calls, pace,
                      validation, start
          --write     put the figures into docs/bench.md
        """;

    private static readonly Row[] Rows =
    [
        new DiskRow(),
        new ClientCredentialsRow(),
        new CodeRow(),
        new RefreshRow(),
        new PushRow(),
        new ExchangeRow(),
        new IntrospectionRow(),
        new ToolCallRow(),
        new ProofRow(),
        new AddedLatencyRow(),
        new ValidationRow(),
        new StartRow(),
    ];

    private static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case ["floor", var port]:
                await FloorServer.RunAsync(int.Parse(port, CultureInfo.InvariantCulture));
                return 0;
            case ["echo", var port]:
                await EchoServer.RunAsync(int.Parse(port, CultureInfo.InvariantCulture));
                return 0;
            default:
                return BenchOptions.TryParse(args, out var options) ? await MeasureAsync(options) : Refuse();
        }
    }

    private static int Refuse()
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }

    private static async Task<int> MeasureAsync(BenchOptions options)
    {
        var rows = Array.FindAll(Rows, row => options.Only is null || row.Name == options.Only);
        if (rows is [])
        {
            return Refuse();
        }

        using var ending = new CancellationTokenSource(options.Pace.Whole);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => End(signal, ending));
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => End(signal, ending));
        await using var stage = new Stage(options.Root, ending.Token);
        var load = (await File.ReadAllTextAsync("/proc/loadavg", ending.Token)).Split(' ')[0];
        var findings = new List<Finding>();
        foreach (var row in rows)
        {
            try
            {
                var found = await row.MeasureAsync(stage, options.Pace);
                Page.Show(found);
                findings.AddRange(found);
            }
            catch (Exception failure) when (
                failure is InvalidOperationException or IOException or HttpRequestException or TimeoutException)
            {
                Console.Error.WriteLine($"{row.Name}: not measured: {failure.Message}");
                findings.Add(Finding.NotMeasured(row.Name, failure.Message.Split('\n')[0]));
            }
        }

        if (options.Writes)
        {
            await Page.WriteAsync(options.Root, load, findings);
        }

        return findings.TrueForAll(finding => finding.IsMeasured) ? 0 : 1;
    }

    // The children are ended on the way out.
    private static void End(PosixSignalContext signal, CancellationTokenSource ending)
    {
        signal.Cancel = true;
        ending.Cancel();
    }
}
