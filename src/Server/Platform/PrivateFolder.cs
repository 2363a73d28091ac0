namespace Postern.Platform;

/// <summary>Folders that nobody else on the machine looks into.</summary>
internal static class PrivateFolder
{
    private const UnixFileMode OwnerAlone =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes the folder and what is missing above it. One that exists stays as its owner wants it.</summary>
    public static void Make(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(path, OwnerAlone);
    }
}
