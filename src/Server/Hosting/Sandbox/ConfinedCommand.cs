using System.Diagnostics;
using System.Globalization;

namespace Postern.Hosting.Sandbox;

/// <summary>What is put around a command.</summary>
/// <param name="Words">The sandbox and its arguments.</param>
/// <param name="User">Who the command is.</param>
/// <param name="Home">Its folder.</param>
/// <param name="HomeInside">The same folder, as the command sees it.</param>
/// <param name="Filter">The file of the filter of calls.</param>
internal sealed record Wrapping(
    IReadOnlyList<string> Words, SandboxUser User, string Home, string HomeInside, string Filter);

/// <summary>Builds what is executed: launcher, sandbox, limits, command. No shell reads any of it as text.</summary>
internal static class ConfinedCommand
{
    public const string FilterDescriptor = "9", PasswdDescriptor = "8";

    /// <summary>What the inner launcher says when the sandbox is complete; then it waits for a line.</summary>
    public const string Ready = "ready";

    // Both are constants: names arrive as arguments and are never read as text. The outer one moves itself into the
    // control groups before anything of the command exists, gives a user of its own the home and the pipes (which can
    // be opened by name), hands over the filter and who that user is, and becomes the sandbox.
    private const string Outer =
        """
        filter=$1 user=$2 home=$3; shift 3
        while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs" || exit 125; shift; done
        shift
        if [ "$user" != 65534 ]
        then /bin/chown "$user:65534" "$home" /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 || exit 125
        fi
        exec "$@" 9< "$filter" 8<<END
        nobody:x:$user:65534:nobody:/data:/usr/sbin/nologin
        END
        """;

    // A parent that is killed while the sandbox is being built is not noticed by it. So the command is not run before
    // the parent was asked, at a time when everything dies with it, and has answered.
    private const string Inner = $"""echo {Ready}; read -r go || exit 125; exec "$@" """;

    private const long LargestFile = 256 << 20;

    // Whoever computes without end gets what nobody else wants. Without control groups it is all that bounds them.
    private const string Niceness = "10";

    public static ProcessStartInfo For(HostedCommand server, Wrapping wrapping, ControlGroup? group)
    {
        string[] arguments =
        [
            "--pdeathsig", "KILL", "--", "/usr/bin/nice", "-n", Niceness,
            "/bin/sh", "-c", Outer, "launcher", wrapping.Filter, wrapping.User.Text, wrapping.Home,
            .. group?.Folders ?? [], "--",
            .. wrapping.Words, .. Limits(server), "/bin/sh", "-c", Inner, "launcher", .. server.Command,
        ];
        var start = new ProcessStartInfo("/usr/bin/setpriv", arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = server.Directory,
        };
        Furnish(start.Environment, server, wrapping.HomeInside);
        return start;
    }

    /// <summary>
    /// The whole environment: nothing of ours is inherited. It goes by the process and not by arguments, which every
    /// user of the machine could read.
    /// </summary>
    private static void Furnish(IDictionary<string, string?> environment, HostedCommand server, string home)
    {
        environment.Clear();
        environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
        environment["HOME"] = home;
        environment["LANG"] = "C.UTF-8";
        foreach (var (name, value) in server.Sandbox.Environment)
        {
            environment[name] = value;
        }
    }

    // The data limit is the one for memory that runtimes can live with: they reserve address space by the gigabyte, and
    // this counts only what is writable. It holds for each process, and at once; a control group holds for all of them,
    // but first takes their programs' pages from them, one by one, for as long as half a minute.
    private static string[] Limits(HostedCommand server) =>
    [
        "/usr/bin/prlimit", "--core=0", "--nofile=1024", $"--fsize={Number(LargestFile)}",
        $"--nproc={Number(server.Sandbox.Processes)}", $"--data={Number(server.Sandbox.Memory << 20)}", "--",
    ];

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
