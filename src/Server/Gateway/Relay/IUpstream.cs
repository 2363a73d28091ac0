using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// One way to reach a server: over HTTP, by the pipes of a local process, or in process. Messages that are yielded
/// are good until the next is asked for.
/// </summary>
internal interface IUpstream
{
    /// <summary>
    /// The protocol the server speaks; asked once, remembered, and asked again when it no longer fits.
    /// </summary>
    /// <exception cref="UpstreamException">The server is away.</exception>
    ValueTask<Era> EraAsync(CancellationToken stop);

    /// <summary>Shakes hands in the name of the line's owner; null with a server that knows no handshake.</summary>
    /// <exception cref="UpstreamException">The server is away or refuses.</exception>
    Task<Line?> OpenAsync(Line line, CancellationToken stop);

    /// <summary>
    /// Sends a request and yields what comes of it; the last is the response. Stopping cancels the request.
    /// </summary>
    /// <exception cref="UpstreamException">The server is away, or what it says is no answer.</exception>
    IAsyncEnumerable<Message> AskAsync(Line line, Outgoing request, CancellationToken stop);

    /// <summary>Sends a notification, or the response to what the server asked.</summary>
    /// <exception cref="UpstreamException">The server is away or refuses.</exception>
    Task TellAsync(Line line, Outgoing message, CancellationToken stop);

    /// <summary>What a legacy server says of its own accord; ends at once where it says nothing.</summary>
    /// <exception cref="UpstreamException">The server is away.</exception>
    IAsyncEnumerable<Message> ListenAsync(Line line, CancellationToken stop);

    /// <summary>Ends a line that <see cref="OpenAsync"/> opened.</summary>
    Task CloseAsync(Line line, CancellationToken stop);
}
