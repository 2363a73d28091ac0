using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// What a request offers to prove its client (RFC 6749 §2.3, RFC 7523 §2.2): one method, or it is refused.
/// </summary>
internal abstract record ClientCredentials
{
    public const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /// <summary>draft-ietf-oauth-spiffe-client-auth §3.1.</summary>
    public const string SvidType = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";

    private const int MaxLength = 4000, MaxAssertion = 16_000;

    private ClientCredentials()
    {
    }

    /// <summary>The identifier as sent; null when only an assertion came, which names the client itself.</summary>
    public string? ClientId { get; private init; }

    public sealed record Named : ClientCredentials;

    public sealed record WithSecret(Secret Secret, string Method) : ClientCredentials;

    public sealed record WithAssertion(string Assertion) : ClientCredentials;

    /// <summary>An attestation of the copy that asks; null for one that cannot be read.</summary>
    public sealed record WithAttestation(Attestation? Attestation) : ClientCredentials;

    /// <summary>What SPIFFE gave a workload, as a JWT.</summary>
    public sealed record WithSvid(string Svid) : ClientCredentials;

    public static Result<ClientCredentials> Read(HttpRequest http, Form form)
    {
        // RFC 6749 §2.3.1: never in the URI.
        if (http.QueryString.HasValue
            && (http.Query.ContainsKey("client_secret") || http.Query.ContainsKey("client_assertion")))
        {
            return OAuthError.InvalidRequest("Client credentials do not belong in the URL.");
        }

        var (id, secret, assertion) = (form["client_id"], form["client_secret"], form["client_assertion"]);
        var hasHeader = !StringValues.IsNullOrEmpty(http.Headers.Authorization);
        if ((hasHeader ? 1 : 0) + (secret is null ? 0 : 1) + (assertion is null ? 0 : 1) > 1)
        {
            // RFC 7521 §4.2.1 asks for another error than RFC 6749 §5.2 where an assertion is one of them.
            return assertion is null
                ? OAuthError.InvalidRequest("Use one method of client authentication.")
                : OAuthError.InvalidClient("an assertion beside another method");
        }

        if (hasHeader)
        {
            return Basic(http.Headers.Authorization, id);
        }

        return assertion is not null || form["client_assertion_type"] is not null
            ? Asserted(assertion, form["client_assertion_type"], id)
            : Plain(http, id, secret);
    }

    private static Result<ClientCredentials> Asserted(string? assertion, string? type, string? id) =>
        (type, assertion) switch
        {
            (AssertionType, { Length: > 0 }) => new WithAssertion(assertion) { ClientId = id },
            (SvidType, { Length: > 0 }) => new WithSvid(assertion) { ClientId = id },
            _ => OAuthError.InvalidRequest(
                $"client_assertion comes with client_assertion_type {AssertionType} or {SvidType}."),
        };

    private static Result<ClientCredentials> Plain(HttpRequest http, string? id, string? secret)
    {
        // Beside another method it is one signal more, which is looked at once that has proven who it is.
        if (secret is null && http.Headers[Attestation.Header] is { Count: > 0 } attested)
        {
            return new WithAttestation(attested is [{ } text] ? Attestation.Read(text) : null) { ClientId = id };
        }

        return (id, secret) switch
        {
            (null or "", _) => OAuthError.InvalidClient("no client_id"),
            (_, null) => new Named { ClientId = id },
            _ => new WithSecret(new(secret), ClientMetadata.Post) { ClientId = id },
        };
    }

    /// <summary>Whether a request shows anything to prove its client by, good or not.</summary>
    public static bool AreIn(HttpRequest http, Form form) =>
        !StringValues.IsNullOrEmpty(http.Headers.Authorization)
        || http.HttpContext.Connection.ClientCertificate is not null
        || http.Headers.ContainsKey(Attestation.Header)
        || (form["client_secret"] ?? form["client_assertion"]) is not null;

    /// <summary>By what a client proves itself where there is no form.</summary>
    public static readonly string[] HeaderMethods = [ClientMetadata.PrivateKeyJwt, ClientMetadata.Basic];

    /// <summary>
    /// What a request without a form offers, in its header alone: a secret (Basic), or an assertion that the client
    /// signed (Bearer).
    /// </summary>
    public static Result<ClientCredentials> OfHeader(HttpRequest http)
    {
        const string Bearer = "Bearer ";
        return http.Headers.Authorization is [{ Length: <= MaxAssertion } text]
            && text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
                ? new WithAssertion(text[Bearer.Length..])
                : Basic(http.Headers.Authorization, null);
    }

    private static Result<ClientCredentials> Basic(StringValues header, string? id)
    {
        if (header is not [{ Length: <= MaxLength } text]
            || !AuthenticationHeaderValue.TryParse(text, out var value)
            || !"Basic".Equals(value.Scheme, StringComparison.OrdinalIgnoreCase)
            || Decode(value.Parameter) is not [var user, var secret])
        {
            return OAuthError.InvalidClient("malformed Authorization header");
        }

        return id is not null && id != user
            ? OAuthError.InvalidRequest("client_id differs from the Authorization header.")
            : new WithSecret(new(secret), ClientMetadata.Basic) { ClientId = user };
    }

    // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
    private static string[]? Decode(string? parameter)
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        if (parameter is null || !Convert.TryFromBase64String(parameter, bytes, out var written))
        {
            return null;
        }

        return Encoding.UTF8.GetString(bytes[..written]).Split(':', 2) is [var user, var secret]
            ? [WebUtility.UrlDecode(user), WebUtility.UrlDecode(secret)]
            : null;
    }
}
