using Postern.Platform.Pages;

namespace Postern.Console.Desk;

/// <summary>What every page for operators says around its own.</summary>
public abstract record DeskView
{
    /// <summary>Rows of one page.</summary>
    public const int Page = 50;

    public required string Person { get; init; }

    /// <summary>Where the page after this one begins; null when this is the last.</summary>
    public string? Next { get; init; }

    /// <summary>This is not where the list begins.</summary>
    public bool IsFurther { get; init; }
}

/// <summary>The first view: where this server is, what stands behind it, and what happened last.</summary>
public sealed record OverviewView : DeskView
{
    public required string Issuer { get; init; }

    public IReadOnlyList<ServerRow> Servers { get; init; } = [];

    public IReadOnlyList<EntryRow> Entries { get; init; } = [];
}

public sealed record ClientsView : DeskView
{
    public IReadOnlyList<ClientRow> Clients { get; init; } = [];
}

public sealed record AgentsView : DeskView
{
    public IReadOnlyList<AgentRow> Agents { get; init; } = [];
}

public sealed record GrantsView : DeskView
{
    public IReadOnlyList<GrantRow> Grants { get; init; } = [];
}

public sealed record LogView : DeskView
{
    public IReadOnlyList<EntryRow> Entries { get; init; } = [];
}

public sealed record ServerRow(string Name, string Url, string Kind, int? Tools);

/// <summary>A client: <paramref name="Host"/> is the one that its metadata document proves.</summary>
public sealed record ClientRow(
    string Id,
    string Name,
    string Registered,
    string? Host,
    DateTimeOffset? Since,
    DateTimeOffset? LastGrant,
    string Alive);

/// <summary>An agent; <paramref name="Off"/> says why it may do nothing now.</summary>
public sealed record AgentRow(
    string Id, string Name, string? Owner, string Purpose, string Clients, DateTimeOffset Ends, string? Off);

public sealed record GrantRow(
    string Person, Asker Client, string Sentence, DateTimeOffset Since, DateTimeOffset? LastUse, DateTimeOffset Ends,
    bool IsBound = false, bool IsOfCopy = false);

public sealed record EntryRow(long Number, DateTimeOffset At, string Who, string Act, string? Target, string Outcome);
