using System.Globalization;

namespace Postern.Hosting.Sandbox;

/// <summary>
/// What a sandbox consists of, as arguments of bubblewrap: no network, no other process, nobody's identity, a
/// read-only system, and one folder to write to.
/// </summary>
internal static class BubblewrapArguments
{
    /// <summary>The one folder a command may write to and keep.</summary>
    public const string Home = "/data";

    private const long ScratchBytes = 64 << 20;

    private static readonly string[] SystemFolders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

    // Of /etc only what programs need to run and to check certificates; never shadow, private keys or our own files.
    private static readonly string[] SystemFiles =
        ["/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl/certs", "/etc/ssl/openssl.cnf"];

    // Of /proc what is no process: settings and switches of the whole machine. Bubblewrap covers those alone in which
    // it could make a file, and what can be written is the files that are there.
    private static readonly string[] MachineFolders =
        ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi"];

    public static IEnumerable<string> For(
        HostedCommand server, string home, SandboxUser user, SandboxFiles files, IReadOnlyList<string> hidden)
    {
        var hasNetwork = server.Sandbox.Network is "host";
        return
        [
            .. Identity(user), "--hostname", "sandbox",
            "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
            .. hasNetwork ? Array.Empty<string>() : ["--unshare-net"],
            "--new-session", // no terminal to push characters into
            "--die-with-parent",
            .. files.HasFilter ? ["--seccomp", ConfinedCommand.FilterDescriptor] : Array.Empty<string>(),
            "--ro-bind", "/usr", "/usr",
            .. SystemFolders.SelectMany(SystemFolder),
            "--proc", "/proc", .. MachineFolders.SelectMany(folder => Show("--ro-bind-try", folder)), "--dev", "/dev",
            .. Scratch("/dev/shm"), "--remount-ro", "/dev",
            .. Scratch("/tmp"),
            .. SystemFiles.SelectMany(file => Show("--ro-bind-try", file)),
            "--perms", "0444", "--ro-bind-data", ConfinedCommand.PasswdDescriptor, "/etc/passwd",
            .. files.Etc.SelectMany(file => (string[])["--ro-bind", file.Source, file.Target]),
            .. hasNetwork ? ["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"] : Array.Empty<string>(),
            .. Folders(server).SelectMany(folder => Show("--ro-bind", folder)),
            .. Folders(server).SelectMany(folder => Hide(folder, hidden)),
            .. PrivateEntries(server).SelectMany(Cover),
            "--bind", home, Home,
            "--chdir", RealPath.Of(server.Directory),
            "--remount-ro", "/",
        ];
    }

    /// <summary>Whether a command is shown what lies at a path, as far as the folders go.</summary>
    public static bool Shows(HostedCommand server, string path) =>
        Folders(server).Append("/usr").Concat(SystemFolders).Any(folder => RealPath.Contains(folder, path));

    /// <summary>
    /// Between the sandbox, which root builds, and the command: becomes the user, and can be nobody else from then on.
    /// </summary>
    public static string[] BecomeUser(SandboxUser user) => user.IsItsOwn
        ?
        [
            "/usr/bin/setpriv", "--reuid", user.Text, "--regid", SandboxUser.Group, "--clear-groups",
            "--inh-caps=-all", "--",
        ]
        : [];

    // Root needs no user namespace to build with, and keeps what changing the user takes. Others map themselves.
    private static string[] Identity(SandboxUser user) => user.IsItsOwn
        ? ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        : ["--unshare-user", "--uid", user.Text, "--gid", SandboxUser.Group, "--cap-drop", "ALL"];

    /// <summary>What the command may read besides the system, by its real name.</summary>
    private static IEnumerable<string> Folders(HostedCommand server) =>
        server.Sandbox.Readable.Prepend(server.Directory).Select(RealPath.Of);

    private static string[] SystemFolder(string folder) => new DirectoryInfo(folder) switch
    {
        { LinkTarget: { } target } => ["--symlink", target, folder],
        { Exists: true } => ["--ro-bind", folder, folder],
        _ => [],
    };

    // Left to bubblewrap, what is missing above would be closed to all but root.
    private static string[] Show(string how, string path) =>
        ["--perms", "0755", "--dir", Path.GetDirectoryName(path) ?? "/", how, path, path];

    private static string[] Scratch(string path) =>
        ["--perms", "1777", "--size", ScratchBytes.ToString(CultureInfo.InvariantCulture), "--tmpfs", path];

    // A command often lives beside our own data and configuration: an empty folder or file is laid over these.
    private static IEnumerable<string> Hide(string folder, IReadOnlyList<string> hidden) =>
        hidden.Select(RealPath.Of).Where(path => RealPath.Contains(folder, path)).SelectMany(Cover);

    private static string[] Cover(string path) =>
        Directory.Exists(path) ? ["--tmpfs", path, "--remount-ro", path]
        : File.Exists(path) ? ["--ro-bind", "/dev/null", path]
        : [];

    /// <summary>
    /// What begins with a dot in the command's folder: keys, tokens and settings of whoever works there. Shown only
    /// when the command or its settings name it, as a Python environment in <c>.venv</c> is.
    /// </summary>
    private static IEnumerable<string> PrivateEntries(HostedCommand server)
    {
        var folder = RealPath.Of(server.Directory);
        var words = server.Command.Concat(server.Sandbox.Readable);
        var named = words.Select(word => Path.GetFullPath(word, folder)).ToArray();
        return new DirectoryInfo(folder).EnumerateFileSystemInfos(".*")
            .Where(entry => entry.LinkTarget is null && !named.Any(path => RealPath.Contains(entry.FullName, path)))
            .Select(entry => entry.FullName);
    }
}
