using Postern.Audit;
using Postern.Identity.Sessions;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Http;

namespace Postern.OAuth.Revoke;

/// <summary>
/// draft-parecki-oauth-global-token-revocation: an identity provider or a security tool ends all that a person let in,
/// and their sessions. For clients alone that the configuration says may; asked twice, it answers the same.
/// </summary>
internal sealed class GlobalRevocationEndpoint(
    ClientAuthenticator clients, SubjectIdentifiers subjects, Dismissal dismissal)
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/revoke/person", (HttpRequest http, GlobalRevocationEndpoint revoke, CancellationToken stop) =>
            revoke.RevokeAsync(http, stop))
        .Open();

    private async Task<IResult> RevokeAsync(HttpRequest http, CancellationToken stop)
    {
        if ((await clients.AuthenticateAsync(http, stop)).Failed(out var error, out var presenter))
        {
            return error.ToHttp();
        }

        if (!presenter.Client.MayRevokePeople)
        {
            return new OAuthError("access_denied", "This client may not do that.", StatusCodes.Status403Forbidden)
                .ToHttp();
        }

        if (await JsonBody.ReadAsync(http.HttpContext, SubjectIdentifiers.MaxBytes) is not { } body
            || SubjectIdentifiers.Read(body) is not { } id)
        {
            return OAuthError.InvalidRequest(
                "Send application/json with a sub_id of the format email, opaque or iss_sub (RFC 9493).").ToHttp();
        }

        if (await subjects.FindAsync(presenter.Tenant, id, stop) is not { } whose)
        {
            return new OAuthError("not_found", "Nobody is known by that.", StatusCodes.Status404NotFound).ToHttp();
        }

        // Not with the caller's token: begun, it is done.
        await dismissal.EndAsync(presenter.Tenant.Id, whose, new()
        {
            Tenant = presenter.Tenant.Id,
            Kind = AuditKinds.GrantAllRevoked,
            Client = presenter.Client.Id,
            Reason = "global token revocation",
            Network = presenter.Network,
        });
        http.HttpContext.Response.Headers.CacheControl = "no-store";
        return Results.NoContent();
    }
}
