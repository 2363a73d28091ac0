using Postern.Platform;
using Postern.Platform.Configuration;

namespace Postern.Api;

/// <summary>
/// The credential of whoever runs this installation: a file only the owner of the data folder can read, made on the
/// first start. In memory is its hash alone. No token of the authorization server opens what it opens (CVE-2026-91998).
/// </summary>
internal sealed class AdminToken
{
    private const string Prefix = "pad_", Scheme = "Bearer ";
    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly int Length = Prefix.Length + Secret.New().Reveal().Length;

    /// <exception cref="SetupException">The file cannot be made or read, or others can read it.</exception>
    public AdminToken(Settings settings)
    {
        var path = Path.Combine(settings.Data, "admin.token");
        try
        {
            Hash = new Secret(Read(path)).Hash();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"{path} cannot be kept: {failure.Message} Name a folder that can be written "
                + "with --data.");
        }
    }

    /// <summary>SHA-256 of the token; what is made for its holder is bound to it.</summary>
    public string Hash { get; }

    /// <summary>Whether this is the value of an <c>Authorization</c> header that presents the token.</summary>
    public bool IsIn(string? authorization) =>
        authorization is not null
        && authorization.Length == Scheme.Length + Length
        && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && new Secret(authorization[Scheme.Length..]).Matches(Hash);

    private static string Read(string path)
    {
        if (!File.Exists(path))
        {
            Make(path);
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnersAlone) != UnixFileMode.None)
        {
            throw new SetupException($"{path} can be read by others than its owner. Run: chmod 600 {path}");
        }

        var text = File.ReadAllText(path).Trim();
        return text.Length == Length && text.StartsWith(Prefix, StringComparison.Ordinal)
            ? text
            : throw new SetupException($"{path} does not hold a token. Delete it; the next start makes a new one.");
    }

    // Written aside and moved, so that a start that is cut off leaves no half token.
    private static void Make(string path)
    {
        PrivateFolder.Make(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnersAlone;
        }

        using (var file = new StreamWriter(path + ".new", options))
        {
            file.WriteLine(Prefix + Secret.New().Reveal());
        }

        File.Move(path + ".new", path);
    }
}
