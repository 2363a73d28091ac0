namespace Postern.Tests.Shared;

/// <summary>Time stands still until a test moves it. Timers are the machine's: tests do not wait for them.</summary>
internal sealed class FakeClock(DateTimeOffset start) : TimeProvider
{
    private long ticks = start.UtcTicks;

    /// <summary>At a quarter past ten, and a little more.</summary>
    public FakeClock()
        : this(new(2026, 11, 22, 10, 15, 30, 123, TimeSpan.Zero))
    {
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
}
