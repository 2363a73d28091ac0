namespace Postern.Console.Overview;

/// <summary>The operators' first view: counts, and the rows behind them.</summary>
public sealed record OverviewView
{
    public required string Person { get; init; }

    public required string Issuer { get; init; }

    public IReadOnlyList<ServerRow> Servers { get; init; } = [];

    public IReadOnlyList<GrantRow> Grants { get; init; } = [];

    public IReadOnlyList<EntryRow> Entries { get; init; } = [];
}

public sealed record ServerRow(string Name, string Url, string Kind, int? Tools);

public sealed record GrantRow(string Id, string Person, string Client, string Resource, DateTimeOffset Since, DateTimeOffset? Ends);

public sealed record EntryRow(long Number, DateTimeOffset At, string Who, string Act, string? Target, string Outcome);
