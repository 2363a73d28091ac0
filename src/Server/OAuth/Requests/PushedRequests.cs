using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Primitives;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Platform;
using Postern.Platform.Keys;

namespace Postern.OAuth.Requests;

/// <summary>
/// Requests that were pushed (RFC 9126 §2.2). The <c>request_uri</c> is the request itself, sealed for its client, so
/// nothing that anybody pushes takes room here. It names the grant that it may become, which is made once.
/// </summary>
internal sealed partial class PushedRequests(
    Sealer sealer, Once once, TimeProvider clock, RandomNumberGenerator random)
{
    /// <summary>How long a pushed request may wait for its browser; what it began there goes on.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    /// <summary>What every reference begins with (RFC 9126 §2.2).</summary>
    public const string Prefix = "urn:ietf:params:oauth:request_uri:";

    private const string Purpose = "pushed";

    // Read by us alone, so nothing needs the long escapes; see Proposals.
    private static readonly PushedJson Compact = new(
        new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public string Seal(Tenant tenant, Client client, AuthorizeRequest request)
    {
        var now = clock.GetUtcNow();
        var pushed = new Pushed(
            GrantId.New(now, random).Value,
            now.Add(Lifetime).ToUnixTimeMilliseconds(),
            request.IsSigned,
            request.Values,
            request.PushedBy);
        var plain = JsonSerializer.SerializeToUtf8Bytes(pushed, Compact.Pushed);
        return Prefix + sealer.Seal(tenant.Id, Purpose, plain, ContextOf(client));
    }

    /// <summary>
    /// The request behind a reference, as this client pushed it here. Good until somebody has answered, so that a page
    /// may be loaded again on the way.
    /// </summary>
    public async ValueTask<Result<AuthorizeRequest>> OpenAsync(
        Tenant tenant, Client client, AuthorizeRequest sent, CancellationToken stop)
    {
        // RFC 9126 §4: what was authenticated must not be mixed with what anybody could have added.
        if (sent.Values.Keys.Any(name => name is not ("client_id" or "request_uri")))
        {
            return OAuthError.InvalidRequest("A pushed request comes with client_id and request_uri alone.");
        }

        if (Open(tenant, client, sent.RequestUri!) is not { } pushed
            || await once.HasAsync(tenant.Id, Proposals.Answered, pushed.Id, stop))
        {
            return new OAuthError("invalid_request_uri", "The pushed request is over, answered, or of another app.");
        }

        var parsed = AuthorizeRequest.Parse(
            pushed.Values.Select(value => KeyValuePair.Create(value.Key, new StringValues(value.Value))),
            new(pushed.Id),
            pushed.IsSigned);
        return parsed.Failed(out var error, out var request) ? error : request with { PushedBy = pushed.Shown };
    }

    private Pushed? Open(Tenant tenant, Client client, string uri) =>
        uri.StartsWith(Prefix, StringComparison.Ordinal)
        && sealer.Open(tenant.Id, Purpose, uri.AsSpan(Prefix.Length), ContextOf(client)) is { } plain
        && JsonSerializer.Deserialize(plain, PushedJson.Default.Pushed) is { } pushed
        && clock.GetUtcNow().ToUnixTimeMilliseconds() < pushed.Ends
            ? pushed
            : null;

    private static byte[] ContextOf(Client client) => Encoding.UTF8.GetBytes(client.Id.Value);

    /// <param name="Id">The name of the grant it may become.</param>
    /// <param name="Ends">Unix milliseconds.</param>
    /// <param name="IsSigned">Its client signed it.</param>
    /// <param name="Values">The parameters.</param>
    /// <param name="Shown">What was proven beside a key when it was pushed; null for nothing.</param>
    private sealed record Pushed(
        string Id, long Ends, bool IsSigned, IReadOnlyDictionary<string, string> Values, string? Shown);

    [JsonSerializable(typeof(Pushed))]
    private sealed partial class PushedJson : JsonSerializerContext;
}
