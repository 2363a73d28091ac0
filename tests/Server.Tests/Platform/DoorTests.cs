using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Postern.Platform.Http;

namespace Postern.Tests.Platform;

/// <summary>Every route says who may come in, and what it says is what happens.</summary>
public sealed class DoorTests
{
    [Fact]
    public void A_route_that_does_not_say_who_may_use_it_ends_the_start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRouting();
        var app = builder.Build();
        app.MapGet("/said", () => "").Open();
        app.RequireDoors();
        app.MapGet("/forgotten", () => "");

        var failure = Assert.Throws<InvalidOperationException>(app.RequireDoors);

        Assert.Contains("/forgotten", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_stranger_comes_through_a_door_that_is_not_for_everybody()
    {
        await using var server = await TestServer.StartAsync();
        var doors =
            from endpoint in server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            let door = endpoint.Metadata.GetMetadata<Door>()!
            where door != Door.Anybody && door != Door.Token
            from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET", "POST", "PUT"]
            select (door.Who, Method: method, Path: PathOf(endpoint));

        var tried = 0;
        foreach (var (who, method, path) in doors)
        {
            // A body that no handler would accept: none may have read it.
            using var request = new HttpRequestMessage(new(method), new Uri(path, UriKind.Relative));
            request.Content = method is "GET" ? null : new StringContent("{");
            using var answer = await server.Http.SendAsync(request);

            Assert.Equal(Expected(who, method, path), (answer.StatusCode, answer.Headers.Location?.ToString()));
            tried++;
        }

        Assert.InRange(tried, 20, 100);
    }

    private static string PathOf(RouteEndpoint endpoint) =>
        endpoint.RoutePattern.RawText!.Replace("{**rest}", "x", StringComparison.Ordinal) is ['/', .. var rest]
            ? "/" + rest.TrimEnd('/')
            : "/";

    private static (HttpStatusCode Status, string? Leads) Expected(string who, string method, string path) =>
        (who, method, path) switch
        {
            ("administrator's token", _, _) => (HttpStatusCode.Unauthorized, null),
            ("administrator", _, _) => (HttpStatusCode.SeeOther, "/signin?to=console"),
            ("person", _, "/device") => (HttpStatusCode.SeeOther, "/signin?to=device"),
            ("person", "GET", "/consent") => (HttpStatusCode.SeeOther, "/authorize?transaction="),
            ("person", "POST", "/consent") => (HttpStatusCode.BadRequest, null),
            ("person", _, "/i/{name}") => (HttpStatusCode.SeeOther, "/signin?to=ask-%7Bname%7D"),
            ("person", "POST", "/logout/confirm") => (HttpStatusCode.OK, null),
            ("person", "POST", "/signout") => (HttpStatusCode.SeeOther, "/"),
            ("person", _, _) => (HttpStatusCode.SeeOther, "/signin"),
            _ => throw new InvalidOperationException($"Nobody knows what {who} means."),
        };
}
