using System.Web;
using Microsoft.Playwright;
using Postern.Tests.Identity;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.OAuth;

/// <summary>
/// A person who came by a password and is asked for a passkey, in a real browser with a virtual authenticator: at a
/// server that wants that (<c>require</c>), with a client that asks for it.
/// </summary>
internal sealed class PasskeyStepUp : IAsyncDisposable
{
    private const string Redirect = "https://site.example/cb";

    private readonly House house = new();

    private HttpClient Http { get; set; } = null!;

    public App Site { get; private set; } = null!;

    public static async Task<PasskeyStepUp> StartAsync()
    {
        var way = new PasskeyStepUp();
        await way.house.StartAsync(withPeople: true, settings: $$"""
            demo: false
            clients:
              - { client_id: site, client_secret: {{App.WebSecret}}, redirect_uris: [{{Redirect}}] }
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp, require: { acr: [phr] } }

            """);
        way.Http = new() { BaseAddress = way.house.Address };
        way.Site = new(
            way.Http, way.house.Address.GetLeftPart(UriPartial.Authority), "site", Redirect, App.WebSecret);
        return way;
    }

    /// <summary>Signs in by password, and makes a passkey.</summary>
    public async Task MakePasskeyAsync(IBrowserContext context, IPage page)
    {
        await context.RouteAsync("https://site.example/**", route => route.FulfillAsync(new() { Body = "Done." }));
        await PasskeyTests.NewAuthenticatorAsync(context, page, isVerified: true);
        await page.GotoAsync($"{house.Address}signin");
        await ByPasswordAsync(page);
        await page.ArrivesAtAsync("*/me");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("sign in with this passkey");
    }

    public static async Task ByPasswordAsync(IPage page)
    {
        await page.GetByLabel("Email").FillAsync(House.Email);
        await page.GetByLabel("Password").FillAsync(House.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
    }

    /// <summary>Lets the client in, by a passkey where that is asked; answers its tokens.</summary>
    public async Task<Reply> LetInAsync(IPage page, params (string Name, string? Value)[] changes)
    {
        await page.GotoAsync(house.Address.GetLeftPart(UriPartial.Authority) + Site.Authorize(changes));
        await page.GetByRole(AriaRole.Button, new() { Name = "Use a passkey" }).ClickAsync();
        await page.ArrivesAtAsync("*/consent*");
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).ClickAsync();
        await page.ArrivesAtAsync($"{Redirect}?*");
        return await Site.RedeemAsync(HttpUtility.ParseQueryString(new Uri(page.Url).Query)["code"]!);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await house.DisposeAsync();
    }
}
