using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;

namespace Postern.OAuth.Token;

/// <summary>The parameters of a token request as they came (RFC 6749 §3.2), well formed and not yet believed.</summary>
internal sealed record TokenRequest
{
    /// <summary>Characters of authorization_details; a token that holds them must stay a header.</summary>
    public const int MaxDetails = 3000;

    private TokenRequest(string grantType) => GrantType = grantType;

    public string GrantType { get; }

    public string? Code { get; private init; }

    public string? CodeVerifier { get; private init; }

    /// <summary>CIBA Core §10.1.</summary>
    public string? AuthReqId { get; private init; }

    /// <summary>How else than at once the client can be answered (draft-ietf-oauth-deferred-token-response).</summary>
    public string? CompletionMode { get; private init; }

    public string? DeferralCode { get; private init; }

    /// <summary>By what the client knows that news of a deferred answer is ours.</summary>
    public string? NotificationToken { get; private init; }

    /// <summary>Whether the client can come back for an answer; words that are not known ask for nothing.</summary>
    public bool CanBeDeferred => CompletionMode?.Split(' ').Contains("deferred") is true;

    /// <summary>RFC 8628 §3.4.</summary>
    public string? DeviceCode { get; private init; }

    public string? RedirectUri { get; private init; }

    public string? RefreshToken { get; private init; }

    public string? Assertion { get; private init; }

    public string? SubjectToken { get; private init; }

    public string? SubjectTokenType { get; private init; }

    public string? ActorToken { get; private init; }

    public string? ActorTokenType { get; private init; }

    public string? RequestedTokenType { get; private init; }

    public string? RequestContext { get; private init; }

    public string? RequestDetails { get; private init; }

    /// <summary>Where the token is to be good, by another name (RFC 8693 §2.1).</summary>
    public string? Audience { get; private init; }

    /// <summary>What is asked for; null for all that the grant holds.</summary>
    public Scopes? Scopes { get; private init; }

    /// <summary>Where the token is to be good; null for where the grant is.</summary>
    public Resource? Resource { get; private init; }

    /// <summary>What the token is to hold of what was granted in detail (RFC 9396 §6); null for all of it.</summary>
    public Details? Details { get; private init; }

    public static Result<TokenRequest> Parse(Form form)
    {
        if (form["grant_type"] is not { } grantType)
        {
            return OAuthError.InvalidRequest("grant_type is missing.");
        }

        if (!Domain.Scopes.TryParse(form["scope"], out var scopes))
        {
            return OAuthError.InvalidScope("scope is a list of scope tokens with single spaces between.");
        }

        Resource? resource = null;
        if (form["resource"] is { } text && !Resource.TryParse(text, out resource))
        {
            return OAuthError.InvalidTarget("resource is an absolute URI without fragment.");
        }

        Details? details = null;
        if (form["authorization_details"] is { } said
            && (said.Length > MaxDetails || (details = Domain.Details.Parse(said)) is null))
        {
            return DetailCheck.Invalid("authorization_details are objects of the types that are served, and few.");
        }

        return new TokenRequest(grantType)
        {
            Code = form["code"],
            CodeVerifier = form["code_verifier"],
            AuthReqId = form["auth_req_id"],
            CompletionMode = form["completion_mode"],
            DeferralCode = form["deferral_code"],
            NotificationToken = form["client_notification_token"],
            DeviceCode = form["device_code"],
            RedirectUri = form["redirect_uri"],
            RefreshToken = form["refresh_token"],
            Assertion = form["assertion"],
            SubjectToken = form["subject_token"],
            SubjectTokenType = form["subject_token_type"],
            ActorToken = form["actor_token"],
            ActorTokenType = form["actor_token_type"],
            RequestedTokenType = form["requested_token_type"],
            RequestContext = form["request_context"],
            RequestDetails = form["request_details"],
            Audience = form["audience"],
            Scopes = scopes.IsEmpty ? null : scopes,
            Resource = resource,
            Details = details,
        };
    }

    /// <summary>
    /// One value for all that may make the tokens of one grant differ: a repeat of a request has the same.
    /// </summary>
    public string Digest => new Secret($"{Scopes}\n{Resource}\n{Details}").Hash();

    /// <summary>The same request, for what it is granted.</summary>
    public TokenRequest For(Scopes granted) => this with { Scopes = granted };

    /// <summary>
    /// What the request asks beyond the grant; null when it stays within (RFC 6749 §6, RFC 8707 §2.2).
    /// </summary>
    public OAuthError? Exceeds(Grant grant)
    {
        if (Resource is not null && Resource != grant.Resource)
        {
            return OAuthError.InvalidTarget("The grant is for another resource.");
        }

        if (Scopes is not null && !Scopes.IsWithin(grant.Scopes))
        {
            return OAuthError.InvalidScope("The grant does not hold all of these scopes.");
        }

        return Details is not null && grant.Within(Details) is null
            ? DetailCheck.Invalid("The grant does not hold all of these, or counts their calls otherwise.")
            : null;
    }
}
