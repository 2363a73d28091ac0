namespace Postern.Tests.Shared;

/// <summary>Time stands still until a test moves it. Tests do not wait for timers; they let them go off.</summary>
internal sealed class FakeClock(DateTimeOffset start) : TimeProvider
{
    private long ticks = start.UtcTicks;

    /// <summary>At a quarter past ten, and a little more.</summary>
    public FakeClock()
        : this(new(2026, 11, 22, 10, 15, 30, 123, TimeSpan.Zero))
    {
    }

    public Alarms Alarms { get; } = new();

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        Alarms.Set(callback, state, dueTime, period);

    public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
}
