using Postern.Audit;
using Postern.Grants;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>The grants that are not over, newest first, and the way to end one.</summary>
internal static class GrantsEndpoint
{
    private const string List = "grants";
    private const int DefaultLimit = 50, IdLength = 35;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/grants", ListAsync);
        api.MapDelete("/grants/{id}", RevokeAsync);
    }

    private static async Task<IResult> ListAsync(
        HttpContext http, GrantBook grants, Cursors cursors, Names names, CancellationToken stop)
    {
        var query = http.Request.Query;
        if (Query.Refuse(query, "cursor", "limit") is { } problem)
        {
            return problem;
        }

        if (Query.Number(query, "limit", DefaultLimit, 1, GrantStore.Page) is not { } limit)
        {
            return Problem.Bad($"`limit` must be a number from 1 to {GrantStore.Page}.");
        }

        string? before = null;
        if (query["cursor"] is [{ } cursor] && (before = cursors.Open(http.Tenant.Id, List, cursor)) is null)
        {
            return Problem.Bad("`cursor` must be the `next` of an earlier answer of this list. Leave it out to "
                + "begin anew.");
        }

        var found = await grants.AllAsync(http.Tenant.Id, before, GrantStore.Page, stop);
        var page = found.Take((int)limit).ToList();
        var next = page.Count < found.Count || page.Count is GrantStore.Page
            ? cursors.Seal(http.Tenant.Id, List, page[^1].Grant.Id.Value)
            : null;
        var people = await names.OfAsync(
            http.Tenant.Id, page.Where(use => !use.Grant.IsOwn).Select(use => use.Grant.Subject), stop);
        return Results.Json(
            new GrantList([.. page.Select(use => Body(use, people.GetValueOrDefault(use.Grant.Subject)))], next),
            ApiJson.Default.GrantList);
    }

    private static async Task<IResult> RevokeAsync(
        HttpContext http, string id, GrantBook grants, TimeProvider clock, CancellationToken stop)
    {
        var began = clock.GetTimestamp();
        if (id.Length is not IdLength || await grants.FindAsync(http.Tenant.Id, new(id), stop) is not { } grant)
        {
            return new Problem(StatusCodes.Status404NotFound, "There is no such grant. `postern grant list` shows "
                + "those that are not over.");
        }

        var isRevoked = await grants.RevokeAsync(grant, By.Admin(http, AuditKinds.GrantRevoked));
        var took = Math.Round(clock.GetElapsedTime(began).TotalMilliseconds, 1);
        return Results.Json(new RevokedGrant(grant.Id.Value, isRevoked, took), ApiJson.Default.RevokedGrant);
    }

    private static GrantBody Body(GrantUse use, string? email) => new(
        use.Grant.Id.Value,
        use.Grant.Subject.Value,
        email,
        use.Grant.Client.Value,
        use.Grant.ClientName,
        use.Grant.InstallationName,
        use.Grant.Installation?.Value,
        use.Grant.Resource.Value,
        use.Grant.Scopes.ToString(),
        use.Grant.Tools,
        use.Grant.CreatedAt,
        use.Grant.ExpiresAt,
        use.UsedAt,
        use.Grant.Parent?.Value,
        use.Grant.Actors.Count is 0 ? null : [.. use.Grant.Actors.Select(actor => actor.Subject)]);
}
