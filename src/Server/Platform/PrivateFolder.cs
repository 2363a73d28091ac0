namespace Postern.Platform;

/// <summary>Folders that nobody else on the machine looks into.</summary>
internal static class PrivateFolder
{
    private const UnixFileMode OwnerAlone =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes the folder and what is missing above it. One that exists stays as its owner wants it.</summary>
    /// <exception cref="SetupException">It cannot be made.</exception>
    public static void Make(string path)
    {
        try
        {
            _ = OperatingSystem.IsWindows()
                ? Directory.CreateDirectory(path)
                : Directory.CreateDirectory(path, OwnerAlone);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"The folder {path} cannot be made: {failure.Message}");
        }
    }
}
