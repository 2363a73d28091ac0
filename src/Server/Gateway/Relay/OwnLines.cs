using Postern.Gateway.Inspect;
using Postern.Platform;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>
/// Lines the gateway keeps with legacy servers for callers that have no session: modern clients, and legacy ones that
/// never began one. Each belongs to one principal, and to what its client has said it can be asked.
/// </summary>
internal sealed class OwnLines
{
    private const int Most = 4096;

    private readonly ServerBook servers;
    private readonly Upstreams upstreams;
    private readonly Cache<(Principal, McpServer, string), Kept> lines;

    public OwnLines(ServerBook servers, Upstreams upstreams)
    {
        (this.servers, this.upstreams) = (servers, upstreams);
        lines = new(Most, OpenAsync);
        servers.Watch(gone: server => lines.DropWhere(kept => kept.Server == server));
    }

    /// <summary>The line on which these capabilities, as JSON, are declared.</summary>
    public async ValueTask<Line> OfAsync(
        Principal caller, McpServer server, string capabilities, CancellationToken stop) =>
        (await lines.FindAsync((caller, server, capabilities), stop))?.Line
        ?? throw new UpstreamException("The server is no longer registered.");

    /// <summary>The server no longer knows it.</summary>
    public void Drop(Line line, McpServer server) => lines.Drop((line.Owner, server, line.Capabilities));

    private async Task<Kept?> OpenAsync(
        (Principal Caller, McpServer Server, string Capabilities) key, CancellationToken stop)
    {
        if (servers.Find(key.Caller.Tenant, key.Server.Name) != key.Server)
        {
            return null;
        }

        var line = new Line(key.Caller) { Version = Revisions.NewestLegacy, Capabilities = key.Capabilities };
        return await upstreams.To(key.Server).OpenAsync(line, stop) is { } opened ? new(key.Server, opened) : null;
    }

    private sealed record Kept(McpServer Server, Line Line);
}
