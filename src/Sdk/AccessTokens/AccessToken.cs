using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Postern.AspNetCore.AccessTokens;

/// <summary>
/// The claims of a valid access token (RFC 9068 §2.2). Only <see cref="AccessTokenValidator"/> makes one: holding one
/// is proof that it was valid, for this resource, when it was judged.
/// </summary>
public sealed record AccessToken : TokenOutcome
{
    internal AccessToken()
    {
    }

    /// <summary><c>iss</c>: the authorization server.</summary>
    public string Issuer { get; internal init; } = "";

    /// <summary><c>sub</c>: the person the token speaks for, or the client itself.</summary>
    public string Subject { get; internal init; } = "";

    /// <summary><c>aud</c>: the one resource at which the token is good (RFC 8707).</summary>
    public string Audience { get; internal init; } = "";

    /// <summary><c>client_id</c>: the software that presents the token.</summary>
    public string ClientId { get; internal init; } = "";

    /// <summary><c>jti</c>: names the token, and is no secret.</summary>
    public string Id { get; internal init; } = "";

    /// <summary><c>scope</c>, split; empty when the token has none (RFC 6749 §3.3).</summary>
    public IReadOnlyList<string> Scopes { get; internal init; } = [];

    /// <summary><c>iat</c>.</summary>
    public DateTimeOffset IssuedAt { get; internal init; }

    /// <summary><c>nbf</c>, or <see cref="IssuedAt"/> when the token has none.</summary>
    public DateTimeOffset NotBefore { get; internal init; }

    /// <summary><c>exp</c>.</summary>
    public DateTimeOffset ExpiresAt { get; internal init; }

    /// <summary><c>grant_id</c>: the grant that the token was minted from.</summary>
    public string? GrantId { get; internal init; }

    /// <summary>
    /// <c>ancestors</c>: the <c>jti</c> of each token that this one came from by exchange (RFC 8693), the first one
    /// first. It ends with each of them.
    /// </summary>
    public IReadOnlyList<string> Ancestors { get; internal init; } = [];

    /// <summary>
    /// <c>act</c>: who acts for the subject; null when the client acts for it directly (RFC 8693 §4.1).
    /// </summary>
    public Actor? Actor { get; internal init; }

    /// <summary><c>may_act</c>: who may become the actor, by exchanging the token (RFC 8693 §4.4).</summary>
    public Actor? MayAct { get; internal init; }

    /// <summary><c>authorization_details</c>: objects, each with a string <c>type</c> (RFC 9396 §2).</summary>
    public IReadOnlyList<JsonElement> AuthorizationDetails { get; internal init; } = [];

    /// <summary><c>auth_time</c>: when the person last signed in (RFC 9470 §5).</summary>
    public DateTimeOffset? AuthenticatedAt { get; internal init; }

    /// <summary><c>acr</c>: how strongly the person signed in (RFC 9470 §5).</summary>
    public string? AuthenticationContext { get; internal init; }

    /// <summary><c>sid</c>: the person's session at the authorization server.</summary>
    public string? SessionId { get; internal init; }

    /// <summary><c>txn</c>: the transaction that the token belongs to (RFC 8417 §2.2).</summary>
    public string? TransactionId { get; internal init; }

    /// <summary>
    /// <c>cnf.jkt</c>: the key whose proof must come with the token (RFC 9449 §6.1); null when none must.
    /// </summary>
    public string? KeyThumbprint { get; internal init; }

    /// <summary>
    /// <c>cnf.x5t#S256</c>: the certificate that must be shown on the connection (RFC 8705 §3.1); null when none must.
    /// </summary>
    public string? CertificateThumbprint { get; internal init; }

    internal bool IsBound => (KeyThumbprint ?? CertificateThumbprint) is not null;

    /// <summary>Whether the token has this scope. Compared as text.</summary>
    public bool HasScope(string scope) => Scopes.Contains(scope, StringComparer.Ordinal);

    /// <summary>Lets a route handler take the token of its request as a parameter.</summary>
    public static ValueTask<AccessToken?> BindAsync(HttpContext context) => new(context.Features.Get<AccessToken>());

    /// <summary>The <see cref="Id"/>, so that a log line holds nothing personal.</summary>
    public override string ToString() => Id;
}
