namespace Postern.Cli;

/// <summary>The verbs of <c>postern</c>. Each speaks HTTP to a server and knows nothing else of it.</summary>
public static class CommandLine
{
    public static Task<int> RunAsync(string[] args) => Task.FromResult(Terminal.Fail($"`{string.Join(' ', args)}` is not a verb."));
}
