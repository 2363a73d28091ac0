using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Postern.Platform.Configuration;

/// <summary>Where settings come from: the file, <c>POSTERN_…</c> variables, options of the command line.</summary>
internal sealed class SettingsSource
{
    /// <summary>What the names of our variables begin with.</summary>
    public const string Prefix = "POSTERN_";

    private readonly string? file;
    private readonly YamlNode? root;
    private readonly IReadOnlyDictionary<string, string> options;
    private readonly IReadOnlyDictionary<string, string> variables;
    private readonly HashSet<string> known = new(StringComparer.Ordinal);

    private SettingsSource(
        string? file,
        YamlNode? root,
        IReadOnlyDictionary<string, string> options,
        IReadOnlyDictionary<string, string> variables) =>
        (this.file, this.root, this.options, this.variables) = (file, root, options, variables);

    public string? File => file;

    /// <summary>What was asked for so far, in reading order.</summary>
    public List<SettingDescription> Descriptions { get; } = [];

    public static SettingsSource Open(
        string? file, IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, string> variables)
    {
        if (file is null)
        {
            return new(null, null, options, variables);
        }

        string text;
        try
        {
            text = System.IO.File.ReadAllText(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"{file} cannot be read: {failure.Message}");
        }

        return Parse(file, text, options, variables);
    }

    public static SettingsSource Parse(
        string file,
        string text,
        IReadOnlyDictionary<string, string> options,
        IReadOnlyDictionary<string, string> variables)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream.Documents is [_, var second, ..]
                ? throw new SetupException(
                    $"{file}:{second.RootNode.Start.Line}: one document is expected, and here a second begins.")
                : new(file, stream.Documents is [var first] ? first.RootNode : null, options, variables);
        }
        catch (YamlException failure)
        {
            var why = failure.InnerException?.Message ?? failure.Message;
            throw new SetupException($"{file}:{failure.Start.Line}: not valid YAML: {why}");
        }
    }

    public SettingsNode Root() => new(this, "", root);

    /// <summary>Refuses an option of the command line, and a variable, that names no setting.</summary>
    public void Close()
    {
        var overridable = known.Where(IsOverridable).Select(VariableOf).ToHashSet(StringComparer.Ordinal);
        if (options.Keys.FirstOrDefault(option => !known.Contains(option)) is { } option)
        {
            throw new SetupException($"--{option} is not a setting. Settings are listed in docs/settings.md.");
        }

        if (variables.Keys.FirstOrDefault(name => !overridable.Contains(name)) is { } variable)
        {
            throw new SetupException(
                $"The environment variable {variable} is not a setting that a variable can have. "
                + "Settings are listed in docs/settings.md.");
        }
    }

    public void Describe(string path, string what, string? fallback, string expected)
    {
        if (known.Add(path))
        {
            Descriptions.Add(new(path, what, fallback, expected));
        }
    }

    public string? Override(string path) =>
        IsOverridable(path) ? options.GetValueOrDefault(path) ?? variables.GetValueOrDefault(VariableOf(path)) : null;

    public string PlaceOfOverride(string path) => options.ContainsKey(path) ? $"--{path}: " : $"{VariableOf(path)}: ";

    public string At(YamlNode? node) => file is null || node is null ? "" : $"{file}:{node.Start.Line}: ";

    public SetupException Refuse(YamlNode node, string sentence) => new($"{At(node)}{sentence}.");

    // What is in a list has no name of its own.
    private static bool IsOverridable(string path) => !path.Contains("[]", StringComparison.Ordinal);

    private static string VariableOf(string path) => Prefix + path.Replace('.', '_').ToUpperInvariant();
}

/// <summary>One line of <c>docs/settings.md</c>.</summary>
internal sealed record SettingDescription(string Path, string What, string? Fallback, string Expected);
