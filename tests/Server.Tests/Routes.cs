using Microsoft.AspNetCore.Routing;
using Postern.Platform.Http;

namespace Postern.Tests;

/// <summary>Every route that a server has.</summary>
/// <param name="Method">The verb; <c>*</c> for all.</param>
/// <param name="Path">The pattern.</param>
/// <param name="Who">Who may use it, in the words of its door.</param>
internal sealed record Route(string Method, string Path, string Who)
{
    public static IEnumerable<Route> Of(TestServer server) =>
        from endpoint in server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let who = endpoint.Metadata.GetMetadata<Door>()!.Who
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["*"]
        select new Route(method, endpoint.RoutePattern.RawText!, who);
}
