using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>One thing the product promises to be fast at.</summary>
internal abstract class Row
{
    /// <summary>For the command line.</summary>
    public abstract string Name { get; }

    public abstract Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace);
}
