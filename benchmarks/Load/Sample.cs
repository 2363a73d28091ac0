namespace Postern.Bench.Load;

/// <summary>What one side did in one round; latencies in milliseconds.</summary>
internal sealed record Sample(long Count, double PerSecond, double P50, double P99)
{
    /// <summary>Processor time of the measured process to each request, in microseconds.</summary>
    public double Cpu { get; init; }

    public static Sample Of(Histogram latencies, TimeSpan elapsed) =>
        new(latencies.Count, latencies.Count / elapsed.TotalSeconds, latencies.At(0.5), latencies.At(0.99));
}
