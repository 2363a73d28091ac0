using Postern.Gateway.Inspect;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>A client's request as it was judged.</summary>
internal sealed record Call(McpServer Server, Principal Caller, Grant Grant, Message Request, Era Era)
{
    /// <summary>The header of a transaction token; one that a client sends goes no further.</summary>
    public const string StampHeader = "Txn-Token";

    /// <summary>The types of details that were limited anywhere from where the grant came.</summary>
    public IReadOnlyCollection<string> Limited { get; init; } = [];

    /// <summary>The line of the client's session; null when it has none.</summary>
    public Line? SessionLine { get; init; }

    /// <summary>Headers that go on to the server: the trace, and parameters mirrored from the body.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Makes the transaction token that goes along; null where none does.</summary>
    public Func<CancellationToken, ValueTask<string>>? Stamp { get; init; }

    /// <summary>What goes along when it is sent now: a token lasts a minute, and a person may be asked first.</summary>
    public async ValueTask<IReadOnlyList<KeyValuePair<string, string>>> HeadersAsync(CancellationToken stop) =>
        Stamp is null ? Headers : [.. Headers, new(StampHeader, await Stamp(stop))];

    /// <summary>Told of each time that it is sent.</summary>
    public Departure Departure { get; init; } = new();

    /// <summary>Told when the call turns out to be a long one.</summary>
    public Action? Lasts { get; init; }

    /// <summary>Asks the person at the client and waits; null when there is no way to.</summary>
    public Func<string, string, CancellationToken, Task<string>>? AskClient { get; init; }
}
