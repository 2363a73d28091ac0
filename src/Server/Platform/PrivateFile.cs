using System.Text;

namespace Postern.Platform;

/// <summary>Files that are made for nobody but their owner to read: keys, tokens, the database.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>What it holds; where there is none it is made with what <paramref name="first"/> answers.</summary>
    /// <exception cref="SetupException">It cannot be made or read, or others can read it.</exception>
    public static string Read(string path, Func<string> first)
    {
        try
        {
            if (!File.Exists(path))
            {
                Make(path, first());
            }

            return IsOwnersAlone(path)
                ? File.ReadAllText(path)
                : throw new SetupException($"{path} can be read by others than its owner. Run: chmod 600 {path}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SetupException(
                $"{path} cannot be kept: {failure.Message} Name a folder that can be written with --data.");
        }
    }

    /// <summary>Makes an empty file, and its folder, if there is none. One that exists stays as it is.</summary>
    /// <exception cref="SetupException">It cannot be made, or not be written.</exception>
    public static void Ensure(string path)
    {
        PrivateFolder.Make(Path.GetDirectoryName(Path.GetFullPath(path))!);
        try
        {
            New(path, FileMode.OpenOrCreate).Dispose();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"{path} cannot be kept: {failure.Message} Name another with --database.");
        }
    }

    // Written aside and moved, so that a start that is cut off leaves no half secret; on the disk before anything that
    // only it can open.
    private static void Make(string path, string text)
    {
        PrivateFolder.Make(Path.GetDirectoryName(path)!);
        File.Delete(path + ".new");
        using (var file = New(path + ".new", FileMode.CreateNew))
        {
            file.Write(Encoding.ASCII.GetBytes(text + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(path + ".new", path);
    }

    private static bool IsOwnersAlone(string path) =>
        OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & ~OwnersAlone) is UnixFileMode.None;

    private static FileStream New(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnersAlone;
        }

        return new(path, options);
    }
}
