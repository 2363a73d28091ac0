namespace Postern.AspNetCore.AccessTokens;

/// <summary>
/// What came of judging a token, an <see cref="AccessToken"/> or a <see cref="Transactions.TransactionToken"/>, or a
/// proof, a <see cref="Proofs.Proof"/>; or the <see cref="TokenRefusal"/>.
/// </summary>
public abstract record TokenOutcome
{
    private protected TokenOutcome()
    {
    }
}

/// <summary>
/// A refusal (RFC 6750 §3.1, RFC 9449 §7.1). Code and description are for the client, <see cref="Reason"/> for the log
/// alone.
/// </summary>
public sealed record TokenRefusal : TokenOutcome
{
    private TokenRefusal(int status, string code, string description, string reason) =>
        (Status, Code, Description, Reason) = (status, code, description, reason);

    /// <summary>The status to answer with: 400, 401 or 503.</summary>
    public int Status { get; }

    /// <summary>
    /// <c>invalid_request</c>, <c>invalid_token</c>, <c>invalid_dpop_proof</c>, <c>use_dpop_nonce</c> or
    /// <c>temporarily_unavailable</c>.
    /// </summary>
    public string Code { get; }

    /// <summary>One sentence for the client. It is the same for every refusal with this code.</summary>
    public string Description { get; }

    /// <summary>Which check failed. It is not for the client: a probing one would learn from it.</summary>
    public string Reason { get; }

    /// <summary>The request used the scheme DPoP, and is answered in it.</summary>
    public bool IsDpop { get; internal init; }

    /// <summary>The nonce that the next proof must carry (RFC 9449 §9), with <c>use_dpop_nonce</c>.</summary>
    public string? Nonce { get; private init; }

    internal static TokenRefusal Request(string reason) => new(
        400,
        "invalid_request",
        "Send one access token, in one Authorization header: Bearer or DPoP, and the token.",
        reason);

    internal static TokenRefusal Token(string reason) => new(
        401, "invalid_token", "The access token is invalid, has ended, or is meant for another resource.", reason);

    internal static TokenRefusal Transaction(string reason) => new(
        401,
        "invalid_token",
        "Send one transaction token that is valid, has not ended, and is meant for this trust domain.",
        $"transaction {reason}");

    internal static TokenRefusal Proof(string reason) => new(
        401,
        "invalid_dpop_proof",
        "The DPoP proof is missing, malformed, used before, or made for another request, token or time.",
        $"proof: {reason}")
    {
        IsDpop = true,
    };

    internal static TokenRefusal NeedsNonce(string nonce, string reason) => new(
        401,
        "use_dpop_nonce",
        "Make the DPoP proof again, with the nonce of the DPoP-Nonce header.",
        $"proof: {reason}")
    {
        IsDpop = true,
        Nonce = nonce,
    };

    internal static TokenRefusal Outage(string reason) => new(
        503, "temporarily_unavailable", "Access tokens cannot be checked now. Try again in a few seconds.", reason);
}
