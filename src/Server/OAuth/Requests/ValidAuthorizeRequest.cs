using System.Buffers;
using System.Globalization;
using Postern.OAuth.ClientAuth;
using Postern.Servers;

namespace Postern.OAuth.Requests;

/// <summary>A request that passed every check. Only <see cref="Check"/> makes one: holding one is proof.</summary>
internal sealed record ValidAuthorizeRequest
{
    private static readonly SearchValues<char> Base64UrlCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    // By now client and redirect_uri are proven, so each of these refusals may be redirected (RFC 6749 §4.1.2.1).
    private static readonly Func<AuthorizeRequest, Client, McpServer?, OAuthError?>[] Checks =
    [
        RequestIsItself,          // RFC 9101 §6
        RequestIsSignedIfItMust,  // RFC 9101 §10.5
        ResponseTypeIsCode,       // OAuth 2.1 §4.1.1
        ResponseModeIsServed,     // OAuth 2.0 Multiple Response Types §2.1
        ResponseModeIsTheClients, // FAPI 2.0 Message Signing §5.3.3
        ClientMayUseCodes,        // RFC 6749 §4.1.2.1
        ChallengeIsS256,          // RFC 7636 §4.3
        KeyIsAThumbprint,         // RFC 9449 §10
        ResourceIsServed,         // RFC 8707 §2
        ScopesAreWellFormed,      // RFC 6749 §3.3
        PromptCanBeMet,           // OpenID Connect Core §3.1.2.1
        ClaimsAreWellFormed,      // OpenID Connect Core §5.5
        SignInCanBeAsStrong,      // OpenID Connect Core §5.5.1.1
        MaxAgeIsANumber,          // OpenID Connect Core §3.1.2.1
        DetailsAreUnderstood,     // RFC 9396 §5
        RedirectIsNamed,          // OpenID Connect Core §3.1.2.1, FAPI 2.0 Security Profile §5.3.2.2
    ];

    private ValidAuthorizeRequest()
    {
    }

    public required string Challenge { get; init; }

    /// <summary>What the code is bound to: a key, and what else was proven with it; null for nothing.</summary>
    public required string? Binding { get; init; }

    /// <summary>What is asked for, within what client and server allow.</summary>
    public required Scopes Scopes { get; init; }

    /// <summary>Where it is to work; null when it asks who the person is, and for nothing else.</summary>
    public required McpServer? Server { get; init; }

    /// <summary>What the ID token must repeat.</summary>
    public string? Nonce { get; init; }

    public string? LoginHint { get; init; }

    public required ClaimsRequest Claims { get; init; }

    /// <summary>How strongly the person must have signed in, any of these; empty for no matter.</summary>
    public required IReadOnlyList<string> AcrValues { get; init; }

    /// <summary>Authorization details in their one spelling; null for none.</summary>
    public required string? Details { get; init; }

    public required IReadOnlyList<string> Prompt { get; init; }

    public required long? MaxAge { get; init; }

    /// <param name="request">The request as it came.</param>
    /// <param name="client">The client, known and to be answered.</param>
    /// <param name="server">The server the resource names, or the default; null when there is none.</param>
    /// <param name="offered">The scopes that server has tools for.</param>
    public static Result<ValidAuthorizeRequest> Check(
        AuthorizeRequest request, Client client, McpServer? server, Scopes offered)
    {
        foreach (var check in Checks)
        {
            if (check(request, client, server) is { } error)
            {
                return error;
            }
        }

        var identity = client.NarrowIdentity(Asked(request), isAlone: IsIdentity(request));
        var scopes = IsIdentity(request) ? identity : client.Narrow(Asked(request), offered);
        return scopes.IsEmpty
            ? OAuthError.InvalidScope("None of these scopes is served for this resource and client.")
            : Of(request, client, server, scopes.With(identity));
    }

    /// <summary>It names no server and no right at one: it asks who the person is.</summary>
    public static bool IsIdentity(AuthorizeRequest request) =>
        request is { Resource: null, HasSeveralResources: false }
        && Asked(request) is var asked
        && asked.Has(Scopes.OpenId)
        && !Risks.All.Any(risk => asked.Has(risk.Scope));

    private static ValidAuthorizeRequest Of(
        AuthorizeRequest request, Client client, McpServer? server, Scopes scopes)
    {
        var claims = scopes.Has(Scopes.OpenId) ? ClaimsRequest.Parse(request.Claims)! : ClaimsRequest.None;
        var acr = claims.AcrValues ?? request.AcrValues?.Split(' ') ?? client.OpenId.DefaultAcrValues;
        // What the server will demand at its door is asked of the person at once: not every client understands a
        // challenge (RFC 9470 §3), and the same token would only be refused again.
        var demand = IsIdentity(request) ? null : server?.Demands.Everywhere;
        return new()
        {
            Challenge = request.CodeChallenge!,
            Binding = request.Binding,
            Scopes = scopes,
            Details = DetailCheck.Plain(request.Details),
            Server = IsIdentity(request) ? null : server,
            Prompt = request.Prompt?.Split(' ') ?? [],
            MaxAge = Least(
                request.MaxAge is { } age ? long.Parse(age, CultureInfo.InvariantCulture) : client.OpenId.DefaultMaxAge,
                (long?)demand?.MaxAge?.TotalSeconds),
            Nonce = request.Nonce,
            LoginHint = request.LoginHint,
            Claims = claims with { Wanted = claims.Wanted?.Within(client.ScopeCap ?? Scopes.Identity) },
            AcrValues = Acr.Stricter(
                [.. acr.Where(Acr.All.Contains).Distinct(StringComparer.Ordinal)], demand?.AcrValues ?? []),
        };
    }

    private static long? Least(long? one, long? other) => one is null || other < one ? other ?? one : one;

    private static Scopes Asked(AuthorizeRequest request) =>
        Scopes.TryParse(request.Scope, out var asked) ? asked : Scopes.None;

    // What was pushed or signed has been taken out of its wrapping before.
    private static OAuthError? RequestIsItself(AuthorizeRequest request, Client client, McpServer? server) =>
        request is { RequestUri: not null } or { RequestObject: not null }
            ? new("request_uri_not_supported", "A request_uri is served for requests that were pushed here.")
            : null;

    private static OAuthError? RequestIsSignedIfItMust(AuthorizeRequest request, Client client, McpServer? server) =>
        client.RequiresSignedRequest && !request.IsSigned
            ? OAuthError.InvalidRequest("The app must sign its request (RFC 9101).")
            : null;

    private static OAuthError? ResponseTypeIsCode(AuthorizeRequest request, Client client, McpServer? server) =>
        request.ResponseType switch
        {
            "code" => null,
            null => OAuthError.InvalidRequest("response_type is missing."),
            _ => new("unsupported_response_type", "Only response_type code is served."),
        };

    // A form is posted on the web; an app's own scheme takes an address and nothing else.
    private static OAuthError? ResponseModeIsServed(AuthorizeRequest request, Client client, McpServer? server) =>
        ResponseMode.Parse(request.ResponseMode) is not { } mode
        || (mode.IsForm
            && !(request.RedirectUri ?? client.RedirectUris[0]).StartsWith("http", StringComparison.Ordinal))
            ? OAuthError.InvalidRequest($"response_mode is one of: {string.Join(", ", ClientMetadata.AnswerModes)}.")
            : null;

    private static OAuthError? ResponseModeIsTheClients(AuthorizeRequest request, Client client, McpServer? server) =>
        client.ResponseModes.Count is 0
        || client.ResponseModes.Any(name => ResponseMode.Parse(name) == ResponseMode.Parse(request.ResponseMode))
            ? null
            : OAuthError.InvalidRequest(
                $"response_mode is for this client one of: {string.Join(", ", client.ResponseModes)}.");

    private static OAuthError? ClientMayUseCodes(AuthorizeRequest request, Client client, McpServer? server) =>
        client.GrantTypes.Contains(ClientMetadata.AuthorizationCode)
            ? null
            : OAuthError.UnauthorizedClient("The client is not registered for authorization_code.");

    // A missing method means plain (RFC 7636 §4.3), which is as good as none.
    private static OAuthError? ChallengeIsS256(AuthorizeRequest request, Client client, McpServer? server) =>
        request is { CodeChallenge: { Length: 43 } challenge, CodeChallengeMethod: "S256" }
        && !challenge.AsSpan().ContainsAnyExcept(Base64UrlCharacters)
            ? null
            : OAuthError.InvalidRequest("code_challenge with code_challenge_method S256 is required.");

    private static OAuthError? KeyIsAThumbprint(AuthorizeRequest request, Client client, McpServer? server) =>
        request.DpopJkt is null || Holder.IsThumbprint(request.DpopJkt)
            ? null
            : OAuthError.InvalidRequest("dpop_jkt is the SHA-256 thumbprint of a key.");

    private static OAuthError? ResourceIsServed(AuthorizeRequest request, Client client, McpServer? server) =>
        (request, server) switch
        {
            _ when IsIdentity(request) => null,
            ({ HasSeveralResources: true }, _) => OAuthError.InvalidTarget("Ask for one resource at a time."),
            ({ Resource: null }, null) =>
                OAuthError.InvalidTarget("resource is required: there are several servers here."),
            (_, null) => OAuthError.InvalidTarget(
                "No such resource here; use the one that the protected resource metadata names."),
            _ => null,
        };

    private static OAuthError? ScopesAreWellFormed(AuthorizeRequest request, Client client, McpServer? server) =>
        Scopes.TryParse(request.Scope, out _)
            ? null
            : OAuthError.InvalidScope("scope is a list of scope tokens with single spaces between.");

    // Words that are not known ask for pages that are not there; everybody is asked anew anyway.
    private static OAuthError? PromptCanBeMet(AuthorizeRequest request, Client client, McpServer? server) =>
        request.Prompt?.Split(' ') switch
        {
            // Letting an agent in is always a person's decision, so nothing can happen without one. Who they are may
            // have been told before.
            ["none"] when !IsIdentity(request) => new("interaction_required", "A person must agree."),
            { Length: > 1 } prompts when prompts.Contains("none") =>
                OAuthError.InvalidRequest("prompt none stands alone."),
            _ => null,
        };

    private static OAuthError? ClaimsAreWellFormed(AuthorizeRequest request, Client client, McpServer? server) =>
        ClaimsRequest.Parse(request.Claims) is null
            ? OAuthError.InvalidRequest("claims is a JSON object of claims to tell.")
            : null;

    // What is essential and not known here cannot be met; to pass it over would be to say that it was.
    private static OAuthError? SignInCanBeAsStrong(AuthorizeRequest request, Client client, McpServer? server) =>
        ClaimsRequest.Parse(request.Claims)?.AcrValues is { } essential && !essential.Any(Acr.All.Contains)
            ? new("unmet_authentication_requirements", "None of the acr values that are essential is known here.")
            : null;

    private static OAuthError? MaxAgeIsANumber(AuthorizeRequest request, Client client, McpServer? server) =>
        request.MaxAge is { } age && !long.TryParse(age, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            ? OAuthError.InvalidRequest("max_age is a number of seconds.")
            : null;

    private static OAuthError? RedirectIsNamed(AuthorizeRequest request, Client client, McpServer? server) =>
        (client.IsFapi2 || Asked(request).Has(Scopes.OpenId)) && request.RedirectUri is null
            ? OAuthError.InvalidRequest("redirect_uri is missing.")
            : null;

    private static OAuthError? DetailsAreUnderstood(AuthorizeRequest request, Client client, McpServer? server) =>
        server is null || IsIdentity(request)
            ? DetailCheck.Misplaced(request.Details)
            : DetailCheck.Refusal(request.Details, server);
}
