namespace Postern.Cli.Try;

/// <summary>A gate did not open; <see cref="Exception.Message"/> is what came back.</summary>
internal sealed class GateException(string gate, string message) : Exception(message)
{
    public string Gate => gate;
}
