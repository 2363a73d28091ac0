using Postern.Platform;

namespace Postern.Hosting.Sandbox;

/// <summary>The few files every sandbox is given: the filter of calls and a small <c>/etc</c>.</summary>
internal sealed class SandboxFiles
{
    private static readonly (string Name, string Text)[] Small =
    [
        ("group", "nogroup:x:65534:\n"),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ];

    public SandboxFiles(string folder)
    {
        PrivateFolder.Make(folder);
        foreach (var (name, text) in Small)
        {
            File.WriteAllText(Path.Combine(folder, name), text);
            LetRead(Path.Combine(folder, name));
        }

        Etc = [.. Small.Select(file => (Path.Combine(folder, file.Name), "/etc/" + file.Name))];
        if (SyscallFilter.ForThisMachine() is { } program)
        {
            Filter = Path.Combine(folder, "syscalls.bpf");
            File.WriteAllBytes(Filter, program);
        }
    }

    public IReadOnlyList<(string Source, string Target)> Etc { get; }

    /// <summary>The program of <see cref="SyscallFilter"/>, or nothing to read.</summary>
    public string Filter { get; } = "/dev/null";

    public bool HasFilter => Filter is not "/dev/null";

    // Inside the reader is another user, whatever our umask is.
    private static void LetRead(string file)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, File.GetUnixFileMode(file) | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }
    }
}
