namespace Postern.Platform.Configuration;

/// <summary>
/// How a person must have signed in (RFC 9470), as an operator writes it, in the configuration and in JSON.
/// </summary>
/// <param name="Acr">How strongly: any of these, or what is stronger; null or empty for no matter.</param>
/// <param name="MaxAge">How lately, a duration; null for no matter.</param>
internal record SignInSeed(IReadOnlyList<string>? Acr = null, string? MaxAge = null)
{
    private static readonly TimeSpan Least = TimeSpan.FromMinutes(1), Most = TimeSpan.FromDays(30);

    public bool IsGood() =>
        (Acr is null || (Acr.Count <= Domain.Acr.All.Length && Acr.All(Domain.Acr.All.Contains)))
        && (MaxAge is null || ParseAge(MaxAge) is not null);

    public static TimeSpan? ParseAge(string text) =>
        Durations.Parse(text) is { } age && age >= Least && age <= Most ? age : null;

    public static SignInSeed? Of(SettingsNode node) => new SignInSeed(AcrIn(node), MaxAgeIn(node)) is var seed
        && seed is { Acr: null, MaxAge: null } ? null : seed;

    protected static IReadOnlyList<string>? AcrIn(SettingsNode node) => node.List(
        "acr",
        "How strongly a person must have signed in, any of these or stronger (RFC 9470).",
        string.Join(" or ", Domain.Acr.All),
        text => Domain.Acr.All.Contains(text) ? text : null) is { Count: > 0 } values ? values : null;

    protected static string? MaxAgeIn(SettingsNode node) => node.Value<string>(
        "max_age",
        "How long ago a person may have signed in (RFC 9470).",
        null,
        "a duration such as 15m, from 1m to 30d",
        text => ParseAge(text) is null ? null : text);
}

/// <summary>What a server demands: for all of it, for the tools of one class, and for single ones.</summary>
internal sealed record RequireSeed(
    IReadOnlyList<string>? Acr = null,
    string? MaxAge = null,
    SignInSeed? Read = null,
    SignInSeed? Change = null,
    SignInSeed? Destroy = null,
    IReadOnlyList<ToolSignInSeed>? Tools = null) : SignInSeed(Acr, MaxAge)
{
    private const int MostTools = 50, MaxToolName = 128;

    public bool IsWhole() =>
        IsGood()
        && new[] { Read, Change, Destroy }.All(demand => demand?.IsGood() is not false)
        && (Tools ?? []) is var tools
        && tools.Count <= MostTools
        && tools.All(tool => tool is { Name.Length: > 0 and <= MaxToolName } && tool.IsGood())
        && tools.DistinctBy(tool => tool.Name).Count() == tools.Count;

    public static RequireSeed OfServer(SettingsNode node)
    {
        var classes = Risks.All.Select(risk => node.Group(risk.Word)).ToList();
        var demands = classes.ConvertAll(Of);
        classes.ForEach(group => group.Close());
        return new(
            AcrIn(node),
            MaxAgeIn(node),
            demands[(int)Risk.Read],
            demands[(int)Risk.Change],
            demands[(int)Risk.Destroy],
            node.Groups("tools", "name", ToolSignInSeed.OfTool) is { Count: > 0 } tools ? tools : null);
    }
}

/// <summary>What one tool demands.</summary>
internal sealed record ToolSignInSeed(string Name, IReadOnlyList<string>? Acr = null, string? MaxAge = null)
    : SignInSeed(Acr, MaxAge)
{
    public static ToolSignInSeed OfTool(SettingsNode node) =>
        new(node.Required("name", "The tool.", "a tool's name"), AcrIn(node), MaxAgeIn(node));
}
