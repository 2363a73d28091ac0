using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using Postern.Gateway.Relay;
using Postern.Platform.Outbound;
using Postern.Servers;
using Postern.Tests.Gateway;
using Postern.Tests.Identity;
using Postern.Tests.OAuth;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.Console;

/// <summary>
/// A server in use: Ada has let two apps in, one of them on two computers; they have worked for her, and one was
/// refused something. Everything was done as people and apps do it: in browsers, by registering, with tokens.
/// </summary>
public sealed class Scene : IAsyncLifetime
{
    private const string Assistant = "assistant.harbor.example", LoopbackCallback = "http://127.0.0.1:8765/callback";

    private const string Edge =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0";

    private const string Agents =
        $$"""
        clients:
          - { client_id: harbor-books, client_name: Harbor Books, redirect_uris: ["https://books.harbor.example/cb"] }
          - client_id: butler
            client_name: Harbor Butler
            client_secret: {{Butler.Secret}}
            grant_types: ["{{Butler.GrantType}}"]
        organizations:
          - { id: harbor, name: Harbor Ltd }
        agents:
          - id: ledger
            name: Ledger
            owner: {{House.Email}}
            organization: harbor
            purpose: Enters what the ferries took each evening
            ends: 2027-06-30
            clients: [harbor-books]
          - { id: pilot, name: Pilot, owner: {{House.OtherEmail}}, purpose: Reads the tides, ends: 2026-11-22 }

        """;

    private readonly House house = new();
    private readonly Chromium chromium = new();
    private readonly DocumentHost documents = Documents();
    private readonly HttpClient http = new();
    private Bank bank = null!;
    private string adas = "";

    /// <summary>
    /// A service on the web whose host is proven, and a program on a computer, which nobody can check.
    /// </summary>
    internal App Remote { get; private set; } = null!;

    internal App Local { get; private set; } = null!;

    public Uri Address => house.Address;

    /// <summary>The code that a device shows, and the question to Ada, who has brought it.</summary>
    internal string Code { get; private set; } = "";

    internal string Asked { get; private set; } = "";

    /// <summary>The question of a service that named her.</summary>
    internal string Named { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        await chromium.InitializeAsync();
        bank = await Bank.StartAsync();
        await house.StartAsync(
            withPeople: true,
            settings: $"{documents.Settings}{Agents}servers:\n{bank.Yaml}\n"
                .Replace("- name: bank", "- name: bank\n    title: Harbor Purse", StringComparison.Ordinal),
            replace: services => services.AddSingleton<SafeHttp>(given => new(
                given.GetRequiredService<OutboundOptions>(),
                given.GetRequiredService<TimeProvider>(),
                given.GetRequiredService<ILogger<SafeHttp>>(),
                (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]))));
        http.BaseAddress = house.Address;
        var issuer = house.Address.GetLeftPart(UriPartial.Authority);
        Remote = new(http, issuer, Document(), $"https://{Assistant}/callback");
        Local = new(http, issuer, await RegisterAsync(), LoopbackCallback);

        await using var work = await chromium.ContextAsync(agent: Edge);
        await SignInAsync(await work.NewPageAsync());
        await CallAsync(
            await LetInAsync(work, Local), "add_note", """{"title":"Crossing to Hven","text":"Ferry at nine"}""");
        house.Clock.Advance(TimeSpan.FromHours(27));

        await using var home = await chromium.ContextAsync();
        await AddPasskeyAsync(home);
        var assistant = await LetInAsync(home, Remote);
        await CallAsync(assistant, "list_notes", "{}");
        await CallAsync(assistant, "add_note", """{"title":"Packing","text":"Lamp, rope, key"}""");
        house.Clock.Advance(TimeSpan.FromMinutes(3));
        var notes = await LetInAsync(home, Local);
        await CallAsync(notes, "search_notes", """{"query":"ferry"}""");
        house.Clock.Advance(TimeSpan.FromMinutes(4));
        await CallAsync(assistant, "delete_note", """{"number":1}""");
        var bought = await LetInAsync(home, Remote, "bank", await SpendsAsync(Remote));
        await CallAsync(bought, "pay", """{"amount":42.5,"currency":"EUR","to":"Hven Ferry"}""", "bank");
        Named = await NameAsync(home, new(new(http, issuer, "butler", "", Butler.Secret)));
        Asked = await BringAsync(home);
        adas = await home.StorageStateAsync();
    }

    /// <summary>A browser of somebody who has not signed in, or Ada's at home.</summary>
    internal Task<IBrowserContext> BrowserAsync(int width, ColorScheme scheme, bool isAdas) =>
        chromium.ContextAsync(width, scheme, like: isAdas ? adas : null);

    /// <summary>The address that an app opens to be let in to the notes.</summary>
    internal string Asks(App app) => house.Address + app.Authorize(("resource", $"{house.Address}mcp/notes"))[1..];

    /// <summary>The address that an app opens to be let spend something, once the server has told its tools.</summary>
    internal async Task<string> SpendsAsync(App app)
    {
        await house.Get<Catalogues>().RefreshAsync(house.Get<ServerBook>().Find(TenantId.Default, "bank")!);
        var details =
            $$"""
            [{"type":"mcp_tool","locations":["{{house.Address}}mcp/bank"],"actions":["pay","payments"]},
            {"type":"spend","currency":"EUR","max_per_tx":80,"max_total":300,
            "merchants":["Hven Ferry","Sound Chandlery"],"valid_until":"2026-12-24T00:00:00Z"},
            {"type":"data_access","datatypes":["payments"]}]
            """;
        return house.Address + app.Authorize(
            ("resource", $"{house.Address}mcp/bank"), ("authorization_details", details.ReplaceLineEndings("")))[1..];
    }

    /// <summary>The address that an app opens to learn who somebody is.</summary>
    internal string Who(App app) =>
        house.Address + app.Authorize(RelyingTown.Identity("openid profile email"))[1..];

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await chromium.DisposeAsync();
        await house.DisposeAsync();
        await documents.DisposeAsync();
        await bank.DisposeAsync();
    }

    // At the port of https where that may be had, so that the host reads as it does elsewhere.
    private static DocumentHost Documents()
    {
        try
        {
            return new(443, Assistant);
        }
        catch (SocketException)
        {
            return new(0, Assistant);
        }
    }

    private string Document()
    {
        var url = documents.At("/client.json");
        documents.Put("/client.json", JsonSerializer.Serialize(new
        {
            client_id = url,
            client_name = "Harbor Assistant",
            redirect_uris = new[] { $"https://{Assistant}/callback" },
        }));
        return url;
    }

    private async Task<string> RegisterAsync()
    {
        using var content = new StringContent(
            JsonSerializer.Serialize(new
            {
                client_name = "Field Notes",
                redirect_uris = new[] { LoopbackCallback },
                token_endpoint_auth_method = "none",
                grant_types = new[] { "authorization_code", "refresh_token", Gadget.GrantType },
            }),
            Encoding.UTF8,
            "application/json");
        using var answer = await http.PostAsync(new Uri("/register", UriKind.Relative), content);
        return (await Reply.ReadAsync(answer)).Member("client_id")!;
    }

    private async Task SignInAsync(IPage page)
    {
        await page.GotoAsync($"{house.Address}signin");
        await page.GetByLabel("Email").FillAsync(House.Email);
        await page.GetByLabel("Password").FillAsync(House.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await page.ArrivesAtAsync("**/me");
    }

    private async Task AddPasskeyAsync(IBrowserContext context)
    {
        var page = await context.NewPageAsync();
        await PasskeyTests.NewAuthenticatorAsync(context, page, isVerified: true);
        await SignInAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("sign in with this passkey");
    }

    // Where the answer goes is not there; what the browser would tell it is read from the address.
    private async Task<string> LetInAsync(
        IBrowserContext context, App app, string server = "notes", string? asks = null)
    {
        await context.RouteAsync(
            url => url.Contains("/callback", StringComparison.Ordinal),
            route => route.FulfillAsync(new() { Body = "Done." }));
        var page = await context.NewPageAsync();
        await page.GotoAsync(asks ?? Asks(app));
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).ClickAsync();
        await page.ArrivesAtAsync("**/callback?code=**");
        var code = HttpUtility.ParseQueryString(new Uri(page.Url).Query)["code"]!;
        return (await app.RedeemAsync(code, ("resource", $"{house.Address}mcp/{server}"))).AccessToken;
    }

    private async Task<string> BringAsync(IBrowserContext context)
    {
        Code = (await new Gadget(Local).AskAsync(("resource", $"{house.Address}mcp/notes"))).Member("user_code")!;
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{house.Address}device?user_code={Code}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await page.ArrivesAtAsync("**/i/**");
        return page.Url;
    }

    private async Task<string> NameAsync(IBrowserContext context, Butler butler)
    {
        await butler.AskAsync(
            ("resource", $"{house.Address}mcp/notes"), ("binding_message", "Ferry to Hven, 19:30"));
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{house.Address}me");
        await page.Locator("a.button[href^='/i/']").ClickAsync();
        await page.ArrivesAtAsync("**/i/**");
        return page.Url;
    }

    private async Task CallAsync(string token, string tool, string arguments, string server = "notes")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/mcp/{server}", UriKind.Relative));
        request.Headers.Authorization = new("Bearer", token);
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        request.Headers.Add("MCP-Protocol-Version", "2026-07-28");
        request.Headers.Add("Mcp-Method", "tools/call");
        request.Headers.Add("Mcp-Name", tool);
        request.Content = new StringContent(
            $$$"""
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{
            "name":"{{{tool}}}","arguments":{{{arguments}}},"_meta":{
            "io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{} } } }
            """,
            Encoding.UTF8,
            "application/json");
        using var answer = await http.SendAsync(request);
        Assert.Equal(tool is "delete_note" ? HttpStatusCode.Forbidden : HttpStatusCode.OK, answer.StatusCode);
    }
}
