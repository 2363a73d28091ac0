using Postern.Console.Home;
using Postern.Console.Me;
using Postern.Console.Overview;

namespace Postern.Console;

/// <summary>What the plan of the house needs to know of these rooms.</summary>
internal static class ConsoleRooms
{
    public static void Add(IServiceCollection services) => services.AddSingleton<MePages>();

    public static void Map(IEndpointRouteBuilder routes)
    {
        HomeEndpoint.Map(routes);
        MeEndpoint.Map(routes);
        OverviewEndpoint.Map(routes);
    }
}
