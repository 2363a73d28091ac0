using Postern.AspNetCore.AccessTokens;
using Postern.Audit;
using Postern.Grants;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>
/// Token exchange (RFC 8693): somebody goes on acting for the subject of a token, within it, and the chain of who acts
/// is written into grant, token and log. To become the subject (impersonation) is not served.
/// </summary>
internal sealed class ExchangeGrant(
    OwnTokens tokens,
    StandingGrants standing,
    Actors actors,
    IdentityAssertions identities,
    TransactionTokens transactions,
    TimeProvider clock) : IGrantType
{
    /// <summary>RFC 8693 §3.</summary>
    public const string AccessTokenType = "urn:ietf:params:oauth:token-type:access_token";

    public string Name => ClientMetadata.TokenExchange;

    public async ValueTask<Result<Redemption>> RedeemAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        if (Refusal(request, presenter.Client) is { } refusal)
        {
            return refusal;
        }

        return request.RequestedTokenType switch
        {
            IdentityAssertions.TokenType => await identities.RedeemAsync(request, presenter, stop),
            TransactionTokens.TokenType => await transactions.RedeemAsync(request, presenter, stop),
            _ => await DelegateAsync(request, presenter, stop),
        };
    }

    private async ValueTask<Result<Redemption>> DelegateAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        if (request.SubjectTokenType is not AccessTokenType)
        {
            return OAuthError.InvalidRequest("Access tokens of this server are exchanged, and no others.");
        }

        if (await tokens.ReadAsync(presenter.Tenant, request.SubjectToken!, stop) is not { } subject
            || await tokens.GrantAsync(presenter.Tenant.Id, subject, stop) is not { } from
            || !IsEntitled(presenter, subject)
            || !presenter.MayExchange(subject))
        {
            // §2.2.2. Another's token, an old one and none look alike.
            return OAuthError.InvalidRequest("The subject_token is not one that this client may exchange.");
        }

        if (TargetOf(request, presenter.Client, from).Failed(out var error, out var target)
            || (await actors.FindAsync(request, presenter, subject, stop)).Failed(out error, out var actor))
        {
            return error;
        }

        var client = presenter.Client;
        var hop = new Hop(
            actor, client.Id, client.Name, target, Scopes.Of(subject.Scopes), request.Scopes, client.ScopeCap)
        {
            Details = request.Details,
        };
        return Delegation.PassOn(TokenReach.Of(from, subject), presenter.Tenant.Issuer, hop)
            .Failed(out error, out var passed)
                ? error
                : await RedemptionAsync(from, passed, subject, stop);
    }

    private async ValueTask<Result<Redemption>> RedemptionAsync(
        Grant from, Grant passed, AccessToken subject, CancellationToken stop) =>
        await standing.PassedOnAsync(from, passed, stop) is { } grant && grant.IsLive(clock.GetUtcNow())
            ? new Redemption(grant, null)
            {
                EntryKind = AuditKinds.TokenExchanged,
                Until = subject.ExpiresAt,
                Ancestors = [.. subject.Ancestors, subject.Id],
                IssuedTokenType = AccessTokenType,
            }
            : OAuthError.InvalidGrant("the delegation was ended, or the grant was passed on too often");

    private static OAuthError? Refusal(TokenRequest request, Client client) => request switch
    {
        _ when client.IsPublic || !client.IsVouchedFor => OAuthError.UnauthorizedClient(
            "Tokens are exchanged by confidential clients that an operator registered."),
        { SubjectToken: null } or { SubjectTokenType: null } =>
            OAuthError.InvalidRequest("subject_token and subject_token_type are needed."),
        {
            RequestedTokenType: not (null or AccessTokenType or IdentityAssertions.TokenType
                or TransactionTokens.TokenType)
        } =>
            OAuthError.InvalidRequest("A token of the requested_token_type is not issued here."),
        _ => null,
    };

    // The one it was given to, the resource it was sent to, or the one whom it names (§4.4).
    private bool IsEntitled(Presenter presenter, AccessToken subject) =>
        subject.ClientId == presenter.Client.Id.Value
        || presenter.Client.Introspects.Contains(subject.Audience)
        || (subject.MayAct is { } named && actors.IsNamed(named, presenter));

    // RFC 8707 §2 and RFC 8693 §2.1: audience is another word for it. Without either, the subject token says where.
    private static Result<Resource> TargetOf(TokenRequest request, Client client, Grant from)
    {
        var target = request.Resource ?? from.Resource;
        if (request.Audience is { } audience)
        {
            if (!Resource.TryParse(audience, out var named) || (request.Resource is { } asked && asked != named))
            {
                return OAuthError.InvalidTarget("audience names the one resource, as resource does.");
            }

            target = named;
        }

        return client.Resources.Contains(target)
            ? target
            : OAuthError.InvalidTarget("This client is not registered to exchange tokens for that resource.");
    }
}
