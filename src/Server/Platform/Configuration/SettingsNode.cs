using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace Postern.Platform.Configuration;

/// <summary>A place in <c>postern.yaml</c>, with the overrides of environment and command line laid over it.</summary>
/// <remarks>
/// Reading a setting describes it: what is read from here is what <c>docs/settings.md</c> lists, and what was not asked
/// for when <see cref="Close"/> is called is not a setting.
/// </remarks>
internal sealed class SettingsNode
{
    private readonly SettingsSource source;
    private readonly string path;
    private readonly YamlMappingNode? map;
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);

    public SettingsNode(SettingsSource source, string path, YamlNode? node)
    {
        (this.source, this.path) = (source, path);
        map = node switch
        {
            null => null,
            YamlMappingNode mapping => mapping,
            YamlScalarNode { Value: null or "" } => null,
            _ => throw source.Refuse(
                node,
                path is ""
                    ? $"the file must hold settings; expected lines such as `demo: false`"
                    : $"`{path.TrimEnd('.')}` must be a group of settings"),
        };
    }

    /// <summary>One value; the override wins over the file, the file over <paramref name="fallback"/>.</summary>
    /// <param name="key">The name in this group.</param>
    /// <param name="what">What it decides, a sentence for the documentation.</param>
    /// <param name="fallback">The value when nothing is said, written as an operator would write it; null if there is
    /// none.</param>
    /// <param name="expected">What a good value looks like; shown when one is refused.</param>
    /// <param name="parse">Null for a value that is not good.</param>
    /// <param name="isSecret">The value is never repeated, also not when it is refused: messages end in logs and
    /// tickets.</param>
    public T Value<T>(
        string key, string what, string? fallback, string expected, Func<string, T?> parse, bool isSecret = false)
    {
        asked.Add(key);
        source.Describe(path + key, what, fallback, expected);
        var (text, place) = Find(key);
        text ??= fallback;
        if (text is null)
        {
            return default!;
        }

        return parse(text) is { } value
            ? value
            : throw Refuse(place, key, isSecret ? "refused" : $"`{text}`", expected);
    }

    public string? Text(string key, string what, string? fallback = null, string expected = "text") =>
        Value(key, what, fallback, expected, text => text);

    public string Required(string key, string what, string expected)
    {
        var text = Text(key, what, null, expected);
        return text is { Length: > 0 }
            ? text
            : throw new SetupException($"{source.At(map)}`{path}{key}` is missing; expected {expected}.");
    }

    public bool Flag(string key, string what, bool fallback) =>
        Value<object>(key, what, fallback ? "true" : "false", "true or false", text => text switch
        {
            "true" => true,
            "false" => false,
            _ => null,
        }) is true;

    public long Number(string key, string what, long fallback, long least, long most) =>
        (long)Value<object>(
            key,
            what,
            fallback.ToString(CultureInfo.InvariantCulture),
            $"a whole number from {least} to {most}",
            text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number >= least && number <= most ? number : null);

    public TimeSpan Duration(string key, string what, string fallback, TimeSpan least, TimeSpan most) =>
        (TimeSpan)Value<object>(
            key,
            what,
            fallback,
            $"a duration such as 30s, 10m, 12h or 30d, from {Durations.Format(least)} to {Durations.Format(most)}",
            text => Durations.Parse(text) is { } span && span >= least && span <= most ? span : null);

    /// <summary>A list of values, <c>[a, b]</c>; an override separates them with commas.</summary>
    public IReadOnlyList<T> List<T>(string key, string what, string expected, Func<string, T?> parse)
        where T : class
    {
        asked.Add(key);
        source.Describe(path + key, what, "[]", $"a list of: {expected}");
        if (source.Override(path + key) is { } text)
        {
            var items = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return [.. items.Select(item => Item(item, null))];
        }

        return Node(key) switch
        {
            null => [],
            YamlSequenceNode list =>
                [.. list.Select(item => Item(item is YamlScalarNode { Value: { } value } ? value : "", item))],
            var node => throw source.Refuse(node, $"`{path}{key}` must be a list of: {expected}"),
        };

        T Item(string item, YamlNode? at) => parse(item)
            ?? throw new SetupException($"{source.At(at)}`{path}{key}` holds `{item}`; expected {expected}.");
    }

    /// <summary>
    /// Whether a group or a list stands there, be it empty; a name with nothing behind it is as if it were not there.
    /// </summary>
    public bool Has(string key) => Node(key) is YamlMappingNode or YamlSequenceNode;

    /// <summary>A group of settings inside this one.</summary>
    public SettingsNode Group(string key)
    {
        asked.Add(key);
        return new(source, $"{path}{key}.", Node(key));
    }

    /// <summary>A list of groups, such as <c>servers:</c>.</summary>
    /// <param name="key">The name of the list.</param>
    /// <param name="name">The setting by which one is told from another; each value stands once. Null for none.</param>
    /// <param name="read">Reads one of them.</param>
    public IReadOnlyList<T> Groups<T>(string key, string? name, Func<SettingsNode, T> read)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        asked.Add(key);
        if (Node(key) is not { } node)
        {
            return [];
        }

        return node is YamlSequenceNode list
            ? [.. list.Select(item => Read(new SettingsNode(source, $"{path}{key}[].", item)))]
            : throw source.Refuse(node, $"`{path}{key}` must be a list");

        T Read(SettingsNode item)
        {
            var value = read(item);
            item.Close();
            return name is not null && item.Find(name).Text is { } text && !names.Add(text)
                ? throw item.Refuse($"`{path}{key}[].{name}` is `{text}` a second time")
                : value;
        }
    }

    /// <summary>Names and values that the operator chooses, such as <c>tools: { delete_all: destroy }</c>.</summary>
    public IReadOnlyDictionary<string, T> Map<T>(string key, string what, string expected, Func<string, T?> parse)
    {
        asked.Add(key);
        source.Describe(path + key, what, "{}", $"names with: {expected}");
        if (Node(key) is not { } node)
        {
            return new Dictionary<string, T>(StringComparer.Ordinal);
        }

        if (node is not YamlMappingNode entries)
        {
            throw source.Refuse(node, $"`{path}{key}` must be names with values");
        }

        return entries.ToDictionary(
            entry => entry.Key is YamlScalarNode { Value: { } name }
                ? name
                : throw source.Refuse(entry.Key, $"`{path}{key}`: a name is one word"),
            entry => entry.Value is YamlScalarNode { Value: { } value } && parse(value) is { } parsed
                ? parsed
                : throw source.Refuse(entry.Value, $"`{path}{key}` expects {expected}"),
            StringComparer.Ordinal);
    }

    /// <summary>Refuses what was written here and never asked for.</summary>
    public void Close()
    {
        foreach (var key in map?.Children.Keys ?? [])
        {
            if (key is not YamlScalarNode { Value: var name })
            {
                throw source.Refuse(key, "a setting's name is one word");
            }

            if (!asked.Contains(name ?? ""))
            {
                var known = string.Join(", ", asked.Order(StringComparer.Ordinal));
                throw source.Refuse(key, $"`{path}{name}` is not a setting; expected one of: {known}");
            }
        }
    }

    /// <summary>Where this group stands, for what is found wrong with it later: <c>FILE:LINE: </c>.</summary>
    public string Place => source.At(map);

    /// <summary>A value that is good by itself, and not beside the others.</summary>
    public SetupException Refuse(string key, string expected)
    {
        var (text, place) = Find(key);
        return Refuse(place, key, $"`{text}`", expected);
    }

    /// <summary>An error of this group as a whole.</summary>
    public SetupException Refuse(string sentence) => new($"{Place}{sentence}.");

    private SetupException Refuse(string place, string key, string found, string expected) =>
        new($"{place}`{path}{key}` is {found}; expected {expected}.");

    private (string? Text, string Place) Find(string key)
    {
        if (source.Override(path + key) is { } text)
        {
            return (text, source.PlaceOfOverride(path + key));
        }

        return Node(key) switch
        {
            null => (null, ""),
            YamlScalarNode scalar => (scalar.Value ?? "", source.At(scalar)),
            var node => throw source.Refuse(node, $"`{path}{key}` must be one value"),
        };
    }

    private YamlNode? Node(string key) =>
        map is not null && map.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;
}
