using Postern.Audit;
using Postern.Grants;
using Postern.Identity.Sessions;
using Postern.Identity.Users;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>Ends all that a person, a client or one copy of a client was let in for.</summary>
internal static class RevocationEndpoint
{
    private const int MaxName = 2000;

    public static void Map(IEndpointRouteBuilder api) => api.MapPost("/revoke", RevokeAsync);

    private static async Task<IResult> RevokeAsync(
        HttpContext http, Dismissal dismissal, UserStore users, TimeProvider clock, CancellationToken stop)
    {
        var began = clock.GetTimestamp();
        if (await StrictBody.ReadAsync(http, ApiJson.Default.WhoseGrants) is not { } asked || !IsOne(asked))
        {
            return Problem.Bad("Send application/json with one of `user` (e-mail address or identifier), `client` and "
                + "`installation`.");
        }

        if (await WhoseAsync(http.Tenant.Id, asked, users, stop) is not { } whose)
        {
            return new Problem(StatusCodes.Status404NotFound, "There is no such person. `postern grant list` shows "
                + "who let something in.");
        }

        var ended = await dismissal.EndAsync(http.Tenant.Id, whose, By.Admin(http, AuditKinds.GrantAllRevoked) with
        {
            Client = asked.Client is { } client ? new(client) : null,
        });
        var took = Math.Round(clock.GetElapsedTime(began).TotalMilliseconds, 1);
        return Results.Json(new RevokedGrants(ended.Grants, ended.Sessions, took), ApiJson.Default.RevokedGrants);
    }

    private static bool IsOne(WhoseGrants asked) =>
        new[] { asked.User, asked.Client, asked.Installation }.OfType<string>().ToList()
            is [{ Length: > 0 and <= MaxName } name]
        && !name.Contains('\0');

    private static async Task<GrantsOf?> WhoseAsync(
        TenantId tenant, WhoseGrants asked, UserStore users, CancellationToken stop)
    {
        if (asked.User is not { } name)
        {
            return asked.Client is { } client
                ? new GrantsOf.Client(new(client))
                : new GrantsOf.Copy(new(asked.Installation!));
        }

        var user = await users.FindByEmailAsync(tenant, name, stop) ?? await users.FindAsync(tenant, new(name), stop);
        return user is null ? null : new GrantsOf.Person(user.Id);
    }
}
