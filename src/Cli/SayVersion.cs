using System.CommandLine;
using System.CommandLine.Invocation;

namespace Postern.Cli;

/// <summary><c>postern --version</c>.</summary>
internal sealed class SayVersion : SynchronousCommandLineAction
{
    public static readonly string Version = typeof(SayVersion).Assembly.GetName().Version!.ToString(3);

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        Terminal.Say($"postern {Version}");
        return 0;
    }
}
