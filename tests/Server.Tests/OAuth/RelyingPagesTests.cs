using System.Web;
using Microsoft.Playwright;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.OAuth;

/// <summary>
/// Signing in to a site and out again, in a real browser: which page a person sees, and when none (OpenID Connect).
/// </summary>
public sealed class RelyingPagesTests(RelyingTown town, Chromium chromium)
    : IClassFixture<RelyingTown>, IClassFixture<Chromium>
{
    private const string
        Core = "OpenID Connect Core", Initiated = "OpenID Connect RP-Initiated Logout",
        FormPost = "Form Post Response Mode";

    private readonly App site = RelyingTown.Site(town.Server);

    public static MatrixTheoryData<int, ColorScheme> Looks => new([1280, 390], [ColorScheme.Light, ColorScheme.Dark]);

    [Theory, MemberData(nameof(Looks)), Rfc(Core, "3.1.2.1"), Rfc(Core, "3.1.2.3"), Rfc(Core, "3.1.2.4")]
    public async Task A_person_signs_in_to_a_site_and_sees_each_question_once(int width, ColorScheme scheme)
    {
        await using var context = await BrowserAsync(width, scheme);
        var page = await context.NewPageAsync();
        await page.GotoAsync(At("openid email"));
        await PageTests.LooksRightAsync(page, $"sign-in at {width}");
        await SignInAsync(page);
        await page.ArrivesAtAsync("*/consent*");
        await PageTests.LooksRightAsync(page, $"identity consent at {width}");
        await Assertions.Expect(page.GetByText(Person.Ada).First).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).ClickAsync();
        await page.ArrivesAtAsync("https://site.example/cb?*");
        Assert.NotEmpty(CodeOf(page));

        await LeaveAsync(page, At("openid email", ("prompt", "none")));
        await page.ArrivesAtAsync("https://site.example/cb?*");
        Assert.NotEmpty(CodeOf(page));
    }

    [Fact, Rfc(Core, "3.1.2.6")]
    public async Task Without_a_page_a_stranger_comes_back_with_an_error()
    {
        await using var context = await BrowserAsync();
        var page = await context.NewPageAsync();
        await LeaveAsync(page, At("openid", ("prompt", "none")));

        await page.ArrivesAtAsync("https://site.example/cb?*");
        Assert.Equal("login_required", HttpUtility.ParseQueryString(new Uri(page.Url).Query)["error"]);
    }

    [Theory, Rfc(Core, "3.1.2.1")]
    [InlineData("prompt", "login")]
    [InlineData("prompt", "select_account")]
    [InlineData("max_age", "60")]
    public async Task Who_must_prove_themselves_again_is_shown_the_page_for_it(string name, string value)
    {
        await using var context = await BrowserAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{town.Server.Issuer}/signin");
        await SignInAsync(page);
        await page.ArrivesAtAsync("*/me");
        town.Server.Clock.Advance(TimeSpan.FromSeconds(61));

        await page.GotoAsync(At("openid", (name, value)));
        await Assertions.Expect(page.GetByLabel("Password")).ToBeVisibleAsync();
        await SignInAsync(page);
        await page.ArrivesAtAsync("*/consent*");
    }

    [Theory, MemberData(nameof(Looks)), Rfc(Initiated, "2"), Rfc(Initiated, "6")]
    public async Task Signing_out_is_a_question_where_nobody_says_whom_it_means(int width, ColorScheme scheme)
    {
        await using var context = await BrowserAsync(width, scheme);
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{town.Server.Issuer}/signin");
        await SignInAsync(page);
        await page.ArrivesAtAsync("*/me");

        await page.GotoAsync($"{town.Server.Issuer}/logout");
        await PageTests.LooksRightAsync(page, $"logout at {width}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Stay signed in" }).ClickAsync();
        await page.ArrivesAtAsync("*/me");
        await page.GotoAsync($"{town.Server.Issuer}/logout");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "signed out" })).ToBeVisibleAsync();
        await PageTests.LooksRightAsync(page, $"signed out at {width}");
        await page.GotoAsync($"{town.Server.Issuer}/me");
        await Assertions.Expect(page.GetByLabel("Password")).ToBeVisibleAsync();
    }

    [Fact, Rfc(Initiated, "3")]
    public async Task With_its_ID_token_a_site_signs_out_and_has_the_person_back()
    {
        await using var context = await BrowserAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(At("openid"));
        await SignInAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).ClickAsync();
        await page.ArrivesAtAsync("https://site.example/cb?*");
        var reply = await site.RedeemAsync(CodeOf(page), ("resource", null));
        var leave = App.Encode(
        [
            ("id_token_hint", reply.Member("id_token")),
            ("post_logout_redirect_uri", "https://site.example/bye"),
            ("state", "s 1"),
        ]);

        await LeaveAsync(page, $"{town.Server.Issuer}/logout?{leave}");
        await page.ArrivesAtAsync("https://site.example/bye?*");
        Assert.Equal("s 1", HttpUtility.ParseQueryString(new Uri(page.Url).Query)["state"]);
        await LeaveAsync(page, At("openid", ("prompt", "none")));
        await page.ArrivesAtAsync("https://site.example/cb?error=login_required*");
    }

    [Theory, Rfc(FormPost, "2")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_as_a_form_goes_by_itself_or_without_scripts_by_a_button(bool scripts)
    {
        await using var context = await BrowserAsync(390, ColorScheme.Dark, scripts);
        var posted = new List<string>();
        context.Request += (_, request) => posted.AddRange(
            request is { Method: "POST", PostData: { } data } && request.Url.StartsWith("https://site.example/cb")
                ? [data]
                : []);
        var page = await context.NewPageAsync();
        await page.GotoAsync(At("openid", ("response_mode", "form_post"), ("prompt", "consent")));
        await SignInAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).ClickAsync();
        if (!scripts)
        {
            var button = page.GetByRole(AriaRole.Button, new() { Name = "Go on to" });
            await Assertions.Expect(button).ToBeVisibleAsync();
            await button.ClickAsync();
        }

        await page.ArrivesAtAsync("https://site.example/cb");
        var answer = HttpUtility.ParseQueryString(Assert.Single(posted));
        Assert.NotNull(answer["code"]);
        Assert.Equal("the state + of it", answer["state"]);
        Assert.Equal(town.Server.Issuer, answer["iss"]);
    }

    private string At(string scope, params (string, string?)[] more) =>
        town.Server.Issuer + site.Authorize(RelyingTown.Identity(scope, more));

    private async Task<IBrowserContext> BrowserAsync(
        int width = 1280, ColorScheme scheme = ColorScheme.Light, bool scripts = true)
    {
        var context = await chromium.ContextAsync(width, scheme, scripts);
        await context.RouteAsync("https://site.example/**", route => route.FulfillAsync(new() { Body = "Done." }));
        return context;
    }

    // The site is not there, and no answer of its is made up where the browser is led on to it.
    private static async Task LeaveAsync(IPage page, string address)
    {
        try
        {
            await page.GotoAsync(address);
        }
        catch (PlaywrightException failure) when (failure.Message.Contains("ERR_NAME_NOT_RESOLVED"))
        {
        }
    }

    private static async Task SignInAsync(IPage page)
    {
        await page.GetByLabel("Email").FillAsync(Person.Ada);
        await page.GetByLabel("Password").FillAsync(Person.AdasPassword);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
    }

    private static string CodeOf(IPage page) => HttpUtility.ParseQueryString(new Uri(page.Url).Query)["code"]!;
}
