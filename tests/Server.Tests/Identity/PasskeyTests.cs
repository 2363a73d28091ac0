using System.Text.Json;
using Microsoft.Playwright;
using Postern.Audit;
using Postern.Identity.Passkeys;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.Identity;

/// <summary>Real Chromium with a virtual authenticator behind it; the pages are used as a person would.</summary>
public sealed class PasskeyTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private readonly House house = new();

    public ValueTask InitializeAsync() => house.StartAsync(withPeople: false);

    [Fact]
    public async Task The_first_administrator_comes_in_by_passkey_and_comes_again_by_it()
    {
        await using var context = await chromium.ContextAsync();
        var page = await PageAsync(context);
        await SetUpAsync(page);

        await SignOutAsync(page);
        await page.GotoAsync($"{house.Address}signin");
        await page.GetByRole(AriaRole.Button, new() { Name = "Use a passkey" }).ClickAsync();
        await page.ArrivesAtAsync("*/me");

        await Assertions.Expect(page.GetByText(House.Email)).ToBeVisibleAsync();
        Assert.Contains(await house.LoggedAsync(AuditKinds.UserLogin), record => record.Contains("passkey"));
    }

    [Fact]
    public async Task An_authenticator_that_did_not_verify_the_person_opens_nothing()
    {
        await using var context = await chromium.ContextAsync();
        var page = await PageAsync(context, isVerified: false);

        await page.GotoAsync(new Uri((await house.SetupLinkAsync())!).AbsoluteUri);
        await page.GetByLabel("Email").FillAsync(House.Email);
        await page.GetByRole(AriaRole.Button, new() { Name = "Continue with a passkey" }).ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("did not work");
        Assert.Empty(await house.LoggedAsync(AuditKinds.UserCreated));
    }

    [Fact]
    public async Task The_answer_of_a_passkey_is_good_once_in_one_browser_and_for_five_minutes()
    {
        await using var context = await chromium.ContextAsync();
        var page = await PageAsync(context);
        await SetUpAsync(page);
        await SignOutAsync(page);
        var sent = new List<string>();
        page.Request += (_, request) => sent.AddRange(request is { Method: "POST", PostData: { } data } ? [data] : []);
        await SignInAsync(page);
        var replay = sent.Single(data => data.Contains("passkey=%7B"));

        using var visitor = new Visitor(house.Address);
        foreach (var cookie in (await context.CookiesAsync()).Where(cookie => cookie.Name is "postern_browser"))
        {
            visitor.SetCookie(cookie.Name, cookie.Value);
        }

        using var again = await visitor.PostAsync("/signin", replay);
        using var stranger = new Visitor(house.Address);
        await stranger.PageAsync("/signin");
        using var elsewhere = await stranger.PostAsync("/signin", replay);

        Assert.Equal(System.Net.HttpStatusCode.UnprocessableEntity, again.StatusCode);
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, elsewhere.StatusCode);

        await SignOutAsync(page);
        await page.GotoAsync($"{house.Address}signin");
        house.Clock.Advance(TimeSpan.FromMinutes(5));
        await page.GetByRole(AriaRole.Button, new() { Name = "Use a passkey" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("did not match");
    }

    [Fact]
    public async Task An_answer_signed_for_another_origin_is_refused()
    {
        await using var context = await chromium.ContextAsync();
        var page = await PageAsync(context);
        await SetUpAsync(page);
        await SignOutAsync(page);

        // The relying party is the host, whatever the port: a program on another port of this computer may ask for it.
        await using var other = new House();
        await other.StartAsync(withPeople: false);
        await page.GotoAsync($"{house.Address}signin");
        var options = await page.Locator("[data-passkey]").GetAttributeAsync("data-options");
        var state = await page.Locator("input[name=state]").First.InputValueAsync();
        await page.GotoAsync($"{other.Address}signin");
        var stolen = await page.EvaluateAsync<string>(
            """
            async options => JSON.stringify(await navigator.credentials.get({
              publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options)) }))
            """,
            options);

        await page.GotoAsync($"{house.Address}signin");
        await page.EvaluateAsync(
            """
            ([answer, state]) => {
              const form = document.forms.signin;
              form.elements['passkey-answer'].value = answer;
              form.elements.state.value = state;
              form.noValidate = true;
              form.requestSubmit();
            }
            """,
            new[] { stolen, state });

        await Assertions.Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("did not match");
    }

    [Fact]
    public async Task A_passkey_is_added_and_removed_but_never_the_last_way_in()
    {
        await using var context = await chromium.ContextAsync();
        var page = await PageAsync(context);
        await SetUpAsync(page);
        await page.GotoAsync($"{house.Address}me");

        await page.GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("only way you can sign in");

        await NewAuthenticatorAsync(context, page, isVerified: true, "usb");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("sign in with this passkey");
        await page.GetByRole(AriaRole.Button, new() { Name = "Remove" }).First.ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("opens nothing");

        var user = await house.UserAsync(House.Email);
        var left = await house.Get<PasskeyStore>().OfSubjectAsync(TenantId.Default, user.Id, default);
        Assert.Single(left);
        Assert.Equal(2, (await house.LoggedAsync(AuditKinds.UserChanged)).Count);
    }

    [Fact]
    public async Task Adding_a_passkey_asks_for_a_fresh_sign_in()
    {
        await using var context = await chromium.ContextAsync();
        var page = await PageAsync(context);
        await SetUpAsync(page);
        house.Clock.Advance(TimeSpan.FromMinutes(15));

        await page.GotoAsync($"{house.Address}me");

        await Assertions.Expect(page.GetByText("Sign in again")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" })).ToHaveCountAsync(0);
    }

    public ValueTask DisposeAsync() => house.DisposeAsync();

    private static async Task<IPage> PageAsync(IBrowserContext context, bool isVerified = true)
    {
        var page = await context.NewPageAsync();
        await NewAuthenticatorAsync(context, page, isVerified);
        return page;
    }

    internal static async Task NewAuthenticatorAsync(
        IBrowserContext context, IPage page, bool isVerified, string transport = "internal")
    {
        var devtools = await context.NewCDPSessionAsync(page);
        await devtools.SendAsync("WebAuthn.enable");
        await devtools.SendAsync("WebAuthn.addVirtualAuthenticator", new()
        {
            ["options"] = JsonSerializer.SerializeToElement(new
            {
                protocol = "ctap2",
                transport,
                hasResidentKey = true,
                hasUserVerification = isVerified,
                isUserVerified = isVerified,
                automaticPresenceSimulation = true,
            }),
        });
    }

    private async Task SetUpAsync(IPage page)
    {
        await page.GotoAsync(new Uri((await house.SetupLinkAsync())!).AbsoluteUri);
        await page.GetByLabel("Email").FillAsync(House.Email);
        await page.GetByRole(AriaRole.Button, new() { Name = "Continue with a passkey" }).ClickAsync();
        await page.ArrivesAtAsync("*/console");
    }

    private async Task SignInAsync(IPage page)
    {
        await page.GotoAsync($"{house.Address}signin");
        await page.GetByRole(AriaRole.Button, new() { Name = "Use a passkey" }).ClickAsync();
        await page.ArrivesAtAsync("*/me");
    }

    private async Task SignOutAsync(IPage page)
    {
        await page.GotoAsync($"{house.Address}me");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.ArrivesAtAsync(house.Address.AbsoluteUri);
    }
}
