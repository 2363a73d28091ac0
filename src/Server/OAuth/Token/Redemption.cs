using Postern.Audit;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Database;

namespace Postern.OAuth.Token;

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

    /// <summary>The entry of what is issued from it.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="presenter">Who asked.</param>
    /// <param name="agent">Whose client that is; null where it is no agent's.</param>
    /// <param name="held">Of what was granted, as much as was asked for.</param>
    /// <param name="tokenId">What is issued, by its <c>jti</c>.</param>
    public AuditEntry EntryOf(TokenRequest request, Presenter presenter, Agent? agent, Grant held, string tokenId) =>
        new()
        {
            Tenant = Grant.Tenant,
            Kind = EntryKind,
            Action = request.GrantType,
            User = Grant.IsOwn ? null : Grant.Subject,
            Client = Grant.Client,
            Agent = agent?.Id,
            Resource = Grant.Resource.Value,
            Grant = held,
            Effect = "allow",
            TokenId = tokenId,
            Network = presenter.Network,
        };
}
