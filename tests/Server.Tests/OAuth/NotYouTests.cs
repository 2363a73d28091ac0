using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Postern.Tests.Identity;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.OAuth;

/// <summary>
/// Somebody is asked in another person's place: they take the question over, and nobody else can make them.
/// </summary>
public sealed class NotYouTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private TestServer server = null!;
    private Person ada = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(App.Town);
        ada = new(server);
        await ada.SignInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Who_is_asked_in_anothers_place_signs_in_and_is_asked_the_same()
    {
        var app = App.Web(server);
        var (address, fields) = (await ada.AskedAsync(app.Authorize())).NotYou();
        var session = ada.Cookie("postern_session")!;

        using var left = await ada.SendAsync(address, fields);
        using var bob = new Person(server.Issuer, server.Http.BaseAddress!, Person.Bob, like: ada);
        var question = await bob.AskedAsync(left.Headers.Location!.OriginalString);
        var answer = new Answer((await bob.AnswerAsync(question, "allow")).Left!);

        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(answer.Code)).Status);
        Assert.Single(await Grants.OfAsync(server, Person.Bob));
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
        Assert.Contains(Person.Bob, question.Page.Body!.TextContent);
        Assert.False(await IsInAsync(session));
    }

    [Fact]
    public async Task What_the_first_person_left_open_is_not_answered_in_the_name_of_the_second()
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        var (address, fields) = question.NotYou();
        (await ada.SendAsync(address, fields)).Dispose();
        using var bob = new Person(server.Issuer, server.Http.BaseAddress!, Person.Bob, like: ada);
        await bob.SignInAsync();

        using var answer = await bob.PostAsync(question, "allow");
        using var again = await bob.SendAsync(address, fields);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, again.StatusCode);
        Assert.True(await IsInAsync(bob.Cookie("postern_session")!));
        Assert.Empty(await Grants.OfAsync(server, Person.Bob));
    }

    [Theory]
    [InlineData("no origin")]
    [InlineData("another origin")]
    [InlineData("null origin")]
    [InlineData("no token")]
    [InlineData("the token of the answer")]
    [InlineData("altered token")]
    public async Task A_form_that_our_page_did_not_send_signs_nobody_out(string what)
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        var (address, fields) = question.NotYou();
        var origin = what switch
        {
            "no origin" => null,
            "another origin" => "https://evil.example",
            "null origin" => "null",
            _ => "own",
        };
        fields["form"] = what switch
        {
            "no token" => [""],
            "the token of the answer" => question.Fields()["form"],
            "altered token" => [ConsentTests.Altered(fields["form"][0])],
            _ => fields["form"],
        };

        using var answer = await ada.SendAsync(address, fields, origin);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.True(await IsInAsync(ada.Cookie("postern_session")!));
    }

    [Fact]
    public async Task A_link_signs_nobody_out()
    {
        var (address, fields) = (await ada.AskedAsync(App.Web(server).Authorize())).NotYou();

        using var answer = await ada.GetAsync($"{address}&form={Uri.EscapeDataString(fields["form"][0])}");

        Assert.NotEqual(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.True(await IsInAsync(ada.Cookie("postern_session")!));
    }

    [Fact]
    public async Task The_form_of_one_browser_does_nothing_in_another()
    {
        using var elsewhere = new Person(server, Person.Bob);
        await elsewhere.SignInAsync();
        var (address, fields) = (await ada.AskedAsync(App.Web(server).Authorize())).NotYou();

        using var answer = await elsewhere.SendAsync(address, fields);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.True(await IsInAsync(ada.Cookie("postern_session")!));
        Assert.True(await IsInAsync(elsewhere.Cookie("postern_session")!));
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example")]
    [InlineData("another browser's")]
    public async Task Only_a_request_of_this_browser_is_gone_on_with(string transaction)
    {
        using var attacker = new Person(server, Person.Bob);
        var theirs = (await attacker.AskedAsync(App.Web(server).Authorize())).Fields()["transaction"][0];
        var (_, fields) = (await ada.AskedAsync(App.Web(server).Authorize())).NotYou();
        var given = transaction is "another browser's" ? theirs : transaction;

        using var answer = await ada.SendAsync($"/signout?transaction={Uri.EscapeDataString(given)}", fields);
        using var page = await ada.GetAsync(answer.Headers.Location!.OriginalString);

        Assert.StartsWith("/signin?transaction=", answer.Headers.Location.OriginalString);
        Assert.Contains("begun in another browser", await page.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Another_site_signs_nobody_out_of_a_real_browser()
    {
        await using var house = new House();
        await house.InitializeAsync();
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        await using var evil = builder.Build();
        evil.MapGet("/", () => Results.Content(
            $"<form method=post action='{house.Address}signout?transaction=x'><button>Win</button></form>",
            "text/html"));
        await evil.StartAsync();
        await using var context = await chromium.ContextAsync(scripts: false);
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{house.Address}signin");
        await page.GetByLabel("Email").FillAsync(House.Email);
        await page.GetByLabel("Password").FillAsync(House.Password);
        await page.GetByText("Sign in", new() { Exact = true }).Last.ClickAsync();
        await page.ArrivesAtAsync("**/me");

        await page.GotoAsync(evil.Urls.Single());
        await page.GetByText("Win").ClickAsync();
        await page.ArrivesAtAsync("**/signin?transaction=x");
        await page.GotoAsync($"{house.Address}me");

        await Microsoft.Playwright.Assertions.Expect(page.GetByText(House.Email)).ToBeVisibleAsync();
    }

    private async Task<bool> IsInAsync(string session)
    {
        using var browser = new Person(server);
        browser.Cookies.Add(new Cookie("postern_session", session, "/", "127.0.0.1"));
        using var answer = await browser.GetAsync("/me");
        return answer.StatusCode is HttpStatusCode.OK;
    }
}
