using System.Diagnostics;
using System.Runtime.CompilerServices;
using Postern.Gateway.Notes;
using Postern.Hosting;
using Postern.Hosting.Processes;
using Postern.Platform.Outbound;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>
/// The way to each server, made when it is first needed. It hangs on the server and goes with it: what is registered
/// under the name afterwards is reached on a way of its own.
/// </summary>
internal sealed class Upstreams : IDisposable
{
    private readonly SafeHttp http;
    private readonly HostedServers hosts;
    private readonly NoteTools notes;
    private readonly TimeProvider clock;
    private readonly ILoggerFactory loggers;
    private readonly ConditionalWeakTable<McpServer, IUpstream> ways = [];

    public Upstreams(
        SafeHttp http,
        HostedServers hosts,
        NoteTools notes,
        ServerBook servers,
        TimeProvider clock,
        ILoggerFactory loggers)
    {
        (this.http, this.hosts, this.notes) = (http, hosts, notes);
        (this.clock, this.loggers) = (clock, loggers);
        servers.Watch(gone: Close);
    }

    public IUpstream To(McpServer server) => ways.GetOrAdd(server, Make);

    public void Dispose()
    {
        foreach (var (_, way) in ways)
        {
            (way as IDisposable)?.Dispose();
        }
    }

    private void Close(McpServer server)
    {
        if (ways.Remove(server, out var way))
        {
            (way as IDisposable)?.Dispose();
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
}
