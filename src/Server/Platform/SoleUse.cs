using Postern.Platform.Database;

namespace Postern.Platform;

/// <summary>A SQLite database has one process: a second would not hear what the first has revoked.</summary>
internal sealed class SoleUse : IDisposable
{
    private readonly FileStream? file;

    /// <exception cref="SetupException">Another process has it.</exception>
    public SoleUse(DatabaseAddress address)
    {
        if (address.Path is not { } path)
        {
            return;
        }

        try
        {
            PrivateFolder.Make(Path.GetDirectoryName(Path.GetFullPath(path))!);
            file = new(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path + ".lock"))
        {
            throw new SetupException(
                $"Another postern uses {path} already. Stop it, or start this one with another --database.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"The folder of {path} cannot be written: {failure.Message}");
        }
    }

    public void Dispose() => file?.Dispose();
}
