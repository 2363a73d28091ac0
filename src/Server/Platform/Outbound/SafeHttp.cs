using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;

namespace Postern.Platform.Outbound;

/// <summary>
/// The one HTTP client. Whoever named the URL gets no address, redirect, size, time, encoding or rate that we did not
/// agree to; every refusal reads the same from outside.
/// </summary>
internal sealed partial class SafeHttp : IDisposable
{
    private readonly OutboundOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger<SafeHttp> logger;
    private readonly ResolveHost resolve;
    private readonly AddressRules addresses;
    private readonly Lane known;
    private readonly Lane unvouched;
    private readonly Lane strangers;
    private readonly HostBudgets networks;
    private readonly ConcurrentDictionary<(string Url, FetchRules Rules), Lazy<Task<FetchOutcome>>> underWay = new();

    public SafeHttp(OutboundOptions options, TimeProvider clock, ILogger<SafeHttp> logger, ResolveHost? resolve = null)
    {
        (this.options, this.clock, this.logger) = (options, clock, logger);
        this.resolve = resolve ?? SystemResolver.ResolveAsync;
        addresses = new(options.Allow);
        known = LaneOf(options.MaxFetches);
        unvouched = LaneOf(options.MaxStrangersFetches);
        strangers = LaneOf(options.MaxStrangersFetches);
        networks = new(clock, options.NetworkBurst, options.NetworkPerSecond);
    }

    /// <summary>Fetches a document: status 200, an accepted media type. Equal fetches under way are one.</summary>
    public async Task<FetchOutcome> GetAsync(string url, FetchRules rules, CancellationToken stop)
    {
        var fetch = underWay.GetOrAdd((url, rules), key => new(() => FetchAsync(key.Url, key.Rules)));
        return await fetch.Value.WaitAsync(stop);
    }

    /// <summary>
    /// The same for somebody whom nobody let in yet. One network can use up neither a host nor us for the others, and
    /// all of them together not what is there for the known.
    /// </summary>
    public async Task<FetchOutcome> GetForStrangerAsync(
        string url, FetchRules rules, string network, CancellationToken stop) =>
        networks.MustWait(network) is { } wait
            ? new FetchOutcome.Busy(wait)
            : await GetAsync(url, rules with { IsForStranger = true }, stop);

    /// <summary>Sends one request to a URL an outsider chose; every status but a redirect is an answer.</summary>
    public async Task<FetchOutcome> SendAsync(HttpRequestMessage request, FetchRules rules, CancellationToken stop)
    {
        if (!OutboundUrl.TryParse(request.RequestUri?.OriginalString, out var url))
        {
            return Refuse("(not a plain URL)", "the URL is not plain");
        }

        var lane = rules.IsForStranger ? strangers : rules.IsForUnvouched ? unvouched : known;
        if (lane.Budgets.MustWait(url.Uri.IdnHost) is { } wait)
        {
            return new FetchOutcome.Busy(wait);
        }

        if (!lane.Slots.Wait(TimeSpan.Zero, CancellationToken.None))
        {
            return new FetchOutcome.Busy(TimeSpan.FromSeconds(1));
        }

        try
        {
            return await WithinTimeAsync(lane, url.Uri, request, rules, stop);
        }
        finally
        {
            lane.Slots.Release();
        }
    }

    /// <summary>
    /// A client for one registered server: the same vetting, but no budget and no end to a stream once its headers
    /// came. With <paramref name="isNamed"/> the operator's configuration file has this URL, which permits exactly its
    /// host and port on loopback and private networks. The caller disposes.
    /// </summary>
    public HttpMessageInvoker ToUpstream(Uri url, bool isNamed, TimeSpan headersWithin)
    {
        var handler = Handler(isNamed ? url : null);
        handler.MaxConnectionsPerServer = 1024;
        handler.MaxResponseHeadersLength = 64;
        handler.EnableMultipleHttp2Connections = true;
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        handler.ActivityHeadersPropagator = null; // it would add what a caller chose; who calls says what goes on
        return new(new HeaderDeadline(headersWithin, clock, handler));
    }

    public void Dispose()
    {
        strangers.Dispose();
        unvouched.Dispose();
        known.Dispose();
    }

    private Lane LaneOf(int most)
    {
        var handler = Handler(named: null);
        handler.MaxConnectionsPerServer = 8;
        handler.MaxResponseHeadersLength = 16;
        handler.ResponseDrainTimeout = TimeSpan.Zero;
        handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10);
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(1);
        handler.ActivityHeadersPropagator = null; // our trace ids are nobody's business
        return new(new(clock, options.HostBurst, options.HostPerSecond), new(most), new(handler));
    }

    private SocketsHttpHandler Handler(Uri? named) => new()
    {
        ConnectCallback = new VettedConnection(addresses, resolve, clock, named).OpenAsync,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = new ExtraTrust(options.Trust).Accepts,
        },
    };

    // Shared by everyone who asks for the same, so it ends by its own clock and not when one of them leaves.
    private async Task<FetchOutcome> FetchAsync(string url, FetchRules rules)
    {
        try
        {
            using var request = new HttpRequestMessage { RequestUri = UriOf(url) };
            return await SendAsync(request, rules, CancellationToken.None) switch
            {
                FetchOutcome.Answered { Status: not HttpStatusCode.OK } other =>
                    Refuse(request.RequestUri!.Host, $"status {(int)other.Status}") with { Status = other.Status },
                var outcome => outcome,
            };
        }
        finally
        {
            underWay.TryRemove((url, rules), out _);
        }
    }

    private static Uri? UriOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri : null;

    private async Task<FetchOutcome> WithinTimeAsync(
        Lane lane, Uri url, HttpRequestMessage request, FetchRules rules, CancellationToken stop)
    {
        var host = url.IdnHost;
        using var deadline = new CancellationTokenSource(rules.Within, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            var outcome = await AnswerAsync(lane, host, request, rules, either.Token);
            lane.Budgets.Report(host, isReachable: true);
            return outcome;
        }
        catch (Exception problem) when (
            problem is HttpRequestException or IOException
            || (problem is OperationCanceledException && !stop.IsCancellationRequested))
        {
            // A port that a stranger chose, closed, must not close the host to the others.
            if (lane == known || url.IsDefaultPort)
            {
                lane.Budgets.Report(host, isReachable: false);
            }

            return Refuse(host, deadline.IsCancellationRequested ? "out of time" : problem.GetBaseException().Message);
        }
    }

    private async Task<FetchOutcome> AnswerAsync(
        Lane lane, string host, HttpRequestMessage request, FetchRules rules, CancellationToken stop)
    {
        if (request.Headers.Accept.Count is 0)
        {
            request.Headers.TryAddWithoutValidation("Accept", rules.Asks);
        }

        using var answer = await lane.Sender.SendAsync(request, stop);
        var type = answer.Content.Headers.ContentType?.MediaType?.ToLowerInvariant() ?? "";
        var problem = answer switch
        {
            { StatusCode: >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest } => "a redirect",
            _ when rules.IsUnread => null,
            { Content.Headers.ContentEncoding.Count: > 0 } => "the body is encoded",
            { IsSuccessStatusCode: true } when !rules.Accepts(type) => "the media type is not accepted",
            _ => null,
        };
        if (problem is not null)
        {
            return Refuse(host, problem);
        }

        return (rules.IsUnread ? default(ReadOnlyMemory<byte>) : await BodyAsync(answer.Content, rules.MaxBytes, stop))
            is { } body
            ? new FetchOutcome.Answered(
                answer.StatusCode, type, body, FetchRules.FreshFor(answer, clock.GetUtcNow()), answer.Headers)
            : Refuse(host, $"more than {rules.MaxBytes} bytes");
    }

    /// <summary>The body, or null when longer than allowed. A length that was only announced buys no memory.</summary>
    private static async Task<ReadOnlyMemory<byte>?> BodyAsync(HttpContent content, int most, CancellationToken stop)
    {
        if (content.Headers.ContentLength > most)
        {
            return null;
        }

        await using var body = await content.ReadAsStreamAsync(stop);
        var buffer = new byte[Math.Min(most + 1, 4096)];
        var length = 0;
        while (await body.ReadAsync(buffer.AsMemory(length), stop) is > 0 and var read)
        {
            length += read;
            if (length > most)
            {
                return null;
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min(most + 1L, buffer.Length * 2L));
            }
        }

        return buffer.AsMemory(0, length);
    }

    private FetchOutcome.Refused Refuse(string host, string reason)
    {
        Log.Refused(logger, host, reason);
        return new(reason);
    }

    // What some use up is not missing to others: hosts, places under way, connections.
    private sealed record Lane(HostBudgets Budgets, SemaphoreSlim Slots, HttpMessageInvoker Sender) : IDisposable
    {
        public void Dispose()
        {
            Sender.Dispose();
            Slots.Dispose();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Fetch from {Host} refused: {Reason}")]
        public static partial void Refused(ILogger logger, string host, string reason);
    }
}
