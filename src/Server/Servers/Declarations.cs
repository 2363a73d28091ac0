using Postern.Platform.Configuration;

namespace Postern.Servers;

/// <summary>
/// What the tools of a server do, by its operator's word. Which types of details can be kept there follows from it, and
/// no others are granted.
/// </summary>
internal sealed record Declarations
{
    public static readonly Declarations None = new([]);

    private readonly Dictionary<string, ToolDeclaration> tools;

    private Declarations(IReadOnlyList<DeclarationSeed> seeds)
    {
        Seeds = seeds;
        tools = seeds.ToDictionary(seed => seed.Name, Of, StringComparer.Ordinal);
        Types =
        [
            Detail.McpTool,
            .. tools.Values.Any(tool => tool.Spends is { Amount: not null }) ? (string[])[Detail.Spend] : [],
            .. tools.Values.Any(tool => tool.Data is not null) ? (string[])[Detail.DataAccess] : [],
            .. tools.Values.Any(tool => tool.Calls is not null) ? (string[])[Detail.Egress] : [],
        ];
    }

    /// <summary>As an operator wrote it.</summary>
    public IReadOnlyList<DeclarationSeed> Seeds { get; }

    /// <summary>The types of details that can be kept.</summary>
    public IReadOnlyList<string> Types { get; }

    public static Declarations From(IReadOnlyList<DeclarationSeed>? seeds) =>
        seeds is null or [] ? None : new(seeds);

    public ToolDeclaration? For(string tool) => tools.GetValueOrDefault(tool);

    /// <summary>The tools whose calls can be held to a detail and allowed by it.</summary>
    public IReadOnlyList<string> Keeping(Detail detail) =>
        [.. tools.Values.Where(tool => tool.CanKeep(detail)).Select(tool => tool.Name)];

    /// <summary>What must be said of some tool before this can be granted; null when it is.</summary>
    public string? Missing(Detail detail) => detail.Type is Detail.McpTool || Keeping(detail) is not [] ? null
        : detail.Type switch
        {
            Detail.Spend => "spends (its amount, its currency, and its merchant where merchants are limited)",
            Detail.Egress => "calls (upstream, method and path)",
            _ => "data (its datatypes, its labels where these are limited, its row_filter_ref)",
        };

    private static ToolDeclaration Of(DeclarationSeed seed)
    {
        var labels = seed.Data is null ? null : LabelsOf(seed.Data);
        return new()
        {
            Name = seed.Name,
            Spends = seed.Spends is { } spends ? new(spends.Amount, spends.Currency, spends.Merchant) : null,
            Data = seed.Data is { } data
                ? Make(
                    Detail.DataAccess,
                    ("datatypes", new Limit.Texts(data.Datatypes ?? [])),
                    ("labels", labels),
                    ("row_filter_ref", data.RowFilterRef is { } filter ? new Limit.Same(filter) : null))
                : null,
            Calls = seed.Calls is { } calls
                ? [.. calls.Select(call => Make(
                    Detail.Egress,
                    ("upstream", new Limit.Same(call.Upstream)),
                    ("methods", new Limit.Texts([call.Method])),
                    ("path_templates", new Limit.Texts([call.Path])),
                    ("data_labels", labels)))]
                : null,
        };
    }

    // Nothing has no labels; of something they are known only where they are said.
    private static Limit.Texts? LabelsOf(DataSeed data) => data switch
    {
        { Datatypes: null or [] } => new([]),
        { Labels: { Count: > 0 } labels } => new(labels),
        _ => null,
    };

    private static Detail Make(string type, params ReadOnlySpan<(string Name, Limit? Limit)> limits)
    {
        var all = new SortedDictionary<string, Limit>(StringComparer.Ordinal);
        foreach (var (name, limit) in limits)
        {
            if (limit is not null)
            {
                all[name] = limit;
            }
        }

        return new(type, all);
    }
}
