using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Revocations;

/// <summary>
/// Asks the issuer in this application's own name: about one token (RFC 7662), and for the stream of what ends.
/// </summary>
internal sealed class IssuerQuestions(PosternOptions options, Func<HttpClient> http, TimeProvider clock)
{
    /// <summary>Questions under way about what strangers send.</summary>
    internal const int MostUnderWay = 64;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), KnownFor = TimeSpan.FromMinutes(10);

    private readonly IssuerDocuments documents = new(options.Issuer, options.AllowInsecureHttpForTests);
    private readonly KnownReferences references =
        new(options.CachedTokens, options.RefusedReferencesFor, clock);

    private volatile Known? introspection;
    private int underWay;

    /// <summary>
    /// The claims of a token that stands; null for one that does not, or is not this application's to ask about.
    /// </summary>
    /// <exception cref="HttpRequestException">The issuer does not answer.</exception>
    public async ValueTask<byte[]?> ClaimsAsync(string token, CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            var client = http();
            using var request = new HttpRequestMessage(HttpMethod.Post, await AddressAsync(client, either.Token));
            request.Headers.Authorization = Credentials;
            request.Headers.Accept.ParseAdd("application/json");
            request.Content = new FormUrlEncodedContent([KeyValuePair.Create("token", token)]);
            using var answer =
                await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return answer.StatusCode is HttpStatusCode.OK
                ? Active(await IssuerDocuments.ReadAsync(answer, either.Token))
                : throw new HttpRequestException($"The issuer answers {(int)answer.StatusCode} to introspection.");
        }
        catch (Exception failure) when (
            failure is FormatException or JsonException or KeyNotFoundException or InvalidOperationException
                or IOException or UriFormatException
            || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            throw new HttpRequestException("The issuer gives no answer that can be read.", failure);
        }
    }

    /// <summary>
    /// The same for a token that nobody has signed, so that anybody can make it ask: what was answered is remembered,
    /// as far as <paramref name="mayRemember"/> for one that stands; and questions are bounded, beyond that an outage.
    /// </summary>
    /// <inheritdoc cref="ClaimsAsync"/>
    public async ValueTask<byte[]?> DereferenceAsync(string token, Func<bool> mayRemember, CancellationToken stop)
    {
        var name = references.NameOf(token);
        if (references.IsRefused(name))
        {
            return null;
        }

        if (mayRemember() && references.Claims(name) is { } known)
        {
            return known;
        }

        if (await AskWithinBoundsAsync(token, stop) is not { } claims)
        {
            references.Refuse(name);
            return null;
        }

        if (TokenClaims.Read(claims) is AccessToken { GrantId: not null } read)
        {
            references.Keep(name, claims, read.ExpiresAt);
        }

        return claims;
    }

    private async ValueTask<byte[]?> AskWithinBoundsAsync(string token, CancellationToken stop)
    {
        try
        {
            return Interlocked.Increment(ref underWay) <= MostUnderWay
                ? await ClaimsAsync(token, stop)
                : throw new HttpRequestException("Too many questions are under way.");
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    }

    /// <summary>Opens the stream of what ends at the resource of this application.</summary>
    public async Task<HttpResponseMessage> FollowAsync(string? lastEvent, CancellationToken stop)
    {
        var client = http();
        var address = await documents.AddressAsync(client, "revocation_feed_endpoint", stop);
        using var request = new HttpRequestMessage(
            HttpMethod.Get, $"{address}?resource={Uri.EscapeDataString(options.Resource)}");
        request.Headers.Authorization = Credentials;
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEvent is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEvent);
        }

        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
    }

    // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
    private AuthenticationHeaderValue Credentials => new("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(
        $"{WebUtility.UrlEncode(options.ClientId)}:{WebUtility.UrlEncode(options.ClientSecret)}")));

    private async ValueTask<Uri> AddressAsync(HttpClient client, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        if (introspection is { } known && now - known.At < KnownFor)
        {
            return known.Address;
        }

        var address = await documents.AddressAsync(client, "introspection_endpoint", stop);
        introspection = new(address, now);
        return address;
    }

    private static byte[]? Active(byte[] json)
    {
        using var answer = JsonDocument.Parse(json);
        return answer.RootElement.GetProperty("active").ValueKind is JsonValueKind.True ? json : null;
    }

    private sealed record Known(Uri Address, DateTimeOffset At);
}
