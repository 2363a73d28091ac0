namespace Postern.Platform.Http;

/// <summary>
/// Who may come through a route. Every route says so where it is mapped; the start fails when one does not, so a
/// forgotten door is not an open one.
/// </summary>
internal sealed record Door(string Who)
{
    /// <summary>Anybody; the endpoint itself decides what a stranger learns.</summary>
    public const string Anybody = "anybody";

    /// <summary>A person with a browser session, and only from our own pages.</summary>
    public const string Person = "person";

    /// <summary>An administrator with a browser session.</summary>
    public const string Admin = "admin";

    /// <summary>The bearer of a token that the endpoint checks.</summary>
    public const string Token = "token";
}

internal static class Doors
{
    extension<T>(T route)
        where T : IEndpointConventionBuilder
    {
        public T Open() => route.For(Door.Anybody);

        public T For(string who)
        {
            route.Add(builder => builder.Metadata.Add(new Door(who)));
            return route;
        }
    }

    /// <summary>Refuses to start with a route that does not say who may use it.</summary>
    public static void RequireDoors(this WebApplication app)
    {
        var forgotten =
            from source in ((IEndpointRouteBuilder)app).DataSources
            from endpoint in source.Endpoints.OfType<RouteEndpoint>()
            where endpoint.Metadata.GetMetadata<Door>() is null
            select endpoint.RoutePattern.RawText;
        if (forgotten.FirstOrDefault() is { } route)
        {
            throw new InvalidOperationException($"{route} does not say who may use it.");
        }
    }
}
