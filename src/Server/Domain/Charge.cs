using System.Text.Json;

namespace Postern.Domain;

/// <summary>What one call of a tool costs, and who gets it where that is said.</summary>
public sealed record Charge(decimal Amount, string Currency, string? Merchant);

/// <summary>Where a tool says what it spends, by the names of its arguments.</summary>
/// <param name="Amount">The argument that is the amount; null when the tool spends nothing.</param>
/// <param name="Currency">The argument that is the currency, or a code, which is three capital letters.</param>
/// <param name="Merchant">The argument that is who gets it; null when there is none.</param>
public sealed record Spending(string? Amount, string? Currency, string? Merchant)
{
    public static readonly Spending Nothing = new(null, null, null);

    private string? Code => Currency is { Length: 3 } code && code.All(char.IsAsciiLetterUpper) ? code : null;

    /// <summary>Whether its calls can be held to a detail: nothing is believed that they do not say.</summary>
    public bool CanKeep(Detail detail) =>
        Amount is not null
        && (Merchant is not null || !detail.Limits.ContainsKey("merchants"))
        && (Code is null || detail.Limits["currency"] is Limit.Same { Value: var currency } && currency == Code);

    /// <summary>What a call costs; null when it does not say so plainly.</summary>
    public Charge? Of(JsonElement arguments)
    {
        if (arguments.ValueKind is not JsonValueKind.Object
            || Amount is null || !arguments.TryGetProperty(Amount, out var said) || Exact.Amount(said) is not { } amount
            || (Code ?? Text(arguments, Currency!)) is not { } currency)
        {
            return null;
        }

        return Merchant is null
            ? new(amount, currency, null)
            : Text(arguments, Merchant) is { } merchant ? new(amount, currency, merchant) : null;
    }

    private static string? Text(JsonElement arguments, string name) =>
        arguments.TryGetProperty(name, out var value) && Detail.Scalar(value) is ['s', .. var text] ? text : null;
}
