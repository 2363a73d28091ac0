using System.Collections.Concurrent;
using System.Diagnostics;
using Postern.Gateway.Notes;
using Postern.Hosting;
using Postern.Hosting.Processes;
using Postern.Platform.Database;
using Postern.Platform.Outbound;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>
/// The way to each server, made when it is first needed and again when the server is registered anew.
/// </summary>
internal sealed class Upstreams : IDisposable
{
    private readonly SafeHttp http;
    private readonly HostedServers hosts;
    private readonly NoteTools notes;
    private readonly TimeProvider clock;
    private readonly ILoggerFactory loggers;
    private readonly ConcurrentDictionary<(TenantId, string), Way> ways = new();

    public Upstreams(
        SafeHttp http,
        HostedServers hosts,
        NoteTools notes,
        Changes changes,
        TimeProvider clock,
        ILoggerFactory loggers)
    {
        (this.http, this.hosts, this.notes) = (http, hosts, notes);
        (this.clock, this.loggers) = (clock, loggers);
        changes.Subscribe(change =>
        {
            if (change.Kind is ServerBook.Kind && ways.TryRemove((change.Tenant, change.Key), out var way))
            {
                way.Dispose();
            }
        });
    }

    public IUpstream To(McpServer server)
    {
        var key = (server.Tenant, server.Name);
        while (true)
        {
            if (!ways.TryGetValue(key, out var known))
            {
                known = ways.GetOrAdd(key, new Way(server, new(() => Make(server))));
            }

            if (ReferenceEquals(known.Server, server))
            {
                return known.Upstream;
            }

            // A server that was only loaded again keeps its connections.
            var isSame = IsSame(known.Server, server);
            var next = isSame ? known.For(server) : new Way(server, new(() => Make(server)));
            if (ways.TryUpdate(key, next, known))
            {
                (isSame ? null : known)?.Dispose();
                return next.Upstream;
            }
        }
    }

    public void Dispose()
    {
        foreach (var (_, way) in ways)
        {
            way.Dispose();
        }
    }

    private IUpstream Make(McpServer server) => server.Kind switch
    {
        ServerKind.Http => new HttpUpstream(
            http.ToUpstream(server.Url!, server.IsConfigured, Outgoing.AnswerWithin), server.Url!, clock),
        ServerKind.Native => new NativeUpstream(notes, loggers),
        ServerKind.Command => new StdioUpstream(
            hosts, HostedCommand.Of(server, Environment.CurrentDirectory), clock),
        _ => throw new UnreachableException(),
    };

    private static bool IsSame(McpServer one, McpServer other) =>
        one.Kind == other.Kind && one.Url == other.Url && one.IsConfigured == other.IsConfigured
        && one.Command.SequenceEqual(other.Command) && one.Sandbox == other.Sandbox;

    private sealed class Way(McpServer server, Lazy<IUpstream> upstream) : IDisposable
    {
        public McpServer Server => server;

        public IUpstream Upstream => upstream.Value;

        public Way For(McpServer again) => new(again, upstream);

        public void Dispose() => (upstream.IsValueCreated ? upstream.Value as IDisposable : null)?.Dispose();
    }
}
