using Postern.Bench.Load;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>
/// Sides that take turns: each round measures all of them one after another, the next in the other order.
/// </summary>
internal sealed class Contest
{
    private readonly List<(string Name, List<Sample> Samples)> sides = [];

    private Contest()
    {
    }

    public static async Task<Contest> RunAsync(Pace pace, params IReadOnlyList<Side> sides)
    {
        var contest = new Contest();
        foreach (var side in sides)
        {
            await TurnAsync(side, pace.WarmUp);
            contest.sides.Add((side.Name, []));
        }

        for (var round = 0; round < pace.Rounds; round++)
        {
            var order = Enumerable.Range(0, sides.Count);
            foreach (var i in round % 2 is 0 ? order : order.Reverse())
            {
                contest.sides[i].Samples.Add(await TurnAsync(sides[i], pace.Round));
            }
        }

        return contest;
    }

    private static async Task<Sample> TurnAsync(Side side, TimeSpan length)
    {
        await side.PrepareAsync();
        var before = side.Child.Cpu;
        var sample = await side.MeasureAsync(length);
        return sample with { Cpu = (side.Child.Cpu - before).TotalMicroseconds / sample.Count };
    }

    public IReadOnlyList<Sample> this[string side] => sides.Find(candidate => candidate.Name == side).Samples;

    /// <summary>One side against another, round by round.</summary>
    public Spread Compare(string side, string yardstick, Func<Sample, Sample, double> how) =>
        new(this[side].Zip(this[yardstick], how));

    public Spread Rate(string side, string yardstick) =>
        Compare(side, yardstick, (ours, theirs) => ours.PerSecond / theirs.PerSecond);

    /// <summary>What each side did, in plain figures.</summary>
    public string Figures() => string.Join("; ", sides.Select(FiguresOf));

    private static string FiguresOf((string Name, List<Sample> Samples) side)
    {
        var (rate, cpu) = (Of(side, s => s.PerSecond), Of(side, s => s.Cpu));
        var (p50, p99) = (Of(side, s => s.P50), Of(side, s => s.P99));
        return FormattableString.Invariant(
            $"{side.Name} {rate:N0}/s, p50 {p50:0.00} ms, p99 {p99:0.00} ms, {cpu:0} µs of processor");
    }

    private static double Of((string Name, List<Sample> Samples) side, Func<Sample, double> what) =>
        new Spread(side.Samples.Select(what)).Median;
}

/// <summary>One that takes its turn.</summary>
internal sealed record Side(string Name, Child Child, Func<TimeSpan, Task<Sample>> MeasureAsync)
{
    /// <summary>What must be there before a turn and is not measured.</summary>
    public Func<Task> PrepareAsync { get; init; } = () => Task.CompletedTask;
}
