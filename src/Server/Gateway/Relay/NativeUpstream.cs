using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Postern.Gateway.Inspect;
using Postern.Gateway.Notes;

namespace Postern.Gateway.Relay;

/// <summary>
/// A server that is C# in this process. It is behind grant and policy like any other, and is told whose request it is
/// instead of being trusted to ask.
/// </summary>
internal sealed class NativeUpstream(NoteTools tools, ILoggerFactory loggers) : IUpstream
{
    private static readonly JsonTypeInfo<JsonRpcMessage> Wire =
        (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));

    private readonly McpServerOptions options = new()
    {
        ServerInfo = new() { Name = "notes", Title = "Notes", Version = "1.0.0" },
        ServerInstructions = "Keeps a person's notes. Notes are known by their numbers; list_notes shows them.",
        ToolCollection = [.. tools.All],
    };

    public ValueTask<Era> EraAsync(CancellationToken stop) => new(Era.Modern);

    public Task<Line?> OpenAsync(Line line, CancellationToken stop) => Task.FromResult<Line?>(null);

    public async IAsyncEnumerable<Message> AskAsync(
        Line line, Outgoing request, [EnumeratorCancellation] CancellationToken stop)
    {
        var pipe = new Pipe();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var serving = ServeAsync(line, request, pipe.Writer, over.Token);
        using var answers = new SseReader(pipe.Reader.AsStream(), HttpUpstream.MaxMessage);
        try
        {
            while (await answers.NextAsync(stop) is { } data)
            {
                if (!Message.TryReadAnswer(data, out var message, out var error))
                {
                    throw new UpstreamException(error.Message);
                }

                yield return message;
                if (message.IsResponse)
                {
                    yield break;
                }
            }
        }
        finally
        {
            await over.CancelAsync();
            await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        throw new UpstreamException("The server ended before it had answered.");
    }

    // Nothing a client could tell it: it keeps no state between requests.
    public Task TellAsync(Line line, Outgoing message, CancellationToken stop) => Task.CompletedTask;

    public async IAsyncEnumerable<Message> ListenAsync(Line line, [EnumeratorCancellation] CancellationToken stop)
    {
        await Task.CompletedTask;
        yield break;
    }

    public Task CloseAsync(Line line, CancellationToken stop) => Task.CompletedTask;

    private async Task ServeAsync(Line line, Outgoing request, PipeWriter answers, CancellationToken stop)
    {
        await using var transport = new StreamableHttpServerTransport(loggers) { Stateless = true };
        await using var server = McpServer.Create(transport, options, loggers);
        var running = server.RunAsync(stop);
        try
        {
            var message = JsonSerializer.Deserialize(request.Body.Span, Wire)!;
            message.Context = new()
            {
                ProtocolVersion = line.Version,
                Items = new Dictionary<string, object?>
                {
                    [NoteTools.OwnerItem] = (line.Owner.Tenant, line.Owner.Subject),
                },
            };
            await transport.HandlePostRequestAsync(message, answers.AsStream(leaveOpen: true), stop);
        }
        finally
        {
            await answers.CompleteAsync();
            await transport.DisposeAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
