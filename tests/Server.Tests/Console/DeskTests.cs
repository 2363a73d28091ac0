using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Postern.Audit;
using Postern.Grants;
using Postern.Servers;
using Postern.Tests.OAuth;

namespace Postern.Tests.Console;

/// <summary>What operators see, in pages of fifty, and nobody else.</summary>
public sealed class DeskTests
{
    [Theory, OnBoth]
    public async Task Every_grant_stands_on_one_page_of_the_list(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = await InAsync(server);
        foreach (var n in Enumerable.Range(0, 120))
        {
            await GrantAsync(server, $"app {n:000}", new("c_1"));
        }

        var pages = await PagesAsync(ada, "/console/grants");

        Assert.Equal([50, 50, 20], pages.Select(page => page.Count));
        Assert.Equal(
            Enumerable.Range(0, 120).Reverse().Select(n => $"“app {n:000}”"),
            pages.SelectMany(page => page).Select(row => row.Children[1].ChildNodes[0].TextContent.Trim()));
        Assert.All(pages[0], row => Assert.Equal(Person.Ada, row.Children[0].TextContent));
    }

    [Theory, OnBoth]
    public async Task Every_entry_stands_on_one_page_of_the_list(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = await InAsync(server);
        var log = server.Get<AuditLog>();
        while (await log.LastAsync(TenantId.Default, default) < 129)
        {
            await log.WriteAsync(new() { Tenant = TenantId.Default, Kind = AuditKinds.AdminRead });
        }

        var pages = await PagesAsync(ada, "/console/log");

        // The server may have had an entry or two of its own to write.
        var shown = pages.SelectMany(page => page).Select(row => int.Parse(row.Children[0].TextContent)).ToList();
        Assert.InRange(shown.Count, 130, 150);
        Assert.Equal(Enumerable.Range(0, shown.Count).Reverse(), shown);
        Assert.All(pages.SkipLast(1), page => Assert.Equal(50, page.Count));
    }

    [Theory, OnBoth]
    public async Task Clients_say_who_registered_how_and_what_became_of_them(On on)
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town, on);
        using var ada = await InAsync(server);
        var document = new App(server, host.Client("/client.json"), "https://doc.example/cb");
        await ada.AllowAsync(document.Authorize());
        server.Clock.Advance(TimeSpan.FromHours(1));
        var registered = await Registered.Async(server, "https://app.example/cb");
        foreach (var _ in Enumerable.Range(0, 3))
        {
            await ada.AllowAsync(registered.Authorize());
        }

        var book = server.Get<GrantBook>();
        var over = (await OAuth.Grants.OfAsync(server, Person.Ada)).First(grant => grant.Client.Value == registered.Id);
        await book.RevokeAsync(over, new() { Tenant = TenantId.Default, Kind = AuditKinds.GrantRevoked });

        var rows = (await PagesAsync(ada, "/console/clients")).Single().Select(Cells).ToList();

        Assert.Contains("web web|by the configuration|none|always|never|0", rows);
        Assert.Equal($"An app {registered.Id}|by itself|none|2026-11-22 11:15 UTC|2026-11-22 11:15 UTC|2", rows[^2]);
        Assert.Equal(
            $"A document {document.Id}|by its metadata document|127.0.0.1:{host.Port}"
            + "|2026-11-22 10:15 UTC|2026-11-22 10:15 UTC|1",
            rows[^1]);
    }

    [Fact]
    public async Task Agents_say_who_answers_for_them_what_for_and_until_when()
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml);
        using var ada = await InAsync(server);
        await Borough.OffAsync(server, Postern.Grants.Parties.PartyKind.User, Person.Bob);

        var rows = (await PagesAsync(ada, "/console/agents")).Single().Select(Cells).ToList();

        Assert.Equal(2, rows.Count);
        Assert.Contains(
            $"clerk clerk|{Person.Bob}|Files what came in||2027-06-30 00:00 UTC|the agent's owner is switched off",
            rows);
    }

    [Theory, OnBoth]
    public async Task Every_client_stands_on_one_page_of_the_list(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = await InAsync(server);
        // Many of one second: the identifier decides among them.
        foreach (var n in Enumerable.Range(0, 60))
        {
            await server.Db.WriteAsync(async unit => await unit.RunAsync(
                $"""
                insert into clients (tenant, id, source, metadata, created_at, used_at)
                select tenant, {$"c_{n:00}"}, source, metadata, {(long)(1000 + (n / 40))}, used_at from (
                  select {"default"} as tenant, {"dynamic"} as source, {Metadata} as metadata, {0L} as used_at) one
                """));
        }

        var pages = await PagesAsync(ada, "/console/clients");
        var configured = pages[0].Count - 50;

        Assert.Equal(10, pages[1].Count);
        Assert.Equal(
            Enumerable.Range(0, 60).Reverse().Select(n => $"c_{n:00}"),
            pages.SelectMany(page => page).Skip(configured).Select(row => row.QuerySelector("code")!.TextContent));
    }

    [Theory]
    [InlineData("/console")]
    [InlineData("/console/clients")]
    [InlineData("/console/agents")]
    [InlineData("/console/grants")]
    [InlineData("/console/log")]
    public async Task The_desk_is_for_administrators(string path)
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var bob = new Person(server, Person.Bob);
        using var nobody = await bob.GetAsync(path);
        await bob.SignInAsync();
        using var bobs = await bob.GetAsync(path);
        using var ada = await InAsync(server);
        using var adas = await ada.GetAsync(path);

        Assert.Equal("/signin?to=console", nobody.Headers.Location!.OriginalString);
        Assert.Equal(HttpStatusCode.Forbidden, bobs.StatusCode);
        Assert.Equal(HttpStatusCode.OK, adas.StatusCode);
    }

    [Theory, OnBoth]
    public async Task A_place_that_no_link_of_ours_names_is_no_failure(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = await InAsync(server);
        string[] places =
        [
            "", "%00", "-1", "99999999999999999999", "9223372036854775807", "99999999999.x",
            "gr_", "é", new('x', 3000),
        ];
        foreach (var from in places)
        {
            foreach (var list in (string[])["clients", "agents", "grants", "log"])
            {
                using var answer = await ada.GetAsync($"/console/{list}?from={from}");
                Assert.True(answer.StatusCode is HttpStatusCode.OK, $"{list} from {from}: {answer.StatusCode}");
            }
        }
    }

    private const string Metadata =
        """
        {"name":"An app","auth_methods":["none"],
        "redirect_uris":["https://app.example/cb"],"grant_types":["authorization_code"]}
        """;

    private static async Task<Person> InAsync(TestServer server)
    {
        var ada = new Person(server);
        await ada.SignInAsync();
        return ada;
    }

    // Follows the links to the end, as an operator would.
    private static async Task<List<List<IElement>>> PagesAsync(Person person, string path)
    {
        var pages = new List<List<IElement>>();
        for (var next = path; next is not null && pages.Count < 10;)
        {
            using var answer = await person.GetAsync(next);
            var page = new HtmlParser().ParseDocument(await answer.Content.ReadAsStringAsync());
            pages.Add([.. page.QuerySelectorAll("tbody tr")]);
            next = page.QuerySelectorAll(".pager a")
                .FirstOrDefault(link => link.TextContent is "Further")?.GetAttribute("href");
        }

        return pages;
    }

    private static string Cells(IElement row) => string.Join('|', row.Children.Select(cell =>
        Regex.Replace(Regex.Replace(cell.InnerHtml, "<[^>]*>", " "), @"\s+", " ").Trim()));

    private static async Task GrantAsync(TestServer server, string name, ClientId client)
    {
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        var now = server.Clock.GetUtcNow();
        var users = server.Get<Postern.Identity.Users.UserStore>();
        var user = await users.FindByEmailAsync(TenantId.Default, Person.Ada, default);
        await server.Db.WriteAsync(async unit => await GrantBook.AddAsync(unit, new()
        {
            Id = GrantId.New(now, server.Get<RandomNumberGenerator>()),
            Tenant = TenantId.Default,
            Subject = user!.Id,
            IsOwn = false,
            Client = client,
            ClientName = name,
            Resource = server.Get<ServerBook>().Find(TenantId.Default, "echo")!.Resource,
            Scopes = Scopes.Of(Scopes.Read),
            CreatedAt = now,
            ExpiresAt = now.AddDays(30),
        }));
    }
}
