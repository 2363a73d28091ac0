using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>
/// From nothing to the first good answer, with a schema and keys to make; and what it holds when nothing happens.
/// </summary>
internal sealed class StartRow : Row
{
    private const double Megabyte = 1024 * 1024;

    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(2);

    public override string Name => "start";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var (first, again) = (new List<double>(), new List<double>());
        var (floor, memory) = (new List<double>(), new List<double>());
        for (var round = 0; round < pace.Rounds; round++)
        {
            await using (var bare = await stage.StartFloorAsync("bare"))
            {
                floor.Add(bare.ReadyAfter.TotalSeconds);
            }

            var name = FormattableString.Invariant($"start-{round}");
            await using (var fresh = await stage.StartProductAsync(name))
            {
                first.Add(fresh.ReadyAfter.TotalSeconds);
            }

            await using var product = await stage.StartProductAsync(name);
            again.Add(product.ReadyAfter.TotalSeconds);
            await Task.Delay(Rest, stage.Stop);
            memory.Add(product.Memory / Megabyte);
        }

        return
        [
            Finding.AtMost("s from start to ready, first time", 1, new(first)),
            Finding.AtMost("s from start to ready, again", 1, new(again)),
            Finding.Shown("s until a bare Kestrel is ready", new(floor)),
            Finding.AtMost("MB held when idle", 150, new(memory)),
        ];
    }
}
