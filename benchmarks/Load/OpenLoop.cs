using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Postern.Bench.Load;

/// <summary>
/// At a constant rate, whatever the answers take. A latency counts from when its request was due, not from when it
/// could be sent, so a side that stalls is charged for everybody it kept waiting (no coordinated omission).
/// </summary>
internal sealed class OpenLoop : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    private readonly BlockingCollection<Connection> idle = [];
    private readonly Histogram latencies = new();
    private readonly List<Connection> connections = [];
    private readonly Script script;

    private OpenLoop(Script script) => this.script = script;

    public static async Task<Sample> RunAsync(
        int port, Script script, int connections, int perSecond, TimeSpan length, CancellationToken stop)
    {
        using var loop = new OpenLoop(script);
        for (var i = 0; i < connections; i++)
        {
            loop.connections.Add(await Connection.OpenAsync(port, stop));
            loop.idle.Add(loop.connections[i], stop);
        }

        var start = Stopwatch.GetTimestamp();
        await Task.Factory.StartNew(
                () => loop.Pace(start, perSecond, (int)(perSecond * length.TotalSeconds), stop),
                TaskCreationOptions.LongRunning)
            .Unwrap().WaitAsync(length + Grace, stop);
        return Sample.Of(loop.latencies, Stopwatch.GetElapsedTime(start));
    }

    public void Dispose()
    {
        connections.ForEach(connection => connection.Dispose());
        idle.Dispose();
    }

    // Not async: the pace is kept by one thread that no pool can delay.
    private Task Pace(long start, int perSecond, int count, CancellationToken stop)
    {
        var answers = new Task[count];
        for (var i = 0; i < count; i++)
        {
            var due = start + (i * Stopwatch.Frequency / perSecond);
            WaitUntil(due);
            answers[i] = AskAsync(idle.Take(stop), due);
        }

        return Task.WhenAll(answers);
    }

    private async Task AskAsync(Connection connection, long due)
    {
        try
        {
            var answer = await connection.AskAsync(script.Next());
            var latency = Stopwatch.GetTimestamp() - due;
            script.Hear(answer);
            lock (latencies)
            {
                latencies.Add(latency);
            }
        }
        finally
        {
            idle.Add(connection);
        }
    }

    // Sleeps to within a tenth of a millisecond, then spins: the clock of the
    // pool is too coarse, spinning alone too dear.
    private static void WaitUntil(long due)
    {
        while (due - Stopwatch.GetTimestamp() is var left and > 0)
        {
            var micros = (left * 1_000_000 / Stopwatch.Frequency) - 100;
            if (micros > 0)
            {
                _ = Sleep((uint)micros);
            }
        }
    }

    [DllImport("libc", EntryPoint = "usleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sleep(uint micros);
}
