using Postern.Grants;

namespace Postern.Approvals;

/// <summary>How a question came here, and by what its client fetches the answer.</summary>
internal enum AskWay
{
    /// <summary>RFC 8628: a device shows a code, and whoever brings it first is asked.</summary>
    Device,

    /// <summary>OpenID CIBA Core 1.0: a service names the person it wants to be let in by.</summary>
    Backchannel,

    /// <summary>draft-ietf-oauth-deferred-token-response: a token request that a person must agree to first.</summary>
    Deferred,
}

internal enum AskState
{
    Pending,
    Approved,
    Denied,
}

/// <summary>A question put to a person: a wish, whom it is put to, and what became of it.</summary>
internal sealed record Ask
{
    /// <summary>The grant it may become.</summary>
    public required GrantId Id { get; init; }

    public required TenantId Tenant { get; init; }

    public required AskWay Way { get; init; }

    public required Wish Wish { get; init; }

    /// <summary>Whom it is put to; null until somebody brings the user code.</summary>
    public SubjectId? Subject { get; init; }

    /// <summary>The sign-in that brought the user code: that one alone may answer (CVE-2026-45337).</summary>
    public string? Session { get; init; }

    public string? UserCode { get; init; }

    /// <summary>What the client wants the person to read beside the question; its own words.</summary>
    public string? Message { get; init; }

    /// <summary>Where the client wants to hear that there is an answer, sealed; null when it comes to ask.</summary>
    public string? Notify { get; init; }

    /// <summary>Where the request came from.</summary>
    public required string Network { get; init; }

    /// <summary>What was proven with the request, as it is stored, by a space apart; null when nothing was.</summary>
    public string? Binding { get; init; }

    /// <summary>Anybody could have asked: those are counted by where they come from, and for themselves.</summary>
    public required bool IsByStranger { get; init; }

    public AskState State { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public ClientId Client => new(Wish.Client);

    /// <summary>What stands in addresses; knowing it opens nothing.</summary>
    public string Name => Id.Value[GrantId.Prefix.Length..];

    public bool IsFor(Caller caller) =>
        Subject == caller.Subject && (Session is null || Session == caller.Session);

    public bool IsOver(DateTimeOffset now) => ExpiresAt <= now;
}
