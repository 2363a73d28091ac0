using System.Text.Json;
using Postern.OAuth.Requests;

namespace Postern.OAuth.Token;

/// <summary>
/// What is issued where no access token is (<c>token_type</c> N_A, RFC 8693 §2.2.1): signed, for another audience, and
/// good for nothing here.
/// </summary>
internal sealed record SignedStatement
{
    /// <summary>Its <c>typ</c>, by which nobody takes it for anything else (RFC 8725 §3.11).</summary>
    public required string Type { get; init; }

    /// <summary>For whom, by the name that is told there.</summary>
    public required string Subject { get; init; }

    public required string Audience { get; init; }

    public required Scopes Scopes { get; init; }

    /// <summary>What it lets somebody do in more detail than scopes (RFC 9396 §9.1); null for nothing.</summary>
    public Details? Details { get; init; }

    /// <summary>How long it is good, where what it rests on lasts that long.</summary>
    public required TimeSpan Life { get; init; }

    /// <summary>Writes what it says beside issuer, subject, audience, scope, times and name.</summary>
    public required Action<Utf8JsonWriter> Claims { get; init; }

    /// <summary>Why it is not for this request; null when it is.</summary>
    public OAuthError? Refusal(TokenRequest request) =>
        request.Details is null || Details is not null ? null : DetailCheck.Invalid("They are not said to others.");
}
