namespace Postern.Hosting.Processes;

/// <summary>So many steps a second: whoever prints without end is made to wait, and costs us no processor.</summary>
internal sealed class Pace(TimeProvider clock, int perSecond)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private long began = clock.GetTimestamp();
    private int steps;

    public async Task StepAsync(CancellationToken stop)
    {
        var elapsed = clock.GetElapsedTime(began);
        if (elapsed >= Second)
        {
            (began, steps) = (clock.GetTimestamp(), 0);
        }
        else if (++steps >= perSecond)
        {
            await Task.Delay(Second - elapsed, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
