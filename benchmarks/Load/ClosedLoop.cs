using System.Diagnostics;

namespace Postern.Bench.Load;

/// <summary>As fast as it goes: each connection asks again as soon as it has its answer.</summary>
internal static class ClosedLoop
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    /// <summary>Runs one script to a connection until the time is over or the scripts are.</summary>
    public static async Task<Sample> RunAsync(
        int port, IReadOnlyList<Script> scripts, TimeSpan length, CancellationToken stop)
    {
        var connections = new List<Connection>();
        try
        {
            foreach (var _ in scripts)
            {
                connections.Add(await Connection.OpenAsync(port, stop));
            }

            var start = Stopwatch.GetTimestamp();
            var end = start + (long)(length.TotalSeconds * Stopwatch.Frequency);
            var talks = connections.Zip(
                scripts, (connection, script) => Task.Run(() => TalkAsync(connection, script, end), stop));
            var latencies = await Task.WhenAll(talks).WaitAsync(length + Grace, stop);
            return Sample.Of(Together(latencies), Stopwatch.GetElapsedTime(start));
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }

    private static async Task<Histogram> TalkAsync(Connection connection, Script script, long end)
    {
        var latencies = new Histogram();
        for (var sent = Stopwatch.GetTimestamp(); sent < end; sent = Stopwatch.GetTimestamp())
        {
            var request = script.Next();
            if (request.IsEmpty)
            {
                break;
            }

            var answer = await connection.AskAsync(request);
            latencies.Add(Stopwatch.GetTimestamp() - sent);
            script.Hear(answer);
        }

        return latencies;
    }

    private static Histogram Together(IEnumerable<Histogram> parts)
    {
        var all = new Histogram();
        foreach (var part in parts)
        {
            all.Add(part);
        }

        return all;
    }
}
