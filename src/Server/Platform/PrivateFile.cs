namespace Postern.Platform;

/// <summary>Files that nobody but their owner reads: keys, tokens, the database.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Makes a file with one line, and its folder. Written aside and moved, so that a start that is cut off leaves no
    /// half of it.
    /// </summary>
    /// <exception cref="IOException">It exists, or cannot be made.</exception>
    public static void Make(string path, string line)
    {
        PrivateFolder.Make(Path.GetDirectoryName(path)!);
        using (var file = new StreamWriter(path + ".new", Options(FileMode.Create)))
        {
            file.WriteLine(line);
        }

        File.Move(path + ".new", path);
    }

    /// <summary>Makes an empty file, and its folder, if there is none. One that exists stays as it is.</summary>
    public static void Ensure(string path)
    {
        PrivateFolder.Make(Path.GetDirectoryName(Path.GetFullPath(path))!);
        new FileStream(path, Options(FileMode.OpenOrCreate)).Dispose();
    }

    /// <exception cref="SetupException">Others can read it.</exception>
    public static void Require(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnersAlone) != UnixFileMode.None)
        {
            throw new SetupException($"{path} can be read by others than its owner. Run: chmod 600 {path}");
        }
    }

    private static FileStreamOptions Options(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnersAlone;
        }

        return options;
    }
}
