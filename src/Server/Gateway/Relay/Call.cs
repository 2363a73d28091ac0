using Postern.Gateway.Inspect;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>A client's request as it was judged.</summary>
internal sealed record Call(McpServer Server, Principal Caller, Grant Grant, Message Request, Era Era)
{
    /// <summary>The line of the client's session; null when it has none.</summary>
    public Line? SessionLine { get; init; }

    /// <summary>Headers that go on to the server: the trace, and parameters mirrored from the body.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Told when the call turns out to be a long one.</summary>
    public Action? Lasts { get; init; }

    /// <summary>Asks the person at the client and waits; null when there is no way to.</summary>
    public Func<string, string, CancellationToken, Task<string>>? AskClient { get; init; }
}
