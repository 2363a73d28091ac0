using System.Collections;

namespace Postern.Platform.Configuration;

/// <summary>
/// The command line of <c>postern serve</c>: <c>--config FILE</c> and, for every single setting, <c>--NAME VALUE</c> or
/// <c>--NAME=VALUE</c>, such as <c>--listen</c> or <c>--tokens.access_lifetime</c>.
/// </summary>
internal static class ServeArguments
{
    public const string DefaultFile = "postern.yaml";

    /// <summary>Options win over <c>POSTERN_…</c> variables, those over the file.</summary>
    /// <exception cref="SetupException">An option has no value, or the file cannot be read.</exception>
    public static SettingsSource Open(IReadOnlyList<string> args)
    {
        var options = Read(args);
        var file = options.Remove("config", out var named)
            ? named
            : Environment.GetEnvironmentVariable("POSTERN_CONFIG");
        return SettingsSource.Open(file ?? (File.Exists(DefaultFile) ? DefaultFile : null), options, Variables());
    }

    // The two that are no settings are read elsewhere. The others are what an orchestrator says of a service that is
    // named postern, to everything that runs beside it.
    private static Dictionary<string, string> Variables() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(pair => KeyValuePair.Create((string)pair.Key, (string?)pair.Value ?? ""))
            .Where(pair => pair.Key.StartsWith(SettingsSource.Prefix, StringComparison.Ordinal)
                && pair.Key is not ("POSTERN_CONFIG" or "POSTERN_MASTER_KEY" or "POSTERN_PORT")
                && !pair.Key.StartsWith("POSTERN_PORT_", StringComparison.Ordinal)
                && !pair.Key.StartsWith("POSTERN_SERVICE_", StringComparison.Ordinal))
            .ToDictionary(StringComparer.Ordinal);

    private static Dictionary<string, string> Read(IReadOnlyList<string> args)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal) || args[i].Length < 3)
            {
                throw new SetupException(
                    $"`{args[i]}` is not an option. Options look like --listen http://localhost:7400.");
            }

            var pair = args[i][2..].Split('=', 2);
            if (pair.Length is 1 && ++i >= args.Count)
            {
                throw new SetupException($"--{pair[0]} needs a value.");
            }

            options[pair[0]] = pair.Length is 2 ? pair[1] : args[i];
        }

        return options;
    }
}
