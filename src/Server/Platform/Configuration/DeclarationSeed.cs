namespace Postern.Platform.Configuration;

/// <summary>
/// What an operator says that one tool does, in the configuration and in JSON. A part that is left out says nothing; an
/// empty one says that there is nothing.
/// </summary>
internal sealed record DeclarationSeed(
    string Name, SpendsSeed? Spends = null, DataSeed? Data = null, IReadOnlyList<CallSeed>? Calls = null)
{
    /// <summary>Tools of a server for which something may be said.</summary>
    public const int MostTools = 200;

    private const int MaxToolName = 128, MostCalls = 16;

    public static bool AreGood(IReadOnlyList<DeclarationSeed?> all) =>
        all.Count <= MostTools
        && all.All(seed => seed?.IsGood() is true)
        && all.DistinctBy(seed => seed!.Name).Count() == all.Count;

    private bool IsGood() =>
        Name is { Length: > 0 and <= MaxToolName }
        && Spends?.IsGood() is not false
        && Data?.IsGood() is not false
        && (Calls is null || (Calls.Count <= MostCalls && Calls.All(call => call?.IsGood() is true)));

    public static DeclarationSeed Read(SettingsNode node)
    {
        var (spends, data) = (node.Group("spends"), node.Group("data"));
        var seed = new DeclarationSeed(
            node.Required("name", "The tool.", "a tool's name"),
            SpendsSeed.Read(spends) is var spent && node.Has("spends") ? spent : null,
            DataSeed.Read(data) is var touched && node.Has("data") ? touched : null,
            node.Groups("calls", null, CallSeed.Read) is var calls && node.Has("calls") ? calls : null);
        spends.Close();
        data.Close();
        return seed.IsGood()
            ? seed
            : throw node.Refuse(
                $"what `{seed.Name}` does is not understood: `spends` has `amount` and `currency` or nothing, `data` "
                    + "has `datatypes` or nothing, and each of `calls` has `upstream`, `method` and `path`");
    }
}

/// <summary>Where a tool says what it spends.</summary>
internal sealed record SpendsSeed(string? Amount = null, string? Currency = null, string? Merchant = null)
{
    public bool IsGood() => Amount is null
        ? this is { Currency: null, Merchant: null }
        : DetailReader.IsWord(Amount) && DetailReader.IsWord(Currency)
            && (Merchant is null || DetailReader.IsWord(Merchant));

    public static SpendsSeed Read(SettingsNode node) => new(
        node.Text("amount", "The argument that is the amount; without it the tool spends nothing.", null, "a name"),
        node.Text(
            "currency",
            "The argument that is the currency, or the one there is.",
            null,
            "a name, or a code such as EUR"),
        node.Text("merchant", "The argument that is who gets it.", null, "a name"));
}

/// <summary>The data that a tool touches.</summary>
internal sealed record DataSeed(
    IReadOnlyList<string>? Datatypes = null, IReadOnlyList<string>? Labels = null, string? RowFilterRef = null)
{
    private const int Most = 100;

    public bool IsGood() =>
        AreGood(Datatypes) && AreGood(Labels)
        && (Datatypes is { Count: > 0 } || this is { Labels: null or [], RowFilterRef: null })
        && (RowFilterRef is null || DetailReader.IsWord(RowFilterRef));

    public static DataSeed Read(SettingsNode node) => new(
        node.List("datatypes", "The kinds of data it touches; without them it touches none.", "text", text => text),
        node.List("labels", "All labels that these data may have.", "text", text => text) is { Count: > 0 } labels
            ? labels
            : null,
        node.Text("row_filter_ref", "The filter through which it sees them."));

    private static bool AreGood(IReadOnlyList<string>? words) =>
        words is null || (words.Count <= Most && words.All(DetailReader.IsWord));
}

/// <summary>A call that a tool makes elsewhere.</summary>
internal sealed record CallSeed(string Upstream, string Method, string Path)
{
    public bool IsGood() =>
        DetailReader.IsWord(Upstream) && DetailReader.IsWord(Method) && DetailReader.IsWord(Path);

    public static CallSeed Read(SettingsNode node) => new(
        node.Required("upstream", "Whom it calls.", "text"),
        node.Required("method", "By which method.", "an HTTP method"),
        node.Required("path", "Where, exactly as details name it in `path_templates`.", "a path or a template of one"));
}
