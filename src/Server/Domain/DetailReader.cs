using System.Globalization;
using System.Text.Json;

namespace Postern.Domain;

/// <summary>The types of authorization details and their members, in the order in which they are written.</summary>
internal static class DetailReader
{
    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    private const int MaxList = 100, MaxText = 200, MaxArguments = 16, MaxDepth = 8;

    private const long MaxCalls = 1_000_000;

    public static readonly IReadOnlyDictionary<string, Member[]> Schemas = new Dictionary<string, Member[]>
    {
        [Detail.McpTool] =
            [new("locations", Texts, Must: true), new("actions", Texts, Must: true), new("constraints", Nothing)],
        [Detail.Spend] =
        [
            new("currency", Currency, Must: true), new("max_per_tx", Amount), new("max_total", Amount, Must: true),
            new("merchants", Texts), new("valid_until", Time),
        ],
        [Detail.Egress] =
        [
            new("upstream", Same, Must: true), new("methods", Texts, Must: true),
            new("path_templates", Texts, Must: true), new("data_labels", Texts),
        ],
        [Detail.DataAccess] = [new("datatypes", Texts, Must: true), new("labels", Texts), new("row_filter_ref", Same)],
    };

    public static readonly IReadOnlySet<string> Types = Schemas.Keys.ToHashSet(StringComparer.Ordinal);

    public static Details? Read(string json)
    {
        if (StrictJson.Read(json, MaxDepth) is not { ValueKind: JsonValueKind.Array } list
            || list.GetArrayLength() is 0 or > Details.MaxCount)
        {
            return null;
        }

        var all = list.EnumerateArray().Select(Read).ToList();
        return all.Contains(null) ? null : new([.. all.OfType<Detail>()]);
    }

    private static Detail? Read(JsonElement json)
    {
        if (json.ValueKind is not JsonValueKind.Object
            || !json.TryGetProperty("type", out var type) || type.ValueKind is not JsonValueKind.String
            || !Schemas.TryGetValue(type.GetString()!, out var members)
            || members.Any(member => member.Must && !json.TryGetProperty(member.Name, out _)))
        {
            return null;
        }

        var limits = new SortedDictionary<string, Limit>(StringComparer.Ordinal);
        foreach (var given in json.EnumerateObject().Where(given => given.Name is not "type"))
        {
            if (Array.Find(members, member => member.Name == given.Name) is not { } known
                || !(known.Name is "constraints" ? Constraints(given.Value, limits) : Add(known, given.Value, limits)))
            {
                return null;
            }
        }

        return new(type.GetString()!, limits);
    }

    private static bool Add(Member member, JsonElement value, SortedDictionary<string, Limit> limits)
    {
        var limit = member.Read(value);
        if (limit is not null)
        {
            limits[member.Name] = limit;
        }

        return limit is not null;
    }

    private static bool Constraints(JsonElement json, SortedDictionary<string, Limit> limits)
    {
        if (json.ValueKind is not JsonValueKind.Object
            || json.EnumerateObject().Any(member => member.Name is not ("args" or Detail.Calls or "per")))
        {
            return false;
        }

        var hasCalls = json.TryGetProperty(Detail.Calls, out var calls);
        if (hasCalls != json.TryGetProperty("per", out var per))
        {
            return false;
        }

        if (hasCalls)
        {
            if (calls.ValueKind is not JsonValueKind.Number || !calls.TryGetInt64(out var most)
                || most is < 1 or > MaxCalls || per.ValueKind is not JsonValueKind.String
                || Array.Find(Limit.Rate.All, one => per.ValueEquals(one.Word)) is not { Word: not null } span)
            {
                return false;
            }

            limits[Detail.Calls] = new Limit.Rate(most, span.Per);
        }

        return !json.TryGetProperty("args", out var arguments) || Arguments(arguments, limits);
    }

    // JSON Schema, as much of it as has one meaning for everybody and can be compared: const, enum, minimum, maximum.
    private static bool Arguments(JsonElement json, SortedDictionary<string, Limit> limits)
    {
        if (json.ValueKind is not JsonValueKind.Object
            || json.EnumerateObject().Any(member => member.Name is not ("type" or "properties"))
            || (json.TryGetProperty("type", out var type) && !IsText(type, "object"))
            || !json.TryGetProperty("properties", out var properties)
            || properties.ValueKind is not JsonValueKind.Object
            || properties.GetPropertyCount() is 0 or > MaxArguments)
        {
            return false;
        }

        foreach (var property in properties.EnumerateObject())
        {
            if (property.Name.Length is 0 or > MaxText || !IsPlain(property.Name)
                || Argument(property.Value) is not { } limit)
            {
                return false;
            }

            limits[Detail.Argument + property.Name] = limit;
        }

        return true;
    }

    private static Limit? Argument(JsonElement json)
    {
        if (json.ValueKind is not JsonValueKind.Object)
        {
            return null;
        }

        var names = json.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal);
        return string.Join(' ', names) switch
        {
            "const" => Value(json.GetProperty("const")) is { Length: <= MaxText } one
                ? new Limit.Texts([one])
                : null,
            "enum" => Values(json.GetProperty("enum"), Value),
            "maximum" => Between(decimal.MinValue, Number(json, "maximum")),
            "minimum" => Between(Number(json, "minimum"), decimal.MaxValue),
            "maximum minimum" => Between(Number(json, "minimum"), Number(json, "maximum")),
            _ => null,
        };
    }

    private static Limit.Range? Between(decimal? least, decimal? most) =>
        least is { } from && most is { } to && from <= to ? new(from, to) : null;

    private static decimal? Number(JsonElement json, string name) => Exact.Number(json.GetProperty(name));

    private static Limit.Texts? Values(JsonElement json, Func<JsonElement, string?> read)
    {
        if (json.ValueKind is not JsonValueKind.Array || json.GetArrayLength() is 0 or > MaxList)
        {
            return null;
        }

        var values = json.EnumerateArray().Select(read).ToList();
        return values.TrueForAll(value => value is { Length: > 0 and <= MaxText })
            ? new([.. values.OfType<string>().Distinct(StringComparer.Ordinal)])
            : null;
    }

    private static Limit.Texts? Texts(JsonElement json) => Values(json, Text);

    private static Limit.Same? Same(JsonElement json) =>
        Text(json) is { Length: > 0 and <= MaxText } text ? new(text) : null;

    private static Limit.Same? Currency(JsonElement json) =>
        Text(json) is { Length: 3 } text && text.All(char.IsAsciiLetterUpper) ? new(text) : null;

    private static Limit.Range? Amount(JsonElement json) =>
        Exact.Amount(json) is > 0 and var most ? new(0, most) : null;

    private static Limit.Until? Time(JsonElement json) => Text(json) is { } text && DateTimeOffset.TryParseExact(
        text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? new(at) : null;

    private static Limit? Nothing(JsonElement json) => null;

    private static string? Text(JsonElement json) =>
        json.ValueKind is JsonValueKind.String && json.GetString() is { } text && IsPlain(text) ? text : null;

    private static string? Value(JsonElement json) => Detail.Scalar(json) is { } value && IsPlain(value) ? value : null;

    /// <summary>What could stand in a list of a detail, and be read by a person.</summary>
    public static bool IsWord(string? text) => text is { Length: > 0 and <= MaxText } && IsPlain(text);

    // What a person could not see on the page, they could not agree to.
    private static bool IsPlain(string text) => !text.Any(char.IsControl);

    private static bool IsText(JsonElement json, string text) =>
        json.ValueKind is JsonValueKind.String && json.ValueEquals(text);

    /// <summary>One member of a type, and what reads it: null for a value that is none.</summary>
    internal sealed record Member(string Name, Func<JsonElement, Limit?> Read, bool Must = false);
}
