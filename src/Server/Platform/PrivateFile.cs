using System.Text;

namespace Postern.Platform;

/// <summary>A file with a secret in it: made whole or not at all, and its owner's alone.</summary>
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

    private static bool IsOwnersAlone(string path) =>
        OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & ~OwnersAlone) is UnixFileMode.None;

    // Written aside and moved, so that a start that is cut off leaves no half secret; on the disk before anything that
    // only it can open.
    private static void Make(string path, string text)
    {
        PrivateFolder.Make(Path.GetDirectoryName(path)!);
        File.Delete(path + ".new");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnersAlone;
        }

        using (var file = new FileStream(path + ".new", options))
        {
            file.Write(Encoding.ASCII.GetBytes(text + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(path + ".new", path);
    }
}
