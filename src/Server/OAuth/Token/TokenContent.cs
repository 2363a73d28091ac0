using Postern.Grants;

namespace Postern.OAuth.Token;

/// <summary>What an access token says (RFC 9068 §2.2).</summary>
internal readonly record struct TokenContent
{
    public required Tenant Tenant { get; init; }

    public required Grant Grant { get; init; }

    public required Scopes Scopes { get; init; }

    /// <summary>Its <c>jti</c>.</summary>
    public required string Id { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The key that it is bound to; null for a bearer token.</summary>
    public Holder? Holder { get; init; }

    /// <summary>Where it is published whether it stands; null where that is not wanted.</summary>
    public StatusPlace? Status { get; init; }

    /// <summary>The token that only refers to this; null for one that says it itself.</summary>
    public string? Reference { get; init; }

    /// <summary>The tokens that it comes from, each by its <c>jti</c>.</summary>
    public required IReadOnlyList<string> Ancestors { get; init; }

    /// <summary>Who may become its actor (RFC 8693 §4.4).</summary>
    public ClientId? MayAct { get; init; }
}
