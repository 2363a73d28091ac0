using Postern.OAuth.ClientAuth;
using Postern.Platform.Database;

namespace Postern.OAuth.Token;

/// <summary>One way to a grant. Everything the ways have in common is done before and after, by the endpoint.</summary>
internal interface IGrantType
{
    /// <summary>The value of <c>grant_type</c> this way answers to.</summary>
    string Name { get; }

    /// <summary>
    /// Finds the grant and checks everything about how it is presented. Consumes nothing: a request that fails later
    /// must leave the code or refresh token as good as it was.
    /// </summary>
    ValueTask<Result<Redemption>> RedeemAsync(TokenRequest request, Presenter presenter, CancellationToken stop);
}

/// <summary>
/// A living grant, presented in a valid way, and what will be consumed when tokens are issued from it.
/// </summary>
/// <param name="Grant">The grant.</param>
/// <param name="Generation">The generation of a one-time token; null for a standing grant.</param>
internal sealed record Redemption(Grant Grant, long? Generation)
{
    /// <summary>The kind of entry that issuing writes.</summary>
    public required string EntryKind { get; init; }

    /// <summary>What the ID token must repeat (OpenID Connect Core §3.1.3.6).</summary>
    public string? Nonce { get; init; }

    /// <summary>
    /// Clients come for it again and again, so two requests of one holder side by side are no theft.
    /// </summary>
    public bool IsPolled { get; init; }

    /// <summary>Makes the grant in the unit that consumes its code; null where it is there already.</summary>
    public Func<Unit, ValueTask>? Begin { get; init; }

    /// <summary>When tokens of it end at the latest; null for when the grant does.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The tokens that it comes from, each by its <c>jti</c>: it ends with each of them.</summary>
    public IReadOnlyList<string> Ancestors { get; init; } = [];

    /// <summary>What was issued, where the answer says so (RFC 8693 §2.2.1).</summary>
    public string? IssuedTokenType { get; init; }

    /// <summary>What is granted of what was asked for; null where whoever asks for too much is refused.</summary>
    public Scopes? Granted { get; init; }

    /// <summary>What is issued instead of an access token; null for an access token.</summary>
    public SignedStatement? Statement { get; init; }
}
