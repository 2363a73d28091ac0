namespace Postern.Cli;

/// <summary>The verbs of <c>postern</c>. Each speaks HTTP to a server and knows nothing else of it.</summary>
public static class CommandLine;
