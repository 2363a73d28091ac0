using System.Text.Json;
using Postern.Audit;
using Postern.Grants;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.OAuth.Requests;
using Postern.Platform.Configuration;

namespace Postern.OAuth.Token;

/// <summary>
/// Tells an authorization server elsewhere who a person is, for one client there (ID-JAG, the part of the identity
/// provider): where the configuration allows it, for minutes, and never as a token that is good here.
/// </summary>
internal sealed class IdentityAssertions(
    TrustedIssuers issuers,
    OwnIdTokens tokens,
    RefreshTokens texts,
    Families families,
    GrantBook grants,
    UserStore users,
    Subjects subjects,
    TimeProvider clock)
{
    public const string
        TokenType = "urn:ietf:params:oauth:token-type:id-jag",
        IdTokenType = "urn:ietf:params:oauth:token-type:id_token",
        RefreshTokenType = "urn:ietf:params:oauth:token-type:refresh_token";

    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    public async ValueTask<Result<Redemption>> RedeemAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        if (TargetOf(request, presenter).Failed(out var error, out var target)
            || (await SubjectAsync(request, presenter, stop)).Failed(out error, out var grant))
        {
            return error;
        }

        return await users.FindAsync(grant.Tenant, grant.Subject, stop) is { DisabledAt: null } person
            ? new Redemption(grant, null)
            {
                EntryKind = AuditKinds.TokenExchanged,
                IssuedTokenType = TokenType,
                Statement = new()
                {
                    Type = TrustedIssuers.IdJag,
                    // To who knows people by names of its own, nothing is told by which they are known elsewhere.
                    Subject = await subjects.OfAsync(grant.Tenant, presenter.Client, grant.Subject, stop),
                    Audience = target.Audience.Issuer,
                    Scopes = target.Scopes,
                    Details = request.Details,
                    Life = Life,
                    Claims = json => Write(json, presenter, target, grant, person),
                },
            }
            : OAuthError.InvalidGrant("the person is shut out");
    }

    private static void Write(Utf8JsonWriter json, Presenter presenter, Target target, Grant grant, User person)
    {
        json.WriteString("client_id"u8, target.Audience.Clients[presenter.Client.Id.Value]);
        json.WriteString("resource"u8, target.Resource);
        if (target.Audience.TellsEmail)
        {
            json.WriteString("email"u8, person.Email);
            // Of an address that nobody here knows to be theirs nothing is said: whoever takes our word decides.
            if (person.IsEmailVerified)
            {
                json.WriteBoolean("email_verified"u8, true);
            }
        }

        if (grant.AuthTime is { } time)
        {
            json.WriteNumber("auth_time"u8, time.ToUnixTimeSeconds());
        }

        // Whoever proves a key here must prove it there.
        Holder.Write(json, presenter.Holder);
    }

    private Result<Target> TargetOf(TokenRequest request, Presenter presenter)
    {
        if (request.ActorToken is not null || request.ActorTokenType is not null)
        {
            return OAuthError.InvalidRequest("An actor_token is not taken for an ID-JAG.");
        }

        if (AudienceOf(request, presenter) is not { } audience
            || ResourceOf(request, audience) is not { } resource)
        {
            return OAuthError.InvalidTarget("This client may not ask for that audience and resource.");
        }

        var most = Scopes.Of(audience.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        if (request.Scopes is { } asked && !asked.IsWithin(most))
        {
            return OAuthError.InvalidScope("That audience is not told of all these scopes.");
        }

        // Tools there, which narrow the scopes that an operator lets be told. More than those nobody here can give.
        return request.Details is { } said && !said.All.All(one => IsAbout(one, resource))
            ? DetailCheck.Invalid("Details are told of tools, at the one resource that is asked for.")
            : new Target(audience, resource, request.Scopes ?? most);
    }

    private static bool IsAbout(Detail detail, string resource) =>
        detail.Actions is not null && detail.Limits["locations"] is Limit.Texts { Values: [var place] }
        && place == resource;

    private AssertionAudienceSeed? AudienceOf(TokenRequest request, Presenter presenter) =>
        issuers.Audiences(presenter.Tenant.Id).FirstOrDefault(audience =>
            // As resources are compared: clients add a slash to a bare origin.
            Resource.TryParse(request.Audience, out var asked) && asked.Value == audience.Issuer
            && audience.Clients.ContainsKey(presenter.Client.Id.Value));

    private static string? ResourceOf(TokenRequest request, AssertionAudienceSeed audience) =>
        (request.Resource?.Value, audience.Resources) switch
        {
            (null, [var only]) => only,
            ({ } asked, var known) when known.Contains(asked) => asked,
            _ => null,
        };

    private async ValueTask<Result<Grant>> SubjectAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        var grant = request.SubjectTokenType switch
        {
            RefreshTokenType => await OfRefreshTokenAsync(request.SubjectToken!, presenter, stop),
            IdTokenType => await OfIdTokenAsync(request.SubjectToken!, presenter, stop),
            _ => null,
        };
        if (grant is not null)
        {
            return grant;
        }

        return request.SubjectTokenType is RefreshTokenType or IdTokenType
            ? OAuthError.InvalidGrant("subject token: unknown, over, or another client's")
            : OAuthError.InvalidRequest("For an ID-JAG the subject_token is an ID token or a refresh token.");
    }

    // As in a refresh: ours, this client's, the newest of its line, and its grant stands. It is not used up.
    private async ValueTask<Grant?> OfRefreshTokenAsync(string text, Presenter presenter, CancellationToken stop) =>
        texts.Parse(presenter.Tenant.Id, text) is { Generation: > 0 } shown
        && await grants.FindAsync(presenter.Tenant.Id, shown.Grant, stop) is { IsOwn: false, Actors: [] } grant
        && grant.Client == presenter.Client.Id
        && grant.IsLive(clock.GetUtcNow())
        && await families.IsNewestAsync(grant, shown.Generation, stop, presenter.HandFor("", null))
            ? grant
            : null;

    // It says who signed in at this client; what stands behind it is that the person still lets that client in, by what
    // they agreed to in the session that it names.
    private async ValueTask<Grant?> OfIdTokenAsync(string text, Presenter presenter, CancellationToken stop)
    {
        var (tenant, client) = (presenter.Tenant, presenter.Client);
        return await tokens.ReadAsync(tenant, text) is { Sid: { } sid, IsOver: false } token
            && token.Client == client.Id.Value
            && await grants.OfSidAsync(tenant.Id, client.Id, sid, stop) is { } grant
            && await subjects.OfAsync(tenant.Id, client, grant.Subject, stop) == token.Subject
                ? grant
                : null;
    }

    /// <summary>Who elsewhere is told, of which resource there, and of how much.</summary>
    private sealed record Target(AssertionAudienceSeed Audience, string Resource, Scopes Scopes);
}
