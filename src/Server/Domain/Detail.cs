using System.Globalization;
using System.Text.Json;

namespace Postern.Domain;

/// <summary>
/// One authorization detail (RFC 9396 §2): a type, and how far each of its members reaches. A member that is not there
/// is no limit.
/// </summary>
public sealed record Detail(string Type, IReadOnlyDictionary<string, Limit> Limits)
{
    public const string McpTool = "mcp_tool", Spend = "spend", Egress = "egress", DataAccess = "data_access";

    /// <summary>What the names of limits on arguments begin with, and under which calls are counted.</summary>
    internal const string Argument = "args.", Calls = "max_calls";

    /// <summary>The tools it is about; null when it is about something else.</summary>
    public IReadOnlyList<string>? Actions =>
        Type is McpTool ? (Limits["actions"] as Limit.Texts)!.Values : null;

    /// <summary>How often; null for no limit.</summary>
    public Limit.Rate? Rate => Limits.GetValueOrDefault(Calls) as Limit.Rate;

    /// <summary>The greatest amount that a member allows; null for any.</summary>
    public decimal? Most(string member) => Limits.GetValueOrDefault(member) is Limit.Range range ? range.Most : null;

    /// <summary>The limits on arguments, by their names.</summary>
    public IEnumerable<(string Name, Limit Limit)> Arguments => Limits
        .Where(limit => limit.Key.StartsWith(Argument, StringComparison.Ordinal))
        .Select(limit => (limit.Key[Argument.Length..], limit.Value));

    /// <summary>Whether everything that this allows the other allows too.</summary>
    public bool IsWithin(Detail other) => Type == other.Type && other.Limits.All(
        limit => Limits.TryGetValue(limit.Key, out var own) && own.IsWithin(limit.Value));

    /// <summary>
    /// Whether it can stand in a token for the other: within it, and counted with it. Calls are counted for a grant; a
    /// number of a token's own would be as many numbers as there are tokens.
    /// </summary>
    public bool Narrows(Detail other) => IsWithin(other) && Rate == other.Rate;

    /// <summary>What both allow; null for nothing.</summary>
    public Detail? Intersect(Detail other)
    {
        if (Type != other.Type)
        {
            return null;
        }

        var both = new SortedDictionary<string, Limit>(StringComparer.Ordinal);
        foreach (var name in Limits.Keys.Union(other.Limits.Keys))
        {
            var limit = (Limits.GetValueOrDefault(name), other.Limits.GetValueOrDefault(name)) switch
            {
                ({ } own, { } theirs) => own.Intersect(theirs),
                var (own, theirs) => own ?? theirs,
            };
            if (limit is null)
            {
                return null;
            }

            both[name] = limit;
        }

        return new(Type, both);
    }

    /// <summary>The same for these tools alone; null when it is about none of them.</summary>
    public Detail? For(IReadOnlyCollection<string> tools) => Actions is not { } actions ? this
        : actions.Where(tools.Contains).ToList() is { Count: > 0 } left
            ? new(Type, new SortedDictionary<string, Limit>(
                Limits.ToDictionary(one => one.Key, one => one.Key is "actions" ? new Limit.Texts(left) : one.Value),
                StringComparer.Ordinal))
            : null;

    /// <summary>Whether a call with these arguments is within. One that is limited must be there.</summary>
    public bool Accepts(JsonElement arguments) => Arguments.All(limit =>
        arguments.ValueKind is JsonValueKind.Object
        && arguments.TryGetProperty(limit.Name, out var value)
        && limit.Limit switch
        {
            Limit.Texts texts => Scalar(value) is { } text && texts.Values.Contains(text),
            Limit.Range range => Exact.Number(value) is { } number && number >= range.Least && number <= range.Most,
            _ => false,
        });

    /// <summary>
    /// One spelling for each text, number and truth value, with its kind before it; null for what is none.
    /// </summary>
    internal static string? Scalar(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => "s" + value.GetString(),
                JsonValueKind.Number when Exact.Number(value) is { } number => "n" + Plain(number),
                JsonValueKind.True => "true",
                JsonValueKind.False => "false",
                _ => null,
            };
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair is no text.
            return null;
        }
    }

    /// <summary>Without noughts at the end: 1.0 is 1.</summary>
    internal static string Plain(decimal number) =>
        number.ToString("0.############################", CultureInfo.InvariantCulture);
}
