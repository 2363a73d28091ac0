namespace Postern.Hosting.Sandbox;

/// <summary>Whether a command can be run as it is written, told before anything is started.</summary>
internal static class CommandCheck
{
    private static readonly string[] SearchedFolders = ["/usr/local/bin", "/usr/bin", "/bin"];

    private static readonly Func<HostedCommand, string?>[] Checks =
        [HasProgram, FoldersExist, ProgramIsShown, FoldersAreNotEverything, FoldersAreOpen, VariablesAreHarmless];

    /// <summary>What is wrong, in a sentence for the operator; null if nothing is.</summary>
    public static string? Problem(HostedCommand server) =>
        Checks.Select(check => check(server)).FirstOrDefault(problem => problem is not null);

    private static string? HasProgram(HostedCommand server) => server.Command switch
    {
        [] => "It has no command.",
        var words when words.Any(word => word.Contains('\0')) => "A word of its command holds a null character.",
        _ when ProgramOf(server) is not null => null,
        [var path, ..] when path.Contains('/') =>
            $"The program {path} does not exist; a path begins in {server.Directory}.",
        [var name, ..] => $"The program {name} is not in {string.Join(", ", SearchedFolders)}.",
    };

    private static string? ProgramOf(HostedCommand server) => Array.Find(
        server.Command[0].Contains('/')
            ? [Path.GetFullPath(server.Command[0], RealPath.Of(server.Directory))]
            : Array.ConvertAll(SearchedFolders, folder => Path.Combine(folder, server.Command[0])),
        File.Exists);

    // What the sandbox does not show is not there for the command, however plain an operator sees it.
    private static string? ProgramIsShown(HostedCommand server) =>
        server.Sandbox.Level is not "none"
        && ProgramOf(server) is { } program
        && Array.Find([program, RealPath.Of(program)], path => !BubblewrapArguments.Shows(server, path)) is { } hidden
            ? $"The program {hidden} is in a folder that the sandbox does not show. "
                + $"Write sandbox: {{ read: [{Path.GetDirectoryName(RealPath.Of(program))}] }} and name the program "
                + "there."
            : null;

    private static IEnumerable<string> Folders(HostedCommand server) =>
        server.Sandbox.Readable.Prepend(server.Directory);

    private static string? FoldersExist(HostedCommand server) =>
        Folders(server).FirstOrDefault(folder => !Directory.Exists(folder)) is { } lost
            ? $"The folder {lost} does not exist."
            : null;

    private static string? FoldersAreNotEverything(HostedCommand server) =>
        Folders(server).Any(folder => RealPath.Of(folder) is "/")
            ? "The whole file system cannot be given to a command. Name the folders it needs."
            : null;

    // As root we run a command as a user of its own, who must be let in.
    private static string? FoldersAreOpen(HostedCommand server) =>
        Environment.IsPrivilegedProcess && server.Sandbox.Level is not "none"
        && Folders(server).FirstOrDefault(folder => !IsOpen(RealPath.Of(folder))) is { } closed
            ? $"The folder {closed} is closed to others, and a command of a server that runs as root is not root. "
                + $"Run: chmod o+rx {closed}, or run postern as another user."
            : null;

    private static bool IsOpen(string folder)
    {
        const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        return OperatingSystem.IsWindows() || (File.GetUnixFileMode(folder) & Others) is Others;
    }

    private static string? VariablesAreHarmless(HostedCommand server) =>
        server.Sandbox.Environment.Keys.FirstOrDefault(name => !IsHarmless(name)) is { } variable
            ? $"The variable {variable} cannot be given to a command."
            : null;

    // LD_ and its like would act on the sandbox itself, which runs before the command with the same environment.
    private static bool IsHarmless(string name) =>
        name.Length > 0
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_')
        && !char.IsAsciiDigit(name[0])
        && !name.StartsWith("LD_", StringComparison.Ordinal)
        && !name.StartsWith("POSTERN_", StringComparison.Ordinal)
        && name is not ("GCONV_PATH" or "GLIBC_TUNABLES" or "LOCPATH" or "NLSPATH");
}
