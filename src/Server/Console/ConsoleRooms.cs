using Postern.Console.Desk;
using Postern.Console.Home;
using Postern.Console.Me;

namespace Postern.Console;

/// <summary>What the plan of the house needs to know of these rooms.</summary>
internal static class ConsoleRooms
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<MePages>();
        services.AddSingleton<DeskPages>();
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        HomeEndpoint.Map(routes);
        MeEndpoint.Map(routes);
        DeskEndpoint.Map(routes);
    }
}
