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
    private readonly HostBudgets budgets;
    private readonly HttpMessageInvoker strangers;
    private readonly SemaphoreSlim slots;
    private readonly ConcurrentDictionary<(string Url, FetchRules Rules), Lazy<Task<FetchOutcome>>> underWay = new();

    public SafeHttp(OutboundOptions options, TimeProvider clock, ILogger<SafeHttp> logger, ResolveHost? resolve = null)
    {
        (this.options, this.clock, this.logger) = (options, clock, logger);
        this.resolve = resolve ?? SystemResolver.ResolveAsync;
        addresses = new(options.Allow);
        budgets = new(clock, options.HostBurst, options.HostPerSecond);
        slots = new(options.MaxFetches);
        var handler = Handler(named: null);
        handler.MaxConnectionsPerServer = 8;
        handler.MaxResponseHeadersLength = 16;
        handler.ResponseDrainTimeout = TimeSpan.Zero;
        handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10);
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(1);
        handler.ActivityHeadersPropagator = null; // our trace ids are nobody's business
        strangers = new(handler);
    }

    /// <summary>Fetches a document: status 200, an accepted media type. Equal fetches under way are one.</summary>
    public async Task<FetchOutcome> GetAsync(string url, FetchRules rules, CancellationToken stop)
    {
        var fetch = underWay.GetOrAdd((url, rules), key => new(() => FetchAsync(key.Url, key.Rules)));
        return await fetch.Value.WaitAsync(stop);
    }

    /// <summary>Sends one request to a URL an outsider chose; every status but a redirect is an answer.</summary>
    public async Task<FetchOutcome> SendAsync(HttpRequestMessage request, FetchRules rules, CancellationToken stop)
    {
        if (!OutboundUrl.TryParse(request.RequestUri?.OriginalString, out var url))
        {
            return Refuse("(not a plain URL)", "the URL is not plain");
        }

        var host = url.Uri.IdnHost;
        if (budgets.MustWait(host) is { } wait)
        {
            return new FetchOutcome.Busy(wait);
        }

        if (!slots.Wait(TimeSpan.Zero, CancellationToken.None))
        {
            return new FetchOutcome.Busy(TimeSpan.FromSeconds(1));
        }

        try
        {
            return await WithinTimeAsync(host, request, rules, stop);
        }
        finally
        {
            slots.Release();
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
        return new(new HeaderDeadline(headersWithin, clock, handler));
    }

    public void Dispose()
    {
        strangers.Dispose();
        slots.Dispose();
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
        string host, HttpRequestMessage request, FetchRules rules, CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(rules.Within, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            var outcome = await AnswerAsync(host, request, rules, either.Token);
            budgets.Report(host, isReachable: true);
            return outcome;
        }
        catch (Exception problem) when (
            problem is HttpRequestException or IOException
            || (problem is OperationCanceledException && !stop.IsCancellationRequested))
        {
            budgets.Report(host, isReachable: false);
            return Refuse(host, deadline.IsCancellationRequested ? "out of time" : problem.GetBaseException().Message);
        }
    }

    private async Task<FetchOutcome> AnswerAsync(
        string host, HttpRequestMessage request, FetchRules rules, CancellationToken stop)
    {
        if (request.Headers.Accept.Count is 0)
        {
            request.Headers.TryAddWithoutValidation("Accept", rules.Asks);
        }

        using var answer = await strangers.SendAsync(request, stop);
        var type = answer.Content.Headers.ContentType?.MediaType?.ToLowerInvariant() ?? "";
        var problem = answer switch
        {
            { StatusCode: >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest } => "a redirect",
            { Content.Headers.ContentEncoding.Count: > 0 } => "the body is encoded",
            { IsSuccessStatusCode: true } when !rules.Accepts(type) => "the media type is not accepted",
            _ => null,
        };
        if (problem is not null)
        {
            return Refuse(host, problem);
        }

        return await BodyAsync(answer.Content, rules.MaxBytes, stop) is { } body
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

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Fetch from {Host} refused: {Reason}")]
        public static partial void Refused(ILogger logger, string host, string reason);
    }
}
