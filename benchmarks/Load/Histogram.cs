using System.Diagnostics;
using System.Numerics;

namespace Postern.Bench.Load;

/// <summary>
/// Latencies in log-linear buckets: 64 to each power of two, so that what is read is within 1.6 % of what was.
/// </summary>
internal sealed class Histogram
{
    private const int Bits = 6, PerPower = 1 << Bits;

    private readonly long[] buckets = new long[PerPower * (64 - Bits)];

    public long Count { get; private set; }

    public void Add(long ticks)
    {
        buckets[IndexOf(Math.Max(ticks, 0))]++;
        Count++;
    }

    public void Add(Histogram other)
    {
        for (var i = 0; i < buckets.Length; i++)
        {
            buckets[i] += other.buckets[i];
        }

        Count += other.Count;
    }

    /// <summary>Milliseconds under which this share of the requests stayed.</summary>
    public double At(double share)
    {
        var (left, index) = ((long)Math.Ceiling(Count * share), -1);
        while (left > 0 && ++index < buckets.Length - 1)
        {
            left -= buckets[index];
        }

        return ValueOf(Math.Max(index, 0)) * 1000.0 / Stopwatch.Frequency;
    }

    private static int IndexOf(long value)
    {
        var power = Math.Max(BitOperations.Log2((ulong)value) - Bits, 0);
        return (power << Bits) + (int)(value >> power);
    }

    private static double ValueOf(int index)
    {
        var power = Math.Max((index >> Bits) - 1, 0);
        return ((index - (power << Bits)) + 0.5) * (1L << power);
    }
}
