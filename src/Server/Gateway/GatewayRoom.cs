using Postern.Gateway.Notes;
using Postern.Gateway.Protect;
using Postern.Gateway.Relay;
using Postern.Gateway.Sessions;

namespace Postern.Gateway;

/// <summary>What the program must know of this room.</summary>
internal static class GatewayRoom
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<Gatekeeper>();
        services.AddSingleton<ToolGate>();
        services.AddSingleton<TransactionStamps>();
        services.AddSingleton<NoteStore>();
        services.AddSingleton<NoteTools>();
        services.AddSingleton<Upstreams>();
        services.AddSingleton<OwnLines>();
        services.AddSingleton<TaskOwners>();
        services.AddSingleton<GrantWatch>();
        services.AddSingleton<Catalogues>();
        services.AddHostedService(all => all.GetRequiredService<Catalogues>());
        services.AddSingleton<RequestStates>();
        services.AddSingleton<ParkedCalls>();
        services.AddSingleton<Questions>();
        services.AddSingleton<Delivery>();
        services.AddSingleton<RoundTrips>();
        services.AddSingleton<Interruptions>();
        services.AddSingleton<Announcements>();
        services.AddSingleton<Conversation>();
        services.AddSingleton<SessionBook>();
        services.AddSingleton<SessionGreeter>();
        services.AddSingleton<SessionDesk>();
        services.AddSingleton<Errand>();
        services.AddSingleton<McpEndpoint>();
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        // Other nodes have clients whose sessions go with their server, also where nobody has come yet.
        _ = routes.ServiceProvider.GetRequiredService<SessionBook>();
        MetadataEndpoint.Map(routes);
        McpEndpoint.Map(routes);
    }
}
