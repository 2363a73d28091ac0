using System.Globalization;
using System.Text.Json;

namespace Postern.Gateway.Inspect;

/// <summary>
/// The parameters of one tool that its schema mirrors into headers (<c>x-mcp-header</c>). Only what is reached through
/// <c>properties</c> alone counts; a schema that says otherwise has a <see cref="Defect"/> and its tool is not shown.
/// </summary>
internal sealed class ParamHeaders
{
    public const string Prefix = "Mcp-Param-";
    public const string Annotation = "x-mcp-header";

    private const long MaxInteger = (1L << 53) - 1;

    private static readonly string[] Types = ["string", "integer", "boolean"];

    private readonly List<(string Header, string[] Path)> mirrored = [];

    public static readonly ParamHeaders None = new();

    public string? Defect { get; private set; }

    public bool IsEmpty => mirrored.Count is 0;

    public static ParamHeaders Of(JsonElement schema)
    {
        var headers = new ParamHeaders();
        var mentions = Mentions(schema, Annotation);
        if (mentions is 0)
        {
            return None;
        }

        headers.Collect(schema, []);
        if (headers.mirrored.Count != mentions)
        {
            headers.Defect = "x-mcp-header stands where no header can be made of it";
        }

        return headers;
    }

    /// <summary>Null when headers and arguments agree, one by one and with nothing left over.</summary>
    public RpcError? Disagreement(JsonElement arguments, IHeaderDictionary headers)
    {
        foreach (var (header, path) in mirrored)
        {
            var values = headers[header];
            var value = ValueAt(arguments, path);
            if (value is null ? values.Count is not 0 : values.Count is not 1 || !Equal(value.Value, values[0]!))
            {
                return RpcError.HeaderMismatch($"{header} and the argument {string.Join('.', path)} do not agree.");
            }
        }

        return null;
    }

    /// <summary>The headers a call must carry, made from its arguments.</summary>
    public IEnumerable<KeyValuePair<string, string>> For(JsonElement arguments)
    {
        foreach (var (header, path) in mirrored)
        {
            if (ValueAt(arguments, path) is { } value)
            {
                yield return new(header, HeaderValue.Encode(value.ValueKind is JsonValueKind.String
                    ? value.GetString()!
                    : value.GetRawText()));
            }
        }
    }

    private static JsonElement? ValueAt(JsonElement at, string[] path)
    {
        foreach (var name in path)
        {
            if (at.ValueKind is not JsonValueKind.Object || !at.TryGetProperty(name, out at))
            {
                return null;
            }
        }

        return at.ValueKind is JsonValueKind.Null ? null : at;
    }

    private static bool Equal(JsonElement value, string header) =>
        HeaderValue.TryDecode(header, out var text) && value.ValueKind switch
        {
            JsonValueKind.String => text == value.GetString(),
            JsonValueKind.True => text is "true",
            JsonValueKind.False => text is "false",
            JsonValueKind.Number =>
                TryInteger(text, out var one) && TryInteger(value.GetRawText(), out var other) && one == other,
            _ => false,
        };

    // 42 and 42.0 are one integer; beyond 2^53 two parsers disagree about which.
    private static bool TryInteger(string text, out decimal number) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number)
        && decimal.IsInteger(number) && Math.Abs(number) <= MaxInteger;

    private void Collect(JsonElement schema, string[] path)
    {
        if (schema.ValueKind is not JsonValueKind.Object
            || !schema.TryGetProperty("properties", out var properties)
            || properties.ValueKind is not JsonValueKind.Object)
        {
            return;
        }

        foreach (var property in properties.EnumerateObject())
        {
            string[] inner = [.. path, property.Name];
            if (IsMirrored(property.Value, out var header))
            {
                mirrored.Add((header, inner));
            }

            Collect(property.Value, inner);
        }
    }

    private bool IsMirrored(JsonElement property, out string header)
    {
        header = "";
        if (property.ValueKind is not JsonValueKind.Object
            || !property.TryGetProperty(Annotation, out var name) || name.ValueKind is not JsonValueKind.String
            || !property.TryGetProperty("type", out var type) || type.ValueKind is not JsonValueKind.String)
        {
            return false;
        }

        var made = Prefix + name.GetString();
        header = made;
        return made.Length > Prefix.Length && made.All(IsTokenCharacter) && Types.Contains(type.GetString())
            && !mirrored.Exists(other => string.Equals(other.Header, made, StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c);

    private static int Mentions(JsonElement at, string name) => at.ValueKind switch
    {
        JsonValueKind.Object => at.EnumerateObject().Sum(m => (m.NameEquals(name) ? 1 : 0) + Mentions(m.Value, name)),
        JsonValueKind.Array => at.EnumerateArray().Sum(item => Mentions(item, name)),
        _ => 0,
    };
}
