using Postern.Audit;
using Postern.Grants.Parties;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>Organizations, and who belongs to them.</summary>
internal static class OrganizationsEndpoint
{
    private const int MaxName = 100;

    private const string
        Shape = "Send application/json with `id` (1 to 40 lower-case letters, digits and hyphens) and, if you like, "
            + "`name`. Each member once, and no others.",
        MemberShape = "Send application/json with `kind` (user, agent or identity_provider), `id` and, if you like, "
            + "`leaves`, true to belong to none any more. Each member once, and no others.";

    private static readonly Problem NotThere = new(
        StatusCodes.Status404NotFound, "There is no such organization. `postern organization list` shows them all.");

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/organizations", ListAsync);
        api.MapPost("/organizations", AddAsync);
        api.MapPost("/organizations/{id}/members", MoveAsync);
    }

    private static async Task<IResult> ListAsync(
        HttpContext http, Organizations organizations, Switches switches, CancellationToken stop) =>
        Results.Json(
            new OrganizationList(
            [
                .. (await organizations.AllAsync(http.Tenant.Id, stop)).Select(one => new OrganizationBody(
                    one.Id, one.Name, one.Members, IsOff(switches, http, one.Id))),
            ]),
            ApiJson.Default.OrganizationList);

    private static async Task<IResult> AddAsync(HttpContext http, Organizations organizations)
    {
        if (await StrictBody.ReadAsync(http, ApiJson.Default.OrganizationToAdd) is not { } asked
            || !ServerSeed.IsName(asked.Id)
            || asked.Name is { } name && (name.Length is 0 or > MaxName || name.Any(char.IsControl)))
        {
            return Problem.Bad(Shape);
        }

        var party = new Party(http.Tenant.Id, PartyKind.Organization, asked.Id);
        var entry = SwitchesEndpoint.Entry(http, party, AuditKinds.OrganizationChanged);
        return await organizations.AddAsync(http.Tenant.Id, asked.Id, asked.Name ?? asked.Id, entry)
            ? Results.Json(
                new OrganizationBody(asked.Id, asked.Name ?? asked.Id, 0, Off: false),
                ApiJson.Default.OrganizationBody,
                statusCode: StatusCodes.Status201Created)
            : new Problem(
                StatusCodes.Status409Conflict, $"The name is taken, or there are {Organizations.Most} of them.");
    }

    private static async Task<IResult> MoveAsync(
        HttpContext http,
        string id,
        Organizations organizations,
        KnownParties known,
        Switches switches,
        CancellationToken stop)
    {
        if (await StrictBody.ReadAsync(http, ApiJson.Default.MemberToMove) is not { } asked
            || Party.KindOf(asked.Kind) is not { } kind
            || kind is PartyKind.Client or PartyKind.Organization)
        {
            return Problem.Bad(MemberShape);
        }

        var here = new Party(http.Tenant.Id, PartyKind.Organization, id);
        if (await known.FindAsync(http.Tenant.Id, PartyKind.Organization, id, stop) is null)
        {
            return NotThere;
        }

        if (await known.FindAsync(http.Tenant.Id, kind, asked.Id, stop) is not { } member)
        {
            return new Problem(StatusCodes.Status404NotFound, "There is nobody of that kind and name here.");
        }

        var entry = SwitchesEndpoint.Entry(http, member, AuditKinds.OrganizationChanged);
        var isMoved = await organizations.MoveAsync(member, here.Id, asked.Leaves, entry);
        // Whoever joins one that is off is off when this is answered.
        await switches.LoadAsync(stop);
        return isMoved
            ? Results.NoContent()
            : new Problem(StatusCodes.Status409Conflict, "It does not belong to this organization.");
    }

    private static bool IsOff(Switches switches, HttpContext http, string id) =>
        switches.IsOff(new(http.Tenant.Id, PartyKind.Organization, id));
}
