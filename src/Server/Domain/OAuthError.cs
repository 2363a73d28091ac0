namespace Postern.Domain;

/// <summary>
/// An error answer (RFC 6749 §5.2). The client sees code and description; <see cref="Reason"/>, the precise
/// cause, goes to the log alone, so that a probing client learns nothing from it.
/// </summary>
public sealed record OAuthError(string Code, string Description, int Status = 400)
{
    public string? Reason { get; init; }

    /// <summary>When it is worth asking again, for an answer that says so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>By what the client comes back, for an answer that a person has yet to give.</summary>
    public Deferral? Deferral { get; init; }

    public static OAuthError InvalidRequest(string description) => new("invalid_request", description);

    public static OAuthError InvalidClient(string reason) =>
        new("invalid_client", "Client authentication failed.", 401) { Reason = reason };

    public static OAuthError InvalidGrant(string reason) =>
        new("invalid_grant", "The grant is invalid, expired or revoked.") { Reason = reason };

    public static OAuthError InvalidScope(string description) => new("invalid_scope", description);

    /// <summary>RFC 8707 §2.</summary>
    public static OAuthError InvalidTarget(string description) => new("invalid_target", description);

    public static OAuthError UnauthorizedClient(string description) => new("unauthorized_client", description);

    public static OAuthError TooMany(string description, TimeSpan wait) =>
        new("temporarily_unavailable", description, 429) { Reason = "rate limit", RetryAfter = wait };
}

/// <summary>A code to come back with; seconds that it is good for, and between two visits.</summary>
public sealed record Deferral(string Code, long ExpiresIn, long Interval)
{
    public override string ToString() => "***";
}
