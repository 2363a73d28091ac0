namespace Postern.Domain;

/// <summary>
/// What details say to a call, as far as its tool's declaration and its price decide (RFC 9396 §2: each allows by
/// itself). Pure, so that its laws can be tried. What is not known is refused.
/// </summary>
internal static class DetailRules
{
    private const string TooMuch = "it costs more than was agreed to at a time";

    private static readonly (string Because, Func<Detail, Charge, DateTimeOffset, bool> Holds)[] OfSpending =
    [
        ("nothing may be spent in this currency",
            (detail, charge, _) => detail.Limits["currency"] == new Limit.Same(charge.Currency)),
        ("it was agreed to for other merchants",
            (detail, charge, _) => detail.Limits.GetValueOrDefault("merchants") is not Limit.Texts { Values: var some }
                || (charge.Merchant is { } merchant && some.Contains(merchant))),
        ("the time in which it may spend is over",
            (detail, _, now) => detail.Limits.GetValueOrDefault("valid_until") is not Limit.Until { At: var end }
                || now <= end),
        (TooMuch, (detail, charge, _) => !(charge.Amount > detail.Most(Overrun.AtATime))),
    ];

    /// <summary>Why a tool may not be called, with whatever arguments; null when it may be.</summary>
    /// <param name="details">What is held.</param>
    /// <param name="limited">
    /// The types that were limited anywhere from where the grant came: who holds none of one of these may do nothing of
    /// the kind, so that leaving a detail out never widens.
    /// </param>
    /// <param name="tool">What is said of the tool.</param>
    /// <param name="risk">Its class.</param>
    public static string? Forbids(
        Details? details, IReadOnlyCollection<string> limited, ToolDeclaration? tool, Risk risk) =>
        limited.Count is 0
            ? null
            : (limited.Contains(Detail.Spend) ? SpendingIsUnknown(tool, risk) : null)
                ?? (limited.Contains(Detail.DataAccess) ? DataRefusal(details, tool) : null)
                ?? (limited.Contains(Detail.Egress) ? EgressRefusal(details, tool) : null);

    /// <summary>
    /// Why nothing but tools may be used, and nothing heard unasked; null when that may be: only of tools does anybody
    /// say which data they touch and whom they call.
    /// </summary>
    public static string? ForbidsAllButTools(IReadOnlyCollection<string> limited) =>
        limited.Contains(Detail.DataAccess) || limited.Contains(Detail.Egress)
            ? "the kinds of data and the calls agreed to are kept for tools alone, and this is none"
            : null;

    /// <summary>The details under which this may be paid, if enough is left; or why there are none.</summary>
    public static (IReadOnlyList<Detail> Purses, string? Because, Overrun? Over) Purses(
        Details details, Charge charge, DateTimeOffset now)
    {
        var left = details.Of(Detail.Spend).ToList();
        foreach (var (because, holds) in OfSpending)
        {
            var next = left.FindAll(detail => holds(detail, charge, now));
            if (next.Count is 0)
            {
                return ([], because, because == TooMuch ? OverrunOf(left[0], charge) : null);
            }

            left = next;
        }

        return (left, null, null);
    }

    // What only reads buys nothing; of anything else the operator must have said so.
    private static string? SpendingIsUnknown(ToolDeclaration? tool, Risk risk) =>
        risk is not Risk.Read && tool?.Spends is null
            ? "its operator has not said whether this tool spends anything"
            : null;

    private static string? DataRefusal(Details? details, ToolDeclaration? tool) => tool?.Data switch
    {
        null => "its operator has not said which data this tool touches",
        { Limits: var limits } when limits["datatypes"] is Limit.Texts { Values: [] } => null,
        var data => details?.Of(Detail.DataAccess).Any(data.IsWithin) is true
            ? null
            : "the tool touches data that were not agreed to",
    };

    private static string? EgressRefusal(Details? details, ToolDeclaration? tool) => tool?.Calls switch
    {
        null => "its operator has not said whom this tool calls",
        var calls => calls.All(call => details?.Of(Detail.Egress).Any(call.IsWithin) is true)
            ? null
            : "the tool makes calls that were not agreed to",
    };

    private static Overrun OverrunOf(Detail detail, Charge charge)
    {
        var most = detail.Most(Overrun.AtATime)!.Value;
        return new(Detail.Spend, Overrun.AtATime, most, most, charge.Amount) { Currency = charge.Currency };
    }
}
