using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>The server is away, or what it says cannot be passed on; the error is the client's answer.</summary>
internal sealed class UpstreamException(RpcError error, Exception? cause = null) : Exception(error.Message, cause)
{
    public UpstreamException(string because)
        : this(RpcError.Upstream(because))
    {
    }

    public RpcError Error => error;

    /// <summary>There was no way to the server: nothing of the request was sent.</summary>
    public bool NothingWasSent { get; init; }

    /// <summary>The server no longer knows the session: nothing ran, so the call may be made again.</summary>
    public bool SessionIsLost { get; init; }
}
