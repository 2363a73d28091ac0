using Microsoft.Extensions.Logging;

namespace Postern.AspNetCore.Keys;

/// <summary>
/// Keys that the issuer publishes: its metadata (RFC 8414 §3, or OpenID Connect Discovery) names the <c>jwks_uri</c>.
/// They are fetched again every five minutes while in use, and when a token names an unknown key, at most twice a
/// minute. When the issuer cannot be reached the keys last seen are good for a day.
/// </summary>
/// <param name="issuer">The pinned issuer, an https URL; its metadata must repeat it exactly.</param>
/// <param name="http">Gives the client for one fetch, such as <c>IHttpClientFactory</c> does. It should not follow
/// redirects.</param>
/// <param name="clock">Says when keys are old.</param>
/// <param name="logger">Told when a fetch fails.</param>
/// <param name="allowInsecureHttpForTests">Takes http URLs: whoever is on the network can then forge every
/// token.</param>
public sealed partial class RemoteKeys(
    string issuer,
    Func<HttpClient> http,
    TimeProvider clock,
    ILogger<RemoteKeys> logger,
    bool allowInsecureHttpForTests = false) : IKeySource
{
    /// <summary>The largest document that is read, in bytes.</summary>
    public const int MaxDocumentLength = 256 * 1024;

    private static readonly TimeSpan
        RefreshAfter = TimeSpan.FromMinutes(5),
        WaitAfter = TimeSpan.FromMinutes(10),
        KeepFor = TimeSpan.FromDays(1),
        BetweenFetches = TimeSpan.FromSeconds(30),
        BetweenFirstFetches = TimeSpan.FromSeconds(2),
        FetchTimeout = TimeSpan.FromSeconds(10);

    private readonly IssuerDocuments documents = new(issuer, allowInsecureHttpForTests);
    private readonly Lock gate = new();
    private volatile Held? held;
    private volatile bool isFailing;
    private Task fetch = Task.CompletedTask;
    private long nextFetch;

    /// <inheritdoc/>
    public KeySet? Current
    {
        get
        {
            if (held is not { } keys)
            {
                return null;
            }

            var now = clock.GetUtcNow();
            var age = now - keys.At;
            if (age < RefreshAfter)
            {
                return keys.Set;
            }

            // In use, keys are renewed beside the requests. After a pause they are waited for, since one may have been
            // withdrawn; but not while the issuer is away, or every request would wait for its timeout.
            _ = FetchIfDue(now);
            return age < WaitAfter || isFailing ? InForce(now) : null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<KeySet?> FindAsync(string keyId, CancellationToken stop)
    {
        if (Current is { } keys && keys[keyId] is not null)
        {
            return keys;
        }

        await FetchIfDue(clock.GetUtcNow()).WaitAsync(stop);
        return InForce(clock.GetUtcNow());
    }

    private KeySet? InForce(DateTimeOffset now) => held is { } keys && now - keys.At < KeepFor ? keys.Set : null;

    // One fetch at a time, which all who need it share; none before its time, whatever strangers put into kid.
    private Task FetchIfDue(DateTimeOffset now)
    {
        lock (gate)
        {
            if (fetch.IsCompleted && now.UtcTicks >= nextFetch)
            {
                nextFetch = (now + (held is null ? BetweenFirstFetches : BetweenFetches)).UtcTicks;
                fetch = Task.Run(FetchAsync);
            }

            return fetch;
        }
    }

    private async Task FetchAsync()
    {
        try
        {
            using var timeout = new CancellationTokenSource(FetchTimeout, clock);
            var client = http();
            var uri = await documents.AddressAsync(client, "jwks_uri", timeout.Token);
            var document = await documents.GetAsync(client, uri, timeout.Token)
                ?? throw new HttpRequestException($"{uri} did not answer 200.");

            // The same document is the same set, so that verified tokens stay remembered.
            var isSame = held?.Document.AsSpan().SequenceEqual(document) is true;
            held = new(isSame ? held!.Set : KeySet.Parse(document), document, clock.GetUtcNow());
            isFailing = false;
        }
        catch (Exception e)
        {
            // Whatever went wrong, the keys last seen stay until they are too old.
            isFailing = true;
            Log.FetchFailed(logger, e, issuer);
        }
    }

    private sealed record Held(KeySet Set, byte[] Document, DateTimeOffset At);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The keys of {Issuer} could not be fetched.")]
        public static partial void FetchFailed(ILogger logger, Exception e, string issuer);
    }
}
