using Postern.Gateway.Inspect;
using Postern.Platform;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>
/// Lines the gateway keeps with legacy servers for callers that have no session: modern clients, and legacy ones that
/// never began one. Each belongs to one principal. Nothing is declared on them, since nobody could be asked.
/// </summary>
internal sealed class OwnLines
{
    private const int Most = 4096;

    private readonly ServerBook servers;
    private readonly Upstreams upstreams;
    private readonly Cache<(Principal, string), Line> lines;

    public OwnLines(ServerBook servers, Upstreams upstreams)
    {
        (this.servers, this.upstreams) = (servers, upstreams);
        lines = new(Most, OpenAsync);
    }

    public async ValueTask<Line> OfAsync(Principal caller, McpServer server, CancellationToken stop) =>
        await lines.FindAsync((caller, server.Name), stop)
        ?? throw new UpstreamException("The server is no longer registered.");

    /// <summary>The server no longer knows it.</summary>
    public void Drop(Principal caller, McpServer server) => lines.Drop((caller, server.Name));

    private async Task<Line?> OpenAsync((Principal Caller, string Server) key, CancellationToken stop) =>
        servers.Find(key.Caller.Tenant, key.Server) is { } server
            ? await upstreams.To(server).OpenAsync(new(key.Caller) { Version = Revisions.NewestLegacy }, stop)
            : null;
}
