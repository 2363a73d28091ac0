namespace Postern.AspNetCore.AccessTokens;

/// <summary>
/// What came of judging a token: an <see cref="AccessToken"/> or a <see cref="TokenRefusal"/>, nothing else.
/// </summary>
public abstract record TokenOutcome
{
    private protected TokenOutcome()
    {
    }
}

/// <summary>
/// A refusal (RFC 6750 §3.1). Code and description are for the client, <see cref="Reason"/> for the log alone.
/// </summary>
public sealed record TokenRefusal : TokenOutcome
{
    private TokenRefusal(int status, string code, string description, string reason) =>
        (Status, Code, Description, Reason) = (status, code, description, reason);

    /// <summary>The status to answer with: 400, 401 or 503.</summary>
    public int Status { get; }

    /// <summary><c>invalid_request</c>, <c>invalid_token</c> or <c>temporarily_unavailable</c>.</summary>
    public string Code { get; }

    /// <summary>One sentence for the client. It is the same for every refusal with this code.</summary>
    public string Description { get; }

    /// <summary>Which check failed. It is not for the client: a probing one would learn from it.</summary>
    public string Reason { get; }

    internal static TokenRefusal Request(string reason) => new(
        400, "invalid_request", "Send one access token, in one Authorization header: Bearer and the token.", reason);

    internal static TokenRefusal Token(string reason) => new(
        401, "invalid_token", "The access token is invalid, has ended, or is meant for another resource.", reason);

    internal static TokenRefusal Outage(string reason) => new(
        503, "temporarily_unavailable", "Access tokens cannot be checked now. Try again in a few seconds.", reason);
}
