using Postern.Platform.Http;

namespace Postern.Api;

/// <summary>What the program must know of this room.</summary>
internal static class ApiRoom
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<AdminToken>();
        services.AddSingleton<Cursors>();
        services.AddSingleton<Names>();
        services.AddSingleton<KnownParties>();
        services.AddSingleton<ReadNotes>();
        services.AddSingleton<ServerVetting>();
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        // Made now, so that the file is there when the server says that it is ready.
        var token = routes.ServiceProvider.GetRequiredService<AdminToken>();
        var api = routes.MapGroup("/api").For(AdminDoor.For(token));
        StatusEndpoint.Map(api);
        ServersEndpoint.Map(api);
        HostedEndpoint.Map(api);
        GrantsEndpoint.Map(api);
        RevocationEndpoint.Map(api);
        AuditEndpoint.Map(api);
        KeysEndpoint.Map(api);
        TenantsEndpoint.Map(api);
        SwitchesEndpoint.Map(api);
        ClientsEndpoint.Map(api);
        AgentsEndpoint.Map(api);
        OrganizationsEndpoint.Map(api);
        api.Map("/{**rest}", () => new Problem(StatusCodes.Status404NotFound, "The API has no such route, or not "
            + "with this method."));
    }
}
