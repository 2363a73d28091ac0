using System.Diagnostics.CodeAnalysis;

namespace Postern.Bench;

/// <summary>What was asked for on the command line.</summary>
internal sealed record BenchOptions(string Root, Pace Pace, string? Only, bool Writes)
{
    public static bool TryParse(string[] args, [NotNullWhen(true)] out BenchOptions? options)
    {
        options = new(FindRoot(), Pace.Full, null, false);
        for (var i = 0; i < args.Length; i++)
        {
            options = args[i] switch
            {
                "--quick" => options! with { Pace = Pace.Quick },
                "--write" => options! with { Writes = true },
                "--only" when i + 1 < args.Length => options! with { Only = args[++i] },
                _ => null,
            };
            if (options is null)
            {
                return false;
            }
        }

        return true;
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Postern.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new InvalidOperationException("The bench runs from the repository it was built in.");
    }
}

/// <summary>How long and how often. Odd numbers of rounds, so that the median is one that was measured.</summary>
/// <param name="WarmUp">Before the first round, for each side: code is compiled again while it runs hot.</param>
/// <param name="Round">One side's turn.</param>
/// <param name="Rounds">Turns of each side.</param>
/// <param name="Whole">After this everything is ended.</param>
internal sealed record Pace(TimeSpan WarmUp, TimeSpan Round, int Rounds, TimeSpan Whole)
{
    public static readonly Pace Full =
        new(TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(1.5), 5, TimeSpan.FromMinutes(12));

    public static readonly Pace Quick =
        new(TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(0.5), 3, TimeSpan.FromMinutes(2));
}
