using System.Globalization;
using System.Text;
using Postern.Platform;

namespace Postern.Hosting.Processes;

/// <summary>What a hosted server said and what became of it, in a file that is turned over when it is full.</summary>
internal sealed class ServerLog(string path, TimeProvider clock) : IDisposable
{
    public const int MaxBytes = 1 << 20, MaxTail = 1000;

    private readonly Lock gate = new();
    private FileStream? file;

    /// <param name="id">The instance.</param>
    /// <param name="channel"><c>stderr</c>, <c>stdout</c> for what was no message, or <c>life</c>.</param>
    /// <param name="text">One line, already redacted.</param>
    public void Write(string id, string channel, string text)
    {
        var time = clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var line = Encoding.UTF8.GetBytes($"{time} {id} {channel} {text}\n");
        lock (gate)
        {
            try
            {
                Append(line);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                // A full disk costs lines of this log, not the server that wrote them.
            }
        }
    }

    /// <summary>The last lines, oldest first.</summary>
    public IReadOnlyList<string> Tail(int lines)
    {
        lock (gate)
        {
            string[] files = [path + ".1", path];
            return [.. files.Where(File.Exists).SelectMany(ReadLines).TakeLast(Math.Clamp(lines, 1, MaxTail))];
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            file?.Dispose();
            file = null;
        }
    }

    private void Append(byte[] line)
    {
        file ??= Open();
        if (file.Length + line.Length > MaxBytes)
        {
            file.Dispose();
            file = null;
            File.Move(path, path + ".1", overwrite: true);
            file = Open();
        }

        file.Write(line);
        file.Flush();
    }

    private FileStream Open()
    {
        PrivateFolder.Make(Path.GetDirectoryName(path)!);
        return new(path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        });
    }

    private static IEnumerable<string> ReadLines(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
