using System.Text.Json;

namespace Postern.Cli;

/// <summary>
/// The tokens of this person, by server, in a file that only they can read. A token is sent to the server it was given
/// for and to no other.
/// </summary>
internal sealed class Credentials
{
    public const string LocalServer = "http://localhost:7400";

    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private Credentials(CredentialText text) =>
        (Default, Tokens) = (text.Default, new(text.Tokens, StringComparer.Ordinal));

    /// <summary>The server of the last login.</summary>
    public string? Default { get; private set; }

    public Dictionary<string, string> Tokens { get; }

    public static string File { get; } = Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } config
            ? config
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "postern",
        "credentials.json");

    public static Credentials Load()
    {
        try
        {
            return new(System.IO.File.Exists(File)
                ? JsonSerializer.Deserialize(System.IO.File.ReadAllText(File), CliJson.Default.CredentialText)!
                : new(null, []));
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new RefusalException($"{File} cannot be read: {failure.Message} Delete it and run: postern login");
        }
    }

    /// <summary>Keeps a token, and takes its server for the one that is meant from now on.</summary>
    public void Keep(string server, string token)
    {
        (Default, Tokens[server]) = (server, token);
        try
        {
            Save();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new RefusalException($"{File} cannot be written: {failure.Message}");
        }
    }

    // Written aside and moved, so that it is never half there and never, not for a moment, open to others.
    private void Save()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        }
        else
        {
            Directory.CreateDirectory(Path.GetDirectoryName(File)!, OwnersAlone | UnixFileMode.UserExecute);
            options.UnixCreateMode = OwnersAlone;
        }

        var draft = $"{File}.{Environment.ProcessId}";
        using (var file = new FileStream(draft, options))
        {
            JsonSerializer.Serialize(file, new(Default, Tokens), CliJson.Default.CredentialText);
        }

        System.IO.File.Move(draft, File, overwrite: true);
    }
}

/// <summary>The file as it is written.</summary>
internal sealed record CredentialText(string? Default, Dictionary<string, string> Tokens);
