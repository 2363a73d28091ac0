using System.Net;
using System.Text.Json;
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
            var uri = await KeysUriAsync(client, timeout.Token);
            var document = await GetAsync(client, uri, timeout.Token)
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

    private async Task<Uri> KeysUriAsync(HttpClient client, CancellationToken stop)
    {
        foreach (var uri in MetadataUris())
        {
            if (await GetAsync(client, uri, stop) is not { } document)
            {
                continue;
            }

            using var metadata = JsonDocument.Parse(document);

            // RFC 8414 §3.3: otherwise one issuer could speak for another.
            return metadata.RootElement.GetProperty("issuer").GetString() == issuer
                ? new(metadata.RootElement.GetProperty("jwks_uri").GetString()!)
                : throw new FormatException($"{uri} speaks for another issuer.");
        }

        throw new HttpRequestException("No metadata was found.");
    }

    // RFC 8414 §3.1 and §5, and OpenID Connect Discovery §4, in the order in which MCP clients look.
    private IEnumerable<Uri> MetadataUris()
    {
        var uri = new Uri(issuer);
        var (origin, path) = (uri.GetLeftPart(UriPartial.Authority), uri.AbsolutePath.TrimEnd('/'));
        yield return new($"{origin}/.well-known/oauth-authorization-server{path}");
        yield return new($"{origin}/.well-known/openid-configuration{path}");
        if (path is not "")
        {
            yield return new($"{origin}{path}/.well-known/openid-configuration");
        }
    }

    private async Task<byte[]?> GetAsync(HttpClient client, Uri uri, CancellationToken stop)
    {
        if (uri.Scheme != Uri.UriSchemeHttps && !(allowInsecureHttpForTests && uri.Scheme == Uri.UriSchemeHttp))
        {
            throw new FormatException($"{uri} is not https.");
        }

        using var answer = await client.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, stop);
        if (answer.StatusCode is not HttpStatusCode.OK)
        {
            return null;
        }

        await using var stream = await answer.Content.ReadAsStreamAsync(stop);
        var buffer = new byte[MaxDocumentLength + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop);
        return length <= MaxDocumentLength ? buffer[..length] : throw new FormatException($"{uri} is too long.");
    }

    private sealed record Held(KeySet Set, byte[] Document, DateTimeOffset At);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The keys of {Issuer} could not be fetched.")]
        public static partial void FetchFailed(ILogger logger, Exception e, string issuer);
    }
}
