namespace Postern.Bench.Rows;

/// <summary>The median of the rounds, with the lowest and the highest.</summary>
internal sealed class Spread
{
    private readonly double[] ordered;

    public Spread(IEnumerable<double> values) => ordered = [.. values.Order()];

    public double Median => ordered[ordered.Length / 2];

    public double Least => ordered[0];

    public double Most => ordered[^1];
}
