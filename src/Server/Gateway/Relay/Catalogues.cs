using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Postern.Gateway.Inspect;
using Postern.Platform.Database;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>
/// Asks servers for their tools, so that the consent page can show them and a call can be judged by them. One question
/// to a server at a time, and not often: what agents do must not turn into load on a server.
/// </summary>
internal sealed partial class Catalogues(
    ServerBook servers, Upstreams upstreams, TimeProvider clock, ILogger<Catalogues> logger)
    : BackgroundService
{
    private const int MostTools = 1000, MostPages = 50, AtOnce = 4;

    private static readonly TimeSpan
        Rest = TimeSpan.FromSeconds(5), Within = TimeSpan.FromSeconds(15), CloseWithin = TimeSpan.FromSeconds(2);

    private readonly ConditionalWeakTable<McpServer, Shelf> shelves = [];

    /// <summary>
    /// A tool by its name; the server is asked again when it is not known. Null when it is not offered.
    /// </summary>
    public async ValueTask<Tool?> FindAsync(McpServer server, string name, CancellationToken stop)
    {
        // What a node has read in the database says nothing of headers; only the schema does.
        if (servers.Catalogue(server)?.Find(name) is { } tool && HasSchemas(server))
        {
            return tool;
        }

        await RefreshAsync(server).WaitAsync(stop);
        return servers.Catalogue(server)?.Find(name);
    }

    /// <summary>
    /// The headers a tool mirrors its parameters into; none when its schema has not been seen by this node.
    /// </summary>
    public ParamHeaders HeadersOf(McpServer server, string tool) =>
        shelves.TryGetValue(server, out var shelf)
            ? shelf.Headers?.GetValueOrDefault(tool) ?? ParamHeaders.None
            : ParamHeaders.None;

    /// <summary>Sees a page that is passed on: when it holds something new, all are asked for again.</summary>
    public void Notice(McpServer server, Message page)
    {
        var known = servers.Catalogue(server);
        if (known is null || ToolList.Read(page).Any(seen => known.Find(seen.Tool.Name)?.Hash != seen.Tool.Hash))
        {
            Refresh(server);
        }
    }

    /// <summary>Asks in the background.</summary>
    public void Refresh(McpServer server) => _ = RefreshAsync(server);

    /// <summary>Asks, unless somebody is asking or has just asked.</summary>
    public Task RefreshAsync(McpServer server)
    {
        var shelf = shelves.GetOrAdd(server, static _ => new());
        lock (shelf)
        {
            if (!shelf.Asking.IsCompleted || clock.GetUtcNow() - shelf.AskedAt < Rest)
            {
                return shelf.Asking;
            }

            shelf.AskedAt = clock.GetUtcNow();
            return shelf.Asking = AskAsync(server, shelf);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        servers.Watch(came: Refresh);
        await Parallel.ForEachAsync(
            servers.Everywhere,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken },
            async (server, stop) => await RefreshAsync(server).WaitAsync(stop))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private bool HasSchemas(McpServer server) =>
        shelves.TryGetValue(server, out var shelf) && shelf.Headers is not null;

    // Never throws: those who wait for it go on with what is known.
    private async Task AskAsync(McpServer server, Shelf shelf)
    {
        await Task.Yield();
        using var stop = new CancellationTokenSource(Within, clock);
        try
        {
            var tools = await ListAsync(server, stop.Token);
            shelf.Headers = tools.ToDictionary(tool => tool.Name, tool => tool.Headers, StringComparer.Ordinal);
            var kept = tools.Select(tool =>
                new Tool(tool.Name, tool.Title, tool.Description, ToolList.RiskOf(server, tool), tool.Hash));
            await servers.KeepCatalogueAsync(server, new([.. kept], clock.GetUtcNow()));
        }
        catch (Exception failure)
            when (failure is UpstreamException or OperationCanceledException or DatabaseUnavailableException)
        {
            Log.NotAsked(logger, server.Name, failure.Message);
        }
    }

    private async Task<List<ToolDefinition>> ListAsync(McpServer server, CancellationToken stop)
    {
        var upstream = upstreams.To(server);
        var line = new Line(Handshake.Nobody with { Tenant = server.Tenant });
        if (await upstream.EraAsync(stop) is Era.Legacy)
        {
            line = await upstream.OpenAsync(line with { Version = Revisions.NewestLegacy }, stop) ?? line;
        }

        try
        {
            return await ReadAllAsync(upstream, line, stop);
        }
        finally
        {
            await CloseAsync(upstream, line);
        }
    }

    // What was read is kept though a server may hang on the goodbye.
    private async Task CloseAsync(IUpstream upstream, Line line)
    {
        using var patience = new CancellationTokenSource(CloseWithin, clock);
        try
        {
            await upstream.CloseAsync(line, patience.Token);
        }
        catch (Exception failure) when (failure is UpstreamException or OperationCanceledException)
        {
            // The server will find out by itself.
        }
    }

    private static async Task<List<ToolDefinition>> ReadAllAsync(IUpstream upstream, Line line, CancellationToken stop)
    {
        var tools = new List<ToolDefinition>();
        string? cursor = null;
        var page = 0;
        do
        {
            cursor = await ReadPageAsync(upstream, line, cursor, tools, stop);
        }
        while (cursor is not null && ++page < MostPages && tools.Count < MostTools);

        return [.. tools.Take(MostTools).DistinctBy(tool => tool.Name)];
    }

    private static async Task<string?> ReadPageAsync(
        IUpstream upstream, Line line, string? cursor, List<ToolDefinition> tools, CancellationToken stop)
    {
        var meta = line.Era is Era.Modern ? $"\"_meta\":{Handshake.Meta(line)}" : "";
        var from = cursor is null ? "" : $"\"cursor\":{cursor}" + (meta is "" ? "" : ",");
        using var request = Outgoing.Request(Methods.ToolsList, $"{{{from}{meta}}}");
        await foreach (var message in upstream.AskAsync(line, request, stop))
        {
            if (message.IsError)
            {
                throw new UpstreamException($"The server does not list its tools: {message.ErrorText}");
            }

            if (message.IsResponse)
            {
                tools.AddRange(ToolList.Read(message).Select(seen => seen.Tool));
                var next = message.At("result"u8, "nextCursor"u8);
                return next.Type is JsonTokenType.String ? Encoding.UTF8.GetString(message.Raw(next)) : null;
            }
        }

        return null;
    }

    private sealed class Shelf
    {
        public Task Asking { get; set; } = Task.CompletedTask;

        public DateTimeOffset AskedAt { get; set; } = DateTimeOffset.MinValue;

        /// <summary>Null until this node has seen the schemas.</summary>
        public IReadOnlyDictionary<string, ParamHeaders>? Headers { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The tools of {Server} could not be listed: {Cause}")]
        public static partial void NotAsked(ILogger logger, string server, string cause);
    }
}
