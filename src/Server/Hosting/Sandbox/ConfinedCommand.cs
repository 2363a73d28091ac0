using System.Diagnostics;
using System.Globalization;

namespace Postern.Hosting.Sandbox;

/// <summary>Builds what is executed: launcher, sandbox, limits, command. No shell reads any of it as text.</summary>
internal static class ConfinedCommand
{
    public const string FilterDescriptor = "9";

    /// <summary>What the inner launcher says when the sandbox is complete; then it waits for a line.</summary>
    public const string Ready = "ready";

    // Both are constants: names arrive as arguments and are never read as text. The outer one moves itself into the
    // control groups before anything of the command exists, hands over the filter, and becomes the sandbox.
    private const string Outer =
        """
        filter=$1; shift
        while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs" || exit 125; shift; done
        shift
        exec "$@" 9< "$filter"
        """;

    // A parent that is killed while the sandbox is being built is not noticed by it. So the command is not run before
    // the parent was asked, at a time when everything dies with it, and has answered.
    private const string Inner = $"""echo {Ready}; read -r go || exit 125; exec "$@" """;

    private const long LargestFile = 256 << 20;

    /// <param name="wrap">The sandbox and its arguments; empty where there is none.</param>
    public static ProcessStartInfo For(
        HostedCommand server, IEnumerable<string> wrap, string home, string filter, ControlGroup? group)
    {
        string[] arguments =
        [
            "--pdeathsig", "KILL", "--", "/bin/sh", "-c", Outer, "launcher", filter, .. group?.Folders ?? [], "--",
            .. wrap, .. Limits(server, group), "/bin/sh", "-c", Inner, "launcher", .. server.Command,
        ];
        var start = new ProcessStartInfo("/usr/bin/setpriv", arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = server.Directory,
        };
        Furnish(start.Environment, server, home);
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
    // this counts only what is writable. It holds for each process, so it is the lesser wall where groups are missing.
    private static IEnumerable<string> Limits(HostedCommand server, ControlGroup? group)
    {
        var memory = Number(server.Sandbox.Memory << 20);
        return
        [
            "/usr/bin/prlimit", "--core=0", "--nofile=1024", $"--fsize={Number(LargestFile)}",
            $"--nproc={Number(server.Sandbox.Processes)}",
            .. group is null ? [$"--data={memory}"] : Array.Empty<string>(), "--",
        ];
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
