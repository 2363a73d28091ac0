using System.Diagnostics;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>What one durable write costs here. No strict call can be faster than the disk that it waits for.</summary>
internal sealed class DiskRow : Row
{
    private const int Writes = 200, Page = 8192;

    public override string Name => "disk";

    public override Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        using var file = File.OpenHandle(Path.Combine(stage.Folder, "disk"), FileMode.Create, FileAccess.Write);
        var page = new byte[Page];
        var rounds = Enumerable.Range(0, pace.Rounds)
            .Select(round => Enumerable.Range(round * Writes, Writes).Select(Write));
        return Task.FromResult<IReadOnlyList<Finding>>(
            [Finding.Shown("ms for this disk to keep 8 KB", new(rounds.Select(round => new Spread(round).Median)))]);

        double Write(int at)
        {
            var start = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, page, (long)at * Page);
            RandomAccess.FlushToDisk(file);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }
}
