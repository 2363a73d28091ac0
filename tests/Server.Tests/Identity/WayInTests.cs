using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.Identity;

/// <summary>
/// The whole way of a person in a real browser that runs no script: from the app, through our pages, and back.
/// </summary>
public sealed class WayInTests(House house, Chromium chromium)
    : IClassFixture<House>, IClassFixture<Chromium>, IAsyncLifetime
{
    private WebApplication? program;

    private string Callback => $"{program!.Urls.Single()}/callback";

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        program = builder.Build();
        program.MapGet("/callback", () => Results.Text("You can close this window."));
        // Another site to a browser: its name is the address, ours is localhost.
        program.MapGet("/elsewhere", (string to) => Results.Content(
            $"<form method=post action='{house.Address}authorize'>{Inputs(to)}<button>Go</button></form>",
            "text/html"));
        await program.StartAsync();
    }

    [Theory]
    [InlineData("Allow", "code")]
    [InlineData("Deny", "error")]
    public async Task A_person_signs_in_decides_and_is_back_at_the_program_that_asked(string button, string answer)
    {
        await using var context = await chromium.ContextAsync(scripts: false);
        var page = await context.NewPageAsync();
        await page.GotoAsync(await AuthorizeAsync());

        await Assertions.Expect(page.GetByText("a program on this computer")).ToBeVisibleAsync();
        await SignInAsync(page, House.Email, House.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
        await page.ArrivesAtAsync($"{Callback}*");

        var query = HttpUtility.ParseQueryString(new Uri(page.Url).Query);
        Assert.NotNull(query[answer]);
        Assert.Equal("s", query["state"]);
        Assert.Equal(house.Address.GetLeftPart(UriPartial.Authority), query["iss"]);
    }

    [Theory]
    [InlineData("mcp:read", "*/signin?transaction=*")]
    [InlineData("mcp:none", "**/authorize")]
    public async Task A_request_that_another_site_posts_does_not_disturb_one_that_waits(string scope, string end)
    {
        await using var context = await chromium.ContextAsync(scripts: false);
        var (waiting, other) = (await context.NewPageAsync(), await context.NewPageAsync());
        await waiting.GotoAsync(await AuthorizeAsync());
        var posted = (await AuthorizeAsync()).Replace("mcp:read", scope, StringComparison.Ordinal);

        await other.GotoAsync($"{program!.Urls.Single()}/elsewhere?to={Uri.EscapeDataString(posted)}");
        await other.GetByText("Go").ClickAsync();
        await other.ArrivesAtAsync(end);
        await SignInAsync(waiting, House.Email, House.Password);

        await Assertions.Expect(Allow(waiting)).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Somebody_else_takes_the_question_over_without_a_script()
    {
        await using var context = await chromium.ContextAsync(scripts: false);
        var page = await context.NewPageAsync();
        await page.GotoAsync(await AuthorizeAsync());
        await SignInAsync(page, House.Email, House.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Not you?" }).ClickAsync();

        await Assertions.Expect(page.GetByText("a program on this computer")).ToBeVisibleAsync();
        await SignInAsync(page, House.OtherEmail, House.OtherPassword);

        await Assertions.Expect(page.GetByText(House.OtherEmail)).ToBeVisibleAsync();
        await Assertions.Expect(Allow(page)).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_was_agreed_to_stands_on_the_persons_page_and_ends_there()
    {
        await using var context = await chromium.ContextAsync(scripts: false);
        var page = await context.NewPageAsync();
        await page.GotoAsync(await AuthorizeAsync());
        await SignInAsync(page, House.OtherEmail, House.OtherPassword);
        await Allow(page).ClickAsync();
        await page.ArrivesAtAsync($"{Callback}*");

        await page.GotoAsync($"{house.Address}me");
        await Assertions.Expect(page.GetByText("“Field Reports”")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("It can do nothing for you");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Revoke" })).ToHaveCountAsync(0);
    }

    public async ValueTask DisposeAsync() => await program!.DisposeAsync();

    private static ILocator Allow(IPage page) =>
        page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true });

    private static async Task SignInAsync(IPage page, string email, string password)
    {
        await page.GetByLabel("Email").FillAsync(email);
        await page.GetByLabel("Password").FillAsync(password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
    }

    private static string Inputs(string address)
    {
        var query = HttpUtility.ParseQueryString(new Uri(address).Query);
        return string.Concat(query.AllKeys.Select(name => $"<input type=hidden name='{name}' value='{query[name]}'>"));
    }

    private async Task<string> AuthorizeAsync()
    {
        using var http = new HttpClient { BaseAddress = house.Address };
        using var answer = await http.PostAsJsonAsync("register", new
        {
            client_name = "Field Reports",
            redirect_uris = new[] { Callback },
            token_endpoint_auth_method = "none",
            grant_types = new[] { "authorization_code", "refresh_token" },
        });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var client = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("client_id").GetString()!;
        var server = $"{house.Address}mcp/notes";
        return $"{house.Address}authorize?response_type=code&client_id={Uri.EscapeDataString(client)}&state=s"
            + $"&redirect_uri={Uri.EscapeDataString(Callback)}&resource={Uri.EscapeDataString(server)}&scope=mcp:read"
            + $"&code_challenge={new string('c', 43)}&code_challenge_method=S256";
    }
}
