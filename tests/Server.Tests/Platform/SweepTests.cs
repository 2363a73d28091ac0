using Postern.Platform;

namespace Postern.Tests.Platform;

/// <summary>What has expired goes, whatever becomes of the clock.</summary>
public sealed class SweepTests
{
    [Fact]
    public void One_in_half_a_minute_sweeps()
    {
        var clock = new FakeClock();
        var sweep = new Sweep(clock);

        Assert.Equal((true, false), (sweep.IsDue(out _), sweep.IsDue(out _)));
        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False(sweep.IsDue(out _));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(sweep.IsDue(out var now));
        Assert.Equal(clock.GetUtcNow().ToUnixTimeSeconds(), now);
    }

    [Fact]
    public void A_clock_that_is_set_back_stops_no_sweep()
    {
        var clock = new FakeClock();
        var sweep = new Sweep(clock);
        clock.Advance(TimeSpan.FromDays(1));
        sweep.IsDue(out _);

        clock.Advance(TimeSpan.FromDays(-1));

        Assert.Equal((true, false), (sweep.IsDue(out _), sweep.IsDue(out _)));
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True(sweep.IsDue(out _));
    }
}
