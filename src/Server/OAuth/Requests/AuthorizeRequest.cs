using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Requests;

/// <summary>
/// The parameters of an authorization request as they came (RFC 6749 §4.1.1). Nothing here may be believed yet.
/// </summary>
internal sealed record AuthorizeRequest
{
    /// <summary>
    /// Characters of one parameter and of all together, so that the sealed request fits into an address.
    /// </summary>
    public const int MaxValue = 3000, MaxTotal = 5000;

    /// <summary>Characters of a parameter that holds a whole request.</summary>
    public const int MaxWhole = 12_000;

    /// <summary>The parameters that are read.</summary>
    public static readonly FrozenSet<string> Names = FrozenSet.Create(
        StringComparer.Ordinal,
        "authorization_details",
        "client_id",
        "redirect_uri",
        "request",
        "request_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "dpop_jkt",
        "resource",
        "prompt",
        "max_age",
        "acr_values",
        "claims",
        "id_token_hint",
        "login_hint",
        "nonce");

    private AuthorizeRequest()
    {
    }

    public string? ClientId { get; private init; }

    public string? RedirectUri { get; private init; }

    public string? ResponseType { get; private init; }

    public string? ResponseMode { get; private init; }

    public string? Scope { get; private init; }

    public string? State { get; private init; }

    public string? CodeChallenge { get; private init; }

    public string? CodeChallengeMethod { get; private init; }

    /// <summary>The key that the code is to be redeemed with (RFC 9449 §10).</summary>
    public string? DpopJkt { get; private init; }

    /// <summary>What was proven besides a key when it was pushed; null for nothing.</summary>
    public string? PushedBy { get; init; }

    /// <summary>What the code is bound to; null for nothing.</summary>
    public string? Binding => (PushedBy, DpopJkt) switch
    {
        ({ } shown, { } key) => $"{shown} {Holder.OfKey(key)}",
        ({ } shown, null) => shown,
        (null, { } key) => Holder.OfKey(key).ToString(),
        _ => null,
    };

    public string? Resource { get; private init; }

    public string? Prompt { get; private init; }

    public string? MaxAge { get; private init; }

    public string? AcrValues { get; private init; }

    public string? Claims { get; private init; }

    public string? IdTokenHint { get; private init; }

    public string? LoginHint { get; private init; }

    public string? Nonce { get; private init; }

    /// <summary>A request that its client signed (RFC 9101); everything beside it counts for nothing.</summary>
    public string? RequestObject { get; private init; }

    /// <summary>A reference to a request that was pushed (RFC 9126); to any other, none is served.</summary>
    public string? RequestUri { get; private init; }

    /// <summary>
    /// The name of the grant it may become, when it was pushed; null for one that the browser brings.
    /// </summary>
    public GrantId? Pushed { get; private init; }

    /// <summary>Its client signed it.</summary>
    public bool IsSigned { get; private init; }

    /// <summary>Every parameter that is read and has a value, as it came.</summary>
    public required IReadOnlyDictionary<string, string> Values { get; init; }

    /// <summary>What is asked for in more detail than scopes (RFC 9396).</summary>
    public string? Details { get; private init; }

    /// <summary>Asked for more than one resource (RFC 8707 §2 permits it; one grant has one).</summary>
    public bool HasSeveralResources { get; private init; }

    /// <summary>
    /// The same request, whose code is good for who pushed it alone: with this key (RFC 9449 §10.1), by this copy of
    /// the client, with this certificate. Refused when it names another key.
    /// </summary>
    public Result<AuthorizeRequest> BoundTo(Presenter presenter)
    {
        var holder = presenter.Holder is { IsKey: true } proven ? proven : null;
        var shown = presenter.Held.Where(one => one != holder?.ToString()).ToList();
        var bound = shown.Count > 0 ? this with { PushedBy = string.Join(' ', shown) } : this;
        if (holder is null || DpopJkt == holder.Thumbprint)
        {
            return bound;
        }

        return DpopJkt is not null
            ? new OAuthError("invalid_dpop_proof", "dpop_jkt names another key than the proof.")
            : bound with
            {
                DpopJkt = holder.Thumbprint,
                Values = new Dictionary<string, string>(Values) { ["dpop_jkt"] = holder.Thumbprint },
            };
    }

    /// <summary>
    /// Reads each parameter once; a repeated one is shown to the person, since nobody knows yet whom to tell.
    /// </summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="pushed">The name of the grant it may become, when it was pushed.</param>
    /// <param name="isSigned">Its client signed it.</param>
    public static Result<AuthorizeRequest> Parse(
        IEnumerable<KeyValuePair<string, StringValues>> parameters, GrantId? pushed = null, bool isSigned = false)
    {
        if (Read(parameters).Failed(out var error, out var read))
        {
            return error;
        }

        return new AuthorizeRequest
        {
            ClientId = One("client_id"),
            RedirectUri = One("redirect_uri"),
            ResponseType = One("response_type"),
            ResponseMode = One("response_mode"),
            Scope = One("scope"),
            State = One("state"),
            CodeChallenge = One("code_challenge"),
            CodeChallengeMethod = One("code_challenge_method"),
            DpopJkt = One("dpop_jkt"),
            Resource = One("resource"),
            Prompt = One("prompt"),
            MaxAge = One("max_age"),
            AcrValues = One("acr_values"),
            Claims = One("claims"),
            IdTokenHint = One("id_token_hint"),
            LoginHint = One("login_hint"),
            Nonce = One("nonce"),
            RequestObject = One("request"),
            RequestUri = One("request_uri"),
            Pushed = pushed,
            IsSigned = isSigned,
            Values = read.Where(value => Names.Contains(value.Key) && One(value.Key) is not null)
                .ToDictionary(value => value.Key, value => One(value.Key)!, StringComparer.Ordinal),
            Details = One("authorization_details"),
            HasSeveralResources = read.GetValueOrDefault("resource").Distinct(StringComparer.Ordinal).Count() > 1,
        };

        // RFC 6749 §3.1: a parameter without a value counts as left out.
        string? One(string name) => read.GetValueOrDefault(name) is [{ Length: > 0 } value, ..] ? value : null;
    }

    private static Result<Dictionary<string, StringValues>> Read(
        IEnumerable<KeyValuePair<string, StringValues>> parameters)
    {
        var (read, total) = (new Dictionary<string, StringValues>(StringComparer.Ordinal), 0);
        foreach (var (name, values) in parameters)
        {
            var isWhole = name is "request" or "request_uri";
            total += isWhole ? 0 : name.Length + values.Sum(value => value?.Length ?? 0);
            if (values.Any(value => value?.Length > (isWhole ? MaxWhole : MaxValue)) || total > MaxTotal)
            {
                return OAuthError.InvalidRequest("The request is too long.") with { Status = 413 };
            }

            if (values.Count > 1 && name is not "resource")
            {
                return OAuthError.InvalidRequest("The request repeats a parameter.");
            }

            if (!IsWellSpelt(name, values))
            {
                return OAuthError.InvalidRequest("A parameter holds characters that it cannot have.");
            }

            read[name] = values;
        }

        return read;
    }

    // RFC 6749 appendix A: every parameter is printable ASCII, and only such fits the sealed request into an address.
    private static bool IsWellSpelt(string name, StringValues values) =>
        !Names.Contains(name)
        || name is "claims" or "login_hint"
        || !values.Any(value => value.AsSpan().ContainsAnyExceptInRange(' ', '~'));
}
