using Microsoft.AspNetCore.Http.Features;

namespace Postern.Platform.Http;

/// <summary>
/// Who may come through a route, and what everybody else is answered. Every route has one: the start fails when one
/// does not, so a forgotten door is not an open one.
/// </summary>
/// <param name="who">In a word or two, for the list of routes.</param>
/// <param name="turnAway">The answer to one who may not come in; null lets them in.</param>
internal sealed class Door(string who, Func<HttpContext, IResult?> turnAway)
{
    /// <summary>The endpoint itself decides what a stranger learns.</summary>
    public static readonly Door Anybody = new("anybody", _ => null);

    /// <summary>Without the proof its gatekeeper makes of an access token, the endpoint reaches nothing.</summary>
    public static readonly Door Token = new("access token", _ => null);

    /// <summary>A person with a browser session; anybody else signs in.</summary>
    public static readonly Door Person = PersonOr(_ => new SeeOther("/signin"));

    public string Who => who;

    public static Door PersonOr(Func<HttpContext, IResult> stranger) =>
        new("person", http => http.Features.Get<Caller>() is null ? stranger(http) : null);

    public IResult? TurnAway(HttpContext http) => turnAway(http);
}

/// <summary>Of a route that is served at the second address; what lacks it is not there.</summary>
internal sealed record AtBothAddresses
{
    public static readonly AtBothAddresses Mark = new();

    private AtBothAddresses()
    {
    }
}

/// <summary>Asks the door of a route before anything of the request is read.</summary>
internal sealed class Doorkeeper(RequestDelegate next)
{
    // What the router answers of its own (405, 415) is no route and has no door.
    public Task InvokeAsync(HttpContext http) =>
        http.GetEndpoint() is RouteEndpoint route
        && route.Metadata.GetRequiredMetadata<Door>().TurnAway(http) is { } refusal
            ? refusal.ExecuteAsync(http)
            : next(http);
}

internal static class Doors
{
    extension(HttpContext http)
    {
        /// <summary>Who came through a door for people.</summary>
        public Caller Caller => http.Features.GetRequiredFeature<Caller>();
    }

    extension<T>(T route)
        where T : IEndpointConventionBuilder
    {
        public T Open() => route.For(Door.Anybody);

        /// <summary>Clients with certificates come through it at their own address, too (RFC 8705 §5).</summary>
        public T AtBoth()
        {
            route.Add(builder => builder.Metadata.Add(AtBothAddresses.Mark));
            return route;
        }

        public T For(Door door)
        {
            route.Add(builder => builder.Metadata.Add(door));
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
