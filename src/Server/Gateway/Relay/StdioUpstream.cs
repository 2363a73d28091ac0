using System.Runtime.CompilerServices;
using Postern.Gateway.Inspect;
using Postern.Hosting;
using Postern.Hosting.Processes;

namespace Postern.Gateway.Relay;

/// <summary>
/// A server that is a local command. Hosting runs it, one process a person unless it is shared; here its pipes are
/// divided among the requests that are under way.
/// </summary>
internal sealed class StdioUpstream(HostedServers hosts, HostedCommand command, TimeProvider clock) : IUpstream
{
    private readonly ConditionalWeakTable<HostedProcess, StdioConnection> connections = [];
    private volatile Line? known;

    public async ValueTask<Era> EraAsync(CancellationToken stop) =>
        (known ?? (await ConnectAsync(Handshake.Nobody with { Tenant = command.Tenant }, stop)).Agreed).Era;

    public async Task<Line?> OpenAsync(Line line, CancellationToken stop)
    {
        var agreed = (await ConnectAsync(line.Owner, stop)).Agreed;
        return agreed.Era is Era.Legacy ? line with { Version = agreed.Version, Greeting = agreed.Greeting } : null;
    }

    public async IAsyncEnumerable<Message> AskAsync(
        Line line, Outgoing request, [EnumeratorCancellation] CancellationToken stop)
    {
        var connection = await ConnectAsync(line.Owner, stop);
        await foreach (var message in connection.AskAsync(request, stop))
        {
            yield return message;
        }
    }

    public async Task TellAsync(Line line, Outgoing message, CancellationToken stop) =>
        await (await ConnectAsync(line.Owner, stop)).TellAsync(message, stop);

    public async IAsyncEnumerable<Message> ListenAsync(Line line, [EnumeratorCancellation] CancellationToken stop)
    {
        var connection = await ConnectAsync(line.Owner, stop);
        await foreach (var message in connection.ListenAsync(stop))
        {
            yield return message;
        }
    }

    // The process serves the person's other lines as well; idle, it is stopped by those who run it.
    public Task CloseAsync(Line line, CancellationToken stop) => Task.CompletedTask;

    private async Task<StdioConnection> ConnectAsync(Principal owner, CancellationToken stop)
    {
        switch (await hosts.AcquireAsync(command, $"{owner.Tenant}\n{owner.Subject}", stop))
        {
            case AcquireOutcome.Running { Process: var process }:
                var connection = connections.GetValue(process, made => new(made, clock));
                await GreetAsync(connection, stop);
                return connection;
            case AcquireOutcome.Refused refused:
                throw new UpstreamException(
                    RpcError.Upstream(refused.Sentence, refused.RetryAfter is null ? 502 : 503));
            case var other:
                throw new InvalidOperationException($"Hosting answered {other.GetType().Name}.");
        }
    }

    // The command may be another program since the last process began.
    private async Task GreetAsync(StdioConnection connection, CancellationToken stop)
    {
        try
        {
            await connection.GreetAsync(known?.Era).WaitAsync(stop);
            known = connection.Agreed;
        }
        catch (UpstreamException)
        {
            known = null;
            throw;
        }
    }
}
