using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Postern.Identity.Setup;
using Postern.Platform.Tenants;

namespace Postern.Tests.Tenants;

/// <summary>Whoever is in a tenant stays in it: every page, link, form, asset and redirect.</summary>
public sealed class TenantPagesTests
{
    // What leaves the tenant leaves the server; what is ours lies below it.
    [Fact]
    public async Task Every_link_form_and_asset_of_every_page_stays_below_the_tenant()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var acme = await Estate.AddAsync(server, "acme");
        using var ada = acme.Visit();
        await acme.LetInAsync(ada);
        var question = await ada.AskedAsync(acme.Ask);
        using var stranger = acme.Visit();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Queue<(Person Who, string Address)>([
            (ada, "/t/acme"), (ada, "/t/acme/"), (ada, "/t/acme/me"), (ada, "/t/acme/console"), (ada, question.Address),
            (stranger, "/t/acme/signin"), (stranger, "/t/acme/nothing"), (stranger, "/t/acme/setup"),
            (stranger, "/t/acme/authorize"), (stranger, "/t/acme/consent"), (ada, "/t/acme/device"),
        ]);
        while (waiting.TryDequeue(out var next))
        {
            using var answer = await next.Who.GetAsync(next.Address);
            if (answer.Headers.Location is { } location)
            {
                Assert.StartsWith("/t/acme/", location.OriginalString, StringComparison.Ordinal);
                continue;
            }

            foreach (var address in AddressesOf(await answer.Content.ReadAsStringAsync()))
            {
                Assert.True(
                    address.StartsWith("/t/acme/", StringComparison.Ordinal), $"{next.Address} leads to {address}");
                if (seen.Add(address))
                {
                    waiting.Enqueue((ada, address));
                }
            }
        }

        Assert.Contains("/t/acme/me", seen);
        Assert.Contains("/t/acme/console/log", seen);
        Assert.Contains("/t/acme/signout", seen.Select(address => address.Split('?')[0]));
        Assert.Contains(seen, address => address.StartsWith("/t/acme/assets/postern.", StringComparison.Ordinal));
    }

    // Also those that nobody has thought of here: pages are doors that answer a browser's GET.
    [Fact]
    public async Task Every_door_sends_a_browser_nowhere_but_below_the_tenant()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var acme = await Estate.AddAsync(server, "acme");
        var paths = server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Contains("GET") is true)
            .Select(route => Regex.Replace(route.RoutePattern.RawText!, @"\{[^}]*\}", "x"))
            .Where(path => !path.StartsWith("/.well-known/", StringComparison.Ordinal));
        foreach (var path in paths)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
            request.Headers.Accept.ParseAdd("text/html");
            using var answer = await acme.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.NotEqual(HttpStatusCode.InternalServerError, answer.StatusCode);
            if (answer.Headers.Location is { } location)
            {
                Assert.StartsWith("/t/acme/", location.OriginalString, StringComparison.Ordinal);
            }

            if (answer.Content.Headers.ContentType?.MediaType is "text/html")
            {
                Assert.All(
                    AddressesOf(await answer.Content.ReadAsStringAsync()),
                    address => Assert.StartsWith("/t/acme/", address, StringComparison.Ordinal));
            }

            foreach (var cookie in answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : [])
            {
                Assert.Contains($"_{acme.Tenant.Id}=", cookie);
            }
        }
    }

    [Fact]
    public async Task The_first_administrator_of_a_tenant_runs_that_tenant_and_nothing_else()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        var tenant = (await server.Get<TenantBook>().AddAsync(new() { Name = "cub" }, (_, _) => { }, default))!;
        var link = (await server.Get<SetupLinks>().OfferAsync(tenant, default))!;
        using var ada = new Person(server);
        var stop = await ada.OpenAsync(link);
        var fields = stop.Page!.QuerySelectorAll("form input").ToDictionary(
            input => input.GetAttribute("name")!,
            input => new List<string> { input.GetAttribute("value") ?? "" });
        (fields["email"], fields["password"]) = ([Person.Ada], [Person.AdasPassword]);

        using var made = await ada.SendAsync("/t/cub/setup", fields);

        Assert.Equal("/t/cub/console", made.Headers.Location?.OriginalString);
        using var console = await ada.GetAsync("/t/cub/console");
        Assert.Contains(tenant.Issuer, await console.Content.ReadAsStringAsync());
        using var clients = await ada.GetAsync("/t/cub/console/clients");
        Assert.DoesNotContain("by the configuration", await clients.Content.ReadAsStringAsync());
        using var root = await ada.GetAsync("/console");
        Assert.Equal("/signin?to=console", root.Headers.Location?.OriginalString);
        Assert.Null(await server.Get<SetupLinks>().OfferAsync(tenant, default));
    }

    private static IEnumerable<string> AddressesOf(string html) =>
        new AngleSharp.Html.Parser.HtmlParser().ParseDocument(html).All
            .SelectMany(element => ((string[])["href", "src", "action", "formaction"]).Select(element.GetAttribute))
            .OfType<string>();
}
