namespace Postern.Policy;

/// <summary>
/// What the details of a grant say to a call (RFC 9396 §2), before anything is counted. Pure: all it needs comes with
/// the question.
/// </summary>
internal sealed record Ruling
{
    private const string NotAgreed = "the tool was not agreed to";

    private static readonly Ruling Yes = new();

    /// <summary>Why not; null for yes, if there is enough left of what is counted.</summary>
    public string? Because { get; private init; }

    public Overrun? Over { get; private init; }

    /// <summary>Details with a number of calls, one of which must have one left; none when none is counted.</summary>
    public IReadOnlyList<Detail> Rates { get; private init; } = [];

    /// <summary>Details of which one must have enough left for <see cref="Charge"/>.</summary>
    public IReadOnlyList<Detail> Purses { get; private init; } = [];

    /// <summary>What the call costs; null where the grant does not limit that.</summary>
    public Charge? Charge { get; private init; }

    public bool Counts => Rates.Count + Purses.Count > 0;

    public static Ruling No(string because) => new() { Because = because };

    public static Ruling Of(Question question, DateTimeOffset now)
    {
        if (question.Grant.Details is not { } details)
        {
            return Yes;
        }

        if (DetailRules.Forbids(details, question.Limited, question.Declared, question.Risk) is { } forbidden)
        {
            return No(forbidden);
        }

        var tools = details.Tools is null ? Yes : OfTools(details, question);
        return tools.Because is null ? tools.WithCharge(details, question, now) : tools;
    }

    // Each detail allows by itself; one without a number counts nothing.
    private static Ruling OfTools(Details details, Question question)
    {
        var named = details.Of(Detail.McpTool).Where(detail => detail.Actions!.Contains(question.Tool)).ToList();
        var fit = named.FindAll(detail => detail.Accepts(question.Arguments));
        return (named, fit) switch
        {
            ([], _) => No(NotAgreed),
            (_, []) => No("it was agreed to with other arguments"),
            _ when fit.Exists(detail => detail.Rate is null) => Yes,
            _ => new() { Rates = fit },
        };
    }

    private Ruling WithCharge(Details details, Question question, DateTimeOffset now)
    {
        if (question.Declared?.Spends is not { Amount: not null } spends
            || !question.Limited.Contains(Detail.Spend))
        {
            return this;
        }

        if (spends.Of(question.Arguments) is not { } charge)
        {
            return No("it does not say plainly what it costs");
        }

        var (purses, because, over) = DetailRules.Purses(details, charge, now);
        return this with { Charge = charge, Purses = purses, Because = because, Over = over };
    }
}
