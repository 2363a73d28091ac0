using Microsoft.Playwright;
using Postern.Identity.Setup;
using Postern.Platform.Tenants;
using Postern.Tests.Identity;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.Tenants;

/// <summary>Passkeys of tenants that share a host, and with it the authenticator's idea of who they are.</summary>
public sealed class TenantPasskeyTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private readonly House house = new();

    public ValueTask InitializeAsync() => house.StartAsync(withPeople: false);

    public ValueTask DisposeAsync() => house.DisposeAsync();

    [Fact, Rfc("WebAuthn", "7.2")]
    public async Task A_passkey_made_below_one_tenants_path_opens_that_tenant_and_no_other()
    {
        await using var context = await chromium.ContextAsync();
        var page = await context.NewPageAsync();
        await PasskeyTests.NewAuthenticatorAsync(context, page, isVerified: true);
        var acme = await AddAsync("acme");
        await AddAsync("beta");

        await page.GotoAsync((await house.Get<SetupLinks>().OfferAsync(acme, default))!);
        await page.GetByLabel("Email").FillAsync(House.Email);
        await page.GetByRole(AriaRole.Button, new() { Name = "Continue with a passkey" }).ClickAsync();
        await page.ArrivesAtAsync("*/t/acme/console");
        await page.GotoAsync($"{house.Address}t/acme/me");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.ArrivesAtAsync($"{house.Address}t/acme/");

        foreach (var other in (string[])["t/beta/", ""])
        {
            await UseAsync(page, other);
            await Assertions.Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("did not match");
        }

        await UseAsync(page, "t/acme/");
        await page.ArrivesAtAsync("*/t/acme/me");
        await page.GotoAsync($"{house.Address}t/beta/me");
        Assert.EndsWith("/t/beta/signin", page.Url);
    }

    private async Task<Tenant> AddAsync(string name) =>
        (await house.Get<TenantBook>().AddAsync(new() { Name = name }, (_, _) => { }, default))!;

    private async Task UseAsync(IPage page, string place)
    {
        await page.GotoAsync($"{house.Address}{place}signin");
        await page.GetByRole(AriaRole.Button, new() { Name = "Use a passkey" }).ClickAsync();
    }
}
