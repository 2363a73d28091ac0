using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Proofs;

namespace Postern.AspNetCore.Challenges;

/// <summary>
/// The <c>WWW-Authenticate</c> challenge (RFC 6750 §3) that leads a client to the metadata of the resource (RFC 9728
/// §5.1), and beside it the one that says which proofs are taken (RFC 9449 §7.1).
/// </summary>
/// <param name="ResourceMetadata">The URL of the metadata document.</param>
public sealed record BearerChallenge(string ResourceMetadata)
{
    /// <summary>The status to answer with: 401, or 400, 403 or 503.</summary>
    public int Status { get; private init; } = StatusCodes.Status401Unauthorized;

    /// <summary>The <c>error</c> code; null when the request carried no token (RFC 6750 §3.1).</summary>
    public string? Error { get; private init; }

    /// <summary>The <c>error_description</c>, for the developer of the client.</summary>
    public string? ErrorDescription { get; private init; }

    /// <summary>The request used the scheme DPoP: the error is told in that challenge.</summary>
    public bool IsDpop { get; private init; }

    /// <summary>What the answer says in <c>DPoP-Nonce</c>; null to say nothing.</summary>
    public string? Nonce { get; private init; }

    /// <summary>All scopes that the operation needs, with one space between; null to say nothing about it.</summary>
    public string? Scope { get; init; }

    /// <summary>How the person must have signed in (RFC 9470 §3); null to say nothing about it.</summary>
    public SignInDemand? SignIn { get; private init; }

    /// <summary>The answer to a request without a token, or with one that was refused.</summary>
    /// <param name="refusal">The refusal; null when there was no token.</param>
    /// <param name="resourceMetadata">The URL of the metadata document.</param>
    /// <param name="scope">All scopes that the operation needs, with one space between.</param>
    public static BearerChallenge For(TokenRefusal? refusal, string resourceMetadata, string? scope = null) =>
        new(resourceMetadata)
        {
            Status = refusal?.Status ?? StatusCodes.Status401Unauthorized,
            Error = refusal?.Code,
            ErrorDescription = refusal?.Description,
            IsDpop = refusal?.IsDpop is true,
            Nonce = refusal?.Nonce,
            Scope = scope,
        };

    /// <summary>
    /// The answer, 403, to a good token that lacks scopes: the client may ask for these and try again.
    /// </summary>
    /// <param name="scope">All scopes that the operation needs, with one space between, those included that it
    /// has.</param>
    /// <param name="resourceMetadata">The URL of the metadata document.</param>
    public static BearerChallenge InsufficientScope(string scope, string resourceMetadata) => new(resourceMetadata)
    {
        Status = StatusCodes.Status403Forbidden,
        Error = "insufficient_scope",
        ErrorDescription = "The access token lacks a scope that this operation needs.",
        Scope = scope,
    };

    /// <summary>
    /// The answer, 401, to a good token whose person did not sign in strongly or lately enough: the client may have
    /// them sign in again and come back with the token that brings (RFC 9470 §3).
    /// </summary>
    /// <param name="demand">What is needed.</param>
    /// <param name="resourceMetadata">The URL of the metadata document.</param>
    /// <param name="scope">All scopes that the operation needs, with one space between.</param>
    /// <param name="isDpop">The request used the scheme DPoP.</param>
    public static BearerChallenge InsufficientUserAuthentication(
        SignInDemand demand, string resourceMetadata, string? scope = null, bool isDpop = false) =>
        new(resourceMetadata)
        {
            Error = "insufficient_user_authentication",
            ErrorDescription = "The person must sign in again, more strongly or more lately, for this.",
            SignIn = demand,
            Scope = scope,
            IsDpop = isDpop,
        };

    /// <summary>Sets status and header of the answer. It writes no body.</summary>
    public void WriteTo(HttpResponse response)
    {
        response.StatusCode = Status;
        response.Headers.CacheControl = "no-store";
        if (Status is StatusCodes.Status503ServiceUnavailable)
        {
            // It is not the token's fault: a challenge would make the client throw a good token away.
            response.Headers.RetryAfter = "5";
            return;
        }

        response.Headers.Append(HeaderNames.WWWAuthenticate, ToString());
        if (Nonce is not null)
        {
            response.Headers[RequestValidator.NonceHeader] = Nonce;
        }
    }

    /// <summary>The value of the header. Bearer comes first: some clients read no further.</summary>
    public override string ToString()
    {
        (string, string?)[] error =
        [
            ("error", Error),
            ("error_description", ErrorDescription),
            ("acr_values", SignIn is null ? null : string.Join(' ', SignIn.AcrValues)),
            ("max_age", SignIn?.MaxAge is { } age ? $"{(long)age.TotalSeconds}" : null),
        ];
        (string, string?)[] bearer = [("scope", Scope), ("resource_metadata", ResourceMetadata)];
        (string, string?)[] proof = [("algs", string.Join(' ', ProofValidator.Algorithms))];
        return IsDpop
            ? $"Bearer {Parameters(bearer)}, DPoP {Parameters([.. error, .. proof])}"
            : $"Bearer {Parameters([.. error, .. bearer])}, DPoP {Parameters(proof)}";
    }

    private static string Parameters((string Name, string? Value)[] parameters) => string.Join(
        ", ",
        parameters.Where(parameter => parameter.Value is not (null or ""))
            .Select(parameter => $"{parameter.Name}=\"{Quote(parameter.Value!)}\""));

    // RFC 9110 §5.6.4. A control character, which could end the header, or one beyond ASCII becomes a question mark.
    private static string Quote(string value) => string.Concat(value.Select(c => c switch
    {
        '"' or '\\' => $"\\{c}",
        >= ' ' and <= '~' => c.ToString(),
        _ => "?",
    }));
}
