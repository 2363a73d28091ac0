using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>The software that may ask to be let in, and the issuers whose word counts.</summary>
internal static class ClientsEndpoint
{
    private const string List = "clients";
    private const int Page = 200;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/clients", ListAsync);
        api.MapGet("/identity-providers", ListIssuers);
    }

    // Those that the configuration names stand before those that came by themselves, of which there may be many.
    private static async Task<IResult> ListAsync(
        HttpContext http,
        ClientBook clients,
        ClientStore stored,
        Switches switches,
        AgentBook agents,
        Cursors cursors,
        CancellationToken stop)
    {
        if (Query.Refuse(http.Request.Query, "cursor") is { } problem)
        {
            return problem;
        }

        (DateTimeOffset Since, ClientId Id)? before = null;
        if (http.Request.Query["cursor"] is [{ } cursor])
        {
            if (cursors.Open(http.Tenant.Id, List, cursor)?.Split(' ', 2) is not [var since, var id])
            {
                return Problem.Bad("`cursor` must be the `next` of an earlier answer of this list.");
            }

            before = (DateTimeOffset.FromUnixTimeSeconds(long.Parse(since, null)), new(id));
        }

        var found = await stored.AllAsync(http.Tenant.Id, before, Page + 1, stop);
        var page = found.Take(Page).ToList();
        var next = found.Count > page.Count
            ? cursors.Seal(http.Tenant.Id, List, $"{page[^1].FirstSeen!.Value.ToUnixTimeSeconds()} {page[^1].Id}")
            : null;
        var all = before is null ? clients.Configured(http.Tenant.Id).Concat(page) : page;
        return Results.Json(
            new ClientList([.. all.Select(client => Body(client, http.Tenant.Id, switches, agents))], next),
            ApiJson.Default.ClientList);
    }

    private static IResult ListIssuers(HttpContext http, TrustedIssuers issuers, Switches switches) => Results.Json(
        new IssuerList(
        [
            .. issuers.All(http.Tenant.Id).Select(issuer => new IssuerBody(
                issuer.Name,
                issuer.Kind switch
                {
                    IssuerKind.IdentityProvider => "idp",
                    IssuerKind.AuthorizationServer => "authorization_server",
                    _ => "workload",
                },
                !issuer.IsEnabled
                    || switches.IsOff(new(http.Tenant.Id, PartyKind.IdentityProvider, issuer.Name)))),
        ]),
        ApiJson.Default.IssuerList);

    private static ClientBody Body(Client client, TenantId tenant, Switches switches, AgentBook agents) => new(
        client.Id.Value,
        client.Name,
        client.Source switch
        {
            ClientSource.Configured => "configuration",
            ClientSource.Document => "document",
            _ => "registration",
        },
        client.FirstSeen,
        agents.Of(tenant, client.Id)?.Id,
        switches.WhyOff(tenant, client.Id));
}
