using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.Console.Home;

/// <summary>The front page.</summary>
internal static class HomeEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/", Show).Open();

    private static IResult Show(HttpContext http, ServerBook servers) => new PageResult<HomePage, HomeView>(new(
        http.Features.Get<Caller>()?.Email,
        [.. servers.All(http.Tenant.Id).Select(server => new HomeServer(server.Title, server.Resource.Value))]));
}
