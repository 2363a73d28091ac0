using System.Collections.Concurrent;
using System.Diagnostics;
using Postern.Gateway.Notes;
using Postern.Hosting;
using Postern.Hosting.Processes;
using Postern.Platform.Outbound;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>The way to each server, made when it is first needed and again when the server is registered anew.</summary>
internal sealed class Upstreams(
    SafeHttp http, HostedServers hosts, NoteTools notes, TimeProvider clock, ILoggerFactory loggers) : IDisposable
{
    private readonly ConcurrentDictionary<(TenantId, string), (McpServer Server, Lazy<IUpstream> Way)> ways = new();

    public IUpstream To(McpServer server)
    {
        var key = (server.Tenant, server.Name);
        if (ways.TryGetValue(key, out var known) && ReferenceEquals(known.Server, server))
        {
            return known.Way.Value;
        }

        return ways.AddOrUpdate(
            key,
            _ => (server, new(() => Make(server))),
            (_, old) => (server, IsSame(old.Server, server) ? old.Way : new(() => Make(server)))).Way.Value;
    }

    public void Dispose()
    {
        foreach (var (_, way) in ways)
        {
            (way.Way.IsValueCreated ? way.Way.Value as IDisposable : null)?.Dispose();
        }
    }

    private IUpstream Make(McpServer server) => server.Kind switch
    {
        ServerKind.Http => new HttpUpstream(
            http.ToUpstream(server.Url!, server.IsConfigured, HttpUpstream.Patience), server.Url!, clock),
        ServerKind.Native => new NativeUpstream(notes, loggers),
        ServerKind.Command => new StdioUpstream(hosts, HostedCommand.Of(server, Environment.CurrentDirectory)),
        _ => throw new UnreachableException(),
    };

    // A server that was only loaded again keeps its connections.
    private static bool IsSame(McpServer one, McpServer other) =>
        one.Kind == other.Kind && one.Url == other.Url && one.IsConfigured == other.IsConfigured
        && one.Command.SequenceEqual(other.Command) && one.Sandbox == other.Sandbox;
}
