using Postern.Audit;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Http;

namespace Postern.OAuth.Revoke;

/// <summary>
/// RFC 7009: a client hands a token back. A refresh token ends its grant; an access token ends alone.
/// </summary>
internal sealed class RevokeEndpoint(
    ClientAuthenticator clients, OwnTokens tokens, RefreshTokens texts, GrantBook grants, RevokedTokens revoked)
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/revoke", (HttpRequest http, RevokeEndpoint revoke, CancellationToken stop) =>
            revoke.RevokeAsync(http, stop))
        .Open().AnyOrigin().AtBoth();

    private async Task<IResult> RevokeAsync(HttpRequest http, CancellationToken stop)
    {
        if ((await Form.ReadAsync(http, stop)).Failed(out var error, out var form)
            || (await clients.AuthenticateAsync(http, form, stop)).Failed(out error, out var presenter))
        {
            return error.ToHttp();
        }

        // token_type_hint is not needed: the forms cannot be mistaken for one another.
        if (form["token"] is not { } token)
        {
            return OAuthError.InvalidRequest("token is missing.").ToHttp();
        }

        var (tenant, client) = (presenter.Tenant, presenter.Client);
        // §2.2: an unknown token is answered like a revoked one. So, by our choice, is another client's (§2.1 would
        // refuse it aloud): the answer must not tell whether a token exists.
        var entry = new AuditEntry
        {
            Tenant = tenant.Id,
            Kind = AuditKinds.TokenRevoked,
            Client = client.Id,
            Reason = "handed back by the client",
            Network = presenter.Network,
        };
        if (texts.Parse(tenant.Id, token) is { } presented)
        {
            await EndGrantAsync(presented.Grant, presenter, entry, stop);
        }
        else if (await tokens.ReadAsync(tenant, token, stop) is { } access && access.ClientId == client.Id.Value)
        {
            await revoked.AddAsync(
                tenant.Id, access.Id, access.Audience, access.ExpiresAt, entry with { TokenId = access.Id });
        }

        return Results.Ok();
    }

    private async ValueTask EndGrantAsync(GrantId id, Presenter presenter, AuditEntry entry, CancellationToken stop)
    {
        if (await grants.FindAsync(presenter.Tenant.Id, id, stop) is { } grant
            && grant.Client == presenter.Client.Id)
        {
            await grants.RevokeAsync(grant, entry with { Kind = AuditKinds.GrantRevoked, User = grant.Subject });
        }
    }
}
