using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Postern.Gateway.Inspect;

/// <summary>
/// A tool as its server describes it. What a server says of itself is believed only in one direction: a tool without
/// annotations counts as destructive. One with a <see cref="Defect"/> is neither shown nor called; the others stay.
/// </summary>
internal sealed record ToolDefinition(string Name, string? Title, string? Description, Risk Risk, string Hash)
{
    /// <summary>More than these and the tool is dropped, so that no one tool can stop the list.</summary>
    public const int MaxSize = 128 * 1024, MaxDepth = 48, MaxName = 128;

    // Each is looked for among all members of an object, so many of them are a day's work.
    private const int MaxTargets = 300;

    private static readonly string[] Pinned =
        ["annotations", "description", "icons", "inputSchema", "name", "outputSchema", "title"];

    public ParamHeaders Headers { get; private init; } = ParamHeaders.None;

    /// <summary>Why the tool is not offered; null when it may be.</summary>
    public string? Defect { get; private init; }

    /// <summary>Null when it has not even a name.</summary>
    public static ToolDefinition? Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            return json.Length <= MaxSize && DepthOf(json.Span) <= MaxDepth ? Described(json) : null;
        }
        catch (InvalidOperationException)
        {
            // A text with half of a surrogate pair.
            return null;
        }
    }

    /// <summary>The elements of an array, each as it stands in the message.</summary>
    public static List<Part> Elements(ReadOnlySpan<byte> source, Part array)
    {
        var reader = new Utf8JsonReader(
            source.Slice(array.Start, array.Length), new JsonReaderOptions { MaxDepth = Message.MaxAnswerDepth });
        var parts = new List<Part>();
        reader.Read();
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
        {
            var (start, type) = ((int)reader.TokenStartIndex, reader.TokenType);
            reader.Skip();
            parts.Add(new(array.Start + start, (int)reader.BytesConsumed - start, type));
        }

        return parts;
    }

    private static ToolDefinition? Described(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, new() { MaxDepth = MaxDepth + 1 });
        var tool = document.RootElement;
        if (Text(tool, "name") is not { Length: > 0 and <= MaxName } name)
        {
            return null;
        }

        var schema = tool.TryGetProperty("inputSchema", out var given) ? given : default;
        var headers = schema.ValueKind is JsonValueKind.Object ? ParamHeaders.Of(schema) : ParamHeaders.None;
        return new(name, Text(tool, "title"), Text(tool, "description"), RiskOf(tool), HashOf(tool))
        {
            Headers = headers,
            Defect = headers.Defect ?? DefectOf(tool, schema),
        };
    }

    private static Risk RiskOf(JsonElement tool)
    {
        if (!tool.TryGetProperty("annotations", out var hints) || hints.ValueKind is not JsonValueKind.Object)
        {
            return Risk.Destroy;
        }

        if (hints.TryGetProperty("readOnlyHint", out var readOnly) && readOnly.ValueKind is JsonValueKind.True)
        {
            return Risk.Read;
        }

        return hints.TryGetProperty("destructiveHint", out var destructive)
            && destructive.ValueKind is JsonValueKind.False
            ? Risk.Change
            : Risk.Destroy;
    }

    private static string? DefectOf(JsonElement tool, JsonElement schema)
    {
        if (AnyText(tool, HiddenText.IsIn))
        {
            return "it holds characters that nobody sees";
        }

        return schema.ValueKind is JsonValueKind.Object && HasBadReference(schema, schema, new(StringComparer.Ordinal))
            ? "its schema refers outside itself, in a circle or to too much"
            : null;
    }

    private static bool AnyText(JsonElement at, Func<string, bool> condition) => at.ValueKind switch
    {
        JsonValueKind.String => condition(at.GetString()!),
        JsonValueKind.Array => at.EnumerateArray().Any(item => AnyText(item, condition)),
        JsonValueKind.Object => at.EnumerateObject().Any(m => condition(m.Name) || AnyText(m.Value, condition)),
        _ => false,
    };

    private static bool HasBadReference(JsonElement root, JsonElement at, HashSet<string> known) => at.ValueKind switch
    {
        JsonValueKind.Array => at.EnumerateArray().Any(item => HasBadReference(root, item, known)),
        JsonValueKind.Object => IsBadReference(root, at, known)
            || at.EnumerateObject().Any(member => HasBadReference(root, member.Value, known)),
        _ => false,
    };

    // A schema may contain itself below a property; references that lead to nothing but references never end. What was
    // followed once is known to end.
    private static bool IsBadReference(JsonElement root, JsonElement at, HashSet<string> known)
    {
        var chain = new HashSet<string>(StringComparer.Ordinal);
        while (Text(at, "$ref") is { } target && !known.Contains(target))
        {
            if (!target.StartsWith('#') || !chain.Add(target) || known.Count + chain.Count > MaxTargets)
            {
                return true;
            }

            if (!TryFollow(root, target, out at))
            {
                break;
            }
        }

        known.UnionWith(chain);
        return false;
    }

    private static bool TryFollow(JsonElement root, string target, out JsonElement at)
    {
        at = root;
        foreach (var step in target.Split('/')[1..])
        {
            var name = step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (at.ValueKind is not JsonValueKind.Object || !at.TryGetProperty(name, out at))
            {
                return false;
            }
        }

        return at.ValueKind is JsonValueKind.Object;
    }

    private static string? Text(JsonElement at, string name) =>
        at.ValueKind is JsonValueKind.Object
        && at.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;

    private static int DepthOf(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Message.MaxAnswerDepth });
        var depth = 0;
        while (reader.Read())
        {
            depth = Math.Max(depth, reader.CurrentDepth);
        }

        return depth;
    }

    // Members in order and no blanks: the same definition has the same hash however it is written.
    private static string HashOf(JsonElement tool)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(text))
        {
            writer.WriteStartObject();
            foreach (var name in Pinned)
            {
                if (tool.TryGetProperty(name, out var value))
                {
                    writer.WritePropertyName(name);
                    WriteOrdered(writer, value);
                }
            }

            writer.WriteEndObject();
        }

        return "sha-256:" + Base64Url.EncodeToString(SHA256.HashData(text.WrittenSpan));
    }

    private static void WriteOrdered(Utf8JsonWriter writer, JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.Array)
        {
            writer.WriteStartArray();
            foreach (var item in value.EnumerateArray())
            {
                WriteOrdered(writer, item);
            }

            writer.WriteEndArray();
            return;
        }

        if (value.ValueKind is not JsonValueKind.Object)
        {
            value.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        foreach (var member in value.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal))
        {
            writer.WritePropertyName(member.Name);
            WriteOrdered(writer, member.Value);
        }

        writer.WriteEndObject();
    }
}
