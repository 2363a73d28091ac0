using System.Text.Json;
using Postern.AspNetCore.AccessTokens;
using Postern.Audit;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;
using Postern.Platform.Configuration;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Token;

/// <summary>
/// Transaction tokens: what a resource server hands on inside its trust domain instead of the token that was sent to
/// it. One says for whom, what for and in which circumstances, for a minute, and opens nothing outside.
/// </summary>
internal sealed class TransactionTokens(
    Settings settings, TenantBook tenants, OwnTokens tokens, AccessTokenWriter writer, TimeProvider clock)
{
    public const string TokenType = "urn:ietf:params:oauth:token-type:txn_token";

    private const string Type = "txntoken+jwt";
    private const int MaxContext = 4000, MaxDepth = 8;

    private static readonly TimeSpan Life = TimeSpan.FromMinutes(1);

    public async ValueTask<Result<Redemption>> RedeemAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        if (Refusal(request, presenter.Tenant) is { } refusal)
        {
            return refusal;
        }

        if (await SubjectAsync(request, presenter, stop) is not { Token: var subject, Grant: var grant })
        {
            return OAuthError.InvalidRequest("The subject_token is not one that was sent to this resource.");
        }

        if (!request.Scopes!.IsWithin(Scopes.Of(subject.Scopes)))
        {
            return OAuthError.InvalidScope("The subject_token does not hold all of these scopes.");
        }

        var reach = TokenReach.Of(grant, subject);
        return (request.Details is { } asked ? reach.Within(asked) : reach) is { } held
            ? new Redemption(grant, null)
            {
                EntryKind = AuditKinds.TokenExchanged,
                IssuedTokenType = TokenType,
                Statement = StatementOf(request, presenter, subject, grant, held.Told),
            }
            : DetailCheck.Invalid("The subject_token does not hold all of these.");
    }

    // Whoever took the token at its resource, and nobody else: it is that one's transaction.
    private async ValueTask<Subject?> SubjectAsync(TokenRequest request, Presenter presenter, CancellationToken stop) =>
        request.SubjectTokenType is ExchangeGrant.AccessTokenType
        && await tokens.ReadAsync(presenter.Tenant, request.SubjectToken!, stop) is { } token
        && presenter.Client.Introspects.Contains(token.Audience)
        && (presenter.MayExchange(token) || presenter.MayHandOn(token))
        && await tokens.GrantAsync(presenter.Tenant.Id, token, stop) is { } grant
            ? new(token, grant)
            : null;

    private SignedStatement StatementOf(
        TokenRequest request, Presenter presenter, AccessToken subject, Grant grant, Details? details)
    {
        var left = subject.ExpiresAt - clock.GetUtcNow();
        return new()
        {
            Type = Type,
            Subject = grant.Subject.Value,
            Audience = settings.TrustDomain!,
            Scopes = request.Scopes!,
            Details = details,
            Life = left < Life ? left : Life,
            Claims = json => Write(json, request, presenter, grant),
        };
    }

    private OAuthError? Refusal(TokenRequest request, Tenant tenant) => request switch
    {
        _ when settings.TrustDomain is null || tenant.Id != tenants.Default.Id
            || request.Audience != settings.TrustDomain || request.Resource is not null =>
            OAuthError.InvalidTarget("audience is the trust domain, and there is no resource."),
        { Scopes: null } => OAuthError.InvalidScope("scope says what the transaction is for."),
        { ActorToken: not null } or { ActorTokenType: not null } =>
            OAuthError.InvalidRequest("An actor_token is not taken for a transaction token."),
        _ when !IsObject(request.RequestContext) || !IsObject(request.RequestDetails) =>
            OAuthError.InvalidRequest("request_context and request_details are small JSON objects."),
        _ => null,
    };

    private void Write(Utf8JsonWriter json, TokenRequest request, Presenter presenter, Grant grant)
    {
        json.WriteString("txn"u8, writer.NewId());
        json.WriteString("req_wl"u8, presenter.Client.Id.Value);
        ActingParty.Write(json, grant.Actors);
        Write(json, "tctx", request.RequestDetails);
        Write(json, "rctx", request.RequestContext);
    }

    private static void Write(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null && StrictJson.Read(text, MaxDepth) is { } read)
        {
            json.WritePropertyName(name);
            read.WriteTo(json);
        }
    }

    private static bool IsObject(string? text) =>
        text is null
        || (text.Length <= MaxContext && StrictJson.Read(text, MaxDepth) is { ValueKind: JsonValueKind.Object });

    private sealed record Subject(AccessToken Token, Grant Grant);
}
