using System.Security.Cryptography;
using Postern.Grants;
using Postern.OAuth.OpenId;
using Postern.OAuth.Requests;
using Postern.Platform.Configuration;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.OAuth.Authorize;

/// <summary>
/// Makes a proposal of a request: a grant that nobody has agreed to yet. Why it does not, its client is told.
/// </summary>
internal sealed class Proposer(
    ServerBook servers, OwnIdTokens hints, Settings settings, TimeProvider clock, RandomNumberGenerator random)
{
    /// <summary>Checks all of a request that can be checked before it is known whom it means.</summary>
    public Result<ValidAuthorizeRequest> Check(Tenant tenant, Arrival.Known known)
    {
        var (request, client) = (known.Request, known.Back.Client);
        if (request.Pushed is null && (client.RequiresPush || settings.RequiresPush))
        {
            return OAuthError.InvalidRequest("The app must push its request (RFC 9126).");
        }

        var server = servers.Meant(tenant.Id, request.Resource);
        var offered = server is null ? Scopes.None : servers.Scopes(server);
        return ValidAuthorizeRequest.Check(request, client, server, offered);
    }

    public async ValueTask<Result<Proposal>> ProposeAsync(
        HttpContext http, Arrival.Known known, ValidAuthorizeRequest valid) =>
        (await MeantAsync(http.Tenant, known, valid)).Failed(out var error, out var meant)
            ? error
            : ProposalOf(http, known, valid) with { Who = meant.Subject };

    // Whom the client means, if it says so: by an ID token it has, or by name.
    private async ValueTask<Result<Meant>> MeantAsync(Tenant tenant, Arrival.Known known, ValidAuthorizeRequest valid)
    {
        if (known.Request.IdTokenHint is not { } text)
        {
            return new Meant(valid.Claims.Subject);
        }

        return await hints.ReadAsync(tenant, text) is { } hint && hint.Client == known.Back.Client.Id.Value
            && (valid.Claims.Subject is null || valid.Claims.Subject == hint.Subject)
            ? new Meant(hint.Subject)
            : OAuthError.InvalidRequest("id_token_hint is no ID token that this client has from here.");
    }

    private Proposal ProposalOf(HttpContext http, Arrival.Known known, ValidAuthorizeRequest valid)
    {
        var (back, pushed, now) = (known.Back, known.Request.Pushed, clock.GetUtcNow());
        return new()
        {
            Id = (pushed ?? GrantId.New(now, random)).Value,
            Client = back.Client.Id.Value,
            ClientName = back.Client.Name,
            RedirectUri = back.Uri,
            Scope = valid.Scopes.ToString(),
            Resource = valid.Server?.Resource.Value ?? http.Tenant.UserInfo,
            Details = valid.Details,
            IsPushed = pushed is not null,
            Session = http.Features.Get<Caller>()?.Session,
            State = back.Way.State,
            ResponseMode = back.Way.Mode,
            Challenge = valid.Challenge,
            Binding = valid.Binding,
            // Nobody is signed in twice in one browser, so to select an account is to sign in. No time ago is never.
            NeedsFreshSignIn =
                valid.Prompt.Contains("login") || valid.Prompt.Contains("select_account") || valid.MaxAge is 0,
            NeedsConsent = valid.Prompt.Contains("consent"),
            MaxAge = valid.MaxAge,
            AcrValues = valid.AcrValues,
            LoginHint = valid.LoginHint,
            Nonce = valid.Nonce,
            Claims = valid.Claims.Wanted,
            CreatedAt = now.ToUnixTimeSeconds(),
        };
    }

    private sealed record Meant(string? Subject);
}
