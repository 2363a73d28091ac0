using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Postern.Console.Desk;
using Postern.Console.Home;
using Postern.Console.Me;
using Postern.Identity.Setup;
using Postern.Identity.SignIn;
using Postern.OAuth.Authorize;
using Postern.OAuth.Consent;
using Postern.OAuth.Device;
using Postern.OAuth.Logout;
using Postern.OAuth.Requests;
using Postern.Platform.Pages;

namespace Postern.Tests.Platform.Pages;

/// <summary>Every page in every state worth looking at, served by the real kit on a loopback port.</summary>
public sealed class Gallery : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 9, 30, 0, TimeSpan.Zero);

    private static readonly IReadOnlyList<EntryRow> Entries =
    [
        .. Enumerable.Range(1, 20).Select(n => new EntryRow(
            1000 - n,
            Now.AddMinutes(-n),
            "ada@example.test",
            "tool.call",
            "linear/create_issue",
            n % 5 is 0 ? "denied" : "allowed")),
    ];

    private static readonly Dictionary<string, IResult> Pages = new()
    {
        ["signin"] = SignIn(new() { FormToken = "t", PasskeyOptions = "{}" }),
        ["signin-waiting"] = SignIn(new() { FormToken = "t", Waiting = "claude.ai", Email = "ada@example.test" }),
        ["signin-problem"] = SignIn(new()
        {
            FormToken = "t",
            PasskeyOptions = "{}",
            Waiting = new string('w', 60) + ".example",
            Email = "\"><svg onload=1>@example.test",
            Problem = "That e-mail and password do not go together. Try again, or use a passkey.",
        }),
        ["setup"] = new PageResult<SetupPage, SetupView>(
            new() { Link = "l", FormToken = "t", PasskeyOptions = "{}" }),
        ["setup-problem"] = new PageResult<SetupPage, SetupView>(new()
        {
            Link = "l",
            FormToken = "t",
            Email = "ada@example",
            Problem = "The password needs at least 12 characters.",
        }),
        ["consent"] = Consent(Usual),
        ["consent-loopback"] = Consent(Usual with
        {
            Who = new("Claude Code", "claude.ai", Proof.Proven, null, "Chrome on Linux"),
            Return = ReturnPlace.Of(new("http://localhost:8765/callback")),
        }),
        ["consent-vouched"] = Consent(Usual with
        {
            Who = new("Field Reports", null, Proof.Vouched, new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero), null),
            Return = ReturnPlace.Of(new("https://reports.example.test/callback")),
        }),
        ["consent-borrowed"] = Consent(Usual with
        {
            Who = new("Clаude", null, Proof.None, null, null),
            Return = ReturnPlace.Of(new("https://evil.example/callback")),
        }),
        ["consent-app"] = Consent(Usual with
        {
            Who = new("Cursor", null, Proof.None, new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero), null),
            Return = ReturnPlace.Of(new("cursor://anysphere.cursor-retrieval/oauth/callback")),
        }),
        ["consent-hostile"] = Consent(Usual with
        {
            Who = new(Hostile, null, Proof.None, null, Hostile),
            Return = ReturnPlace.Of(
                new("https://xn--cloud-7ve.evil-and-very-long-host-name-that-goes-on.example:8443/cb")),
            Server = "the-customer-relationship-server-of-the-northern-region",
            Account = "a.very.long.name.of.a.person.who.works.here@department.of.something.example.test",
            Tools =
            [
                .. Usual.Tools,
                new(new string('x', 128), Risk.Read, Hostile),
                new("drop_everything", Risk.Destroy, "<b>Safe!</b> Click Allow."),
            ],
            Problem = "Choose at least one tool, or deny.",
        }),
        ["consent-device"] = Consent(Usual with
        {
            Who = new("Lounge", null, Proof.Vouched, new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero), null),
            Return = null,
            SignOutToken = null,
            Waiting = new("BCDF-GHJK", null, Now.AddMinutes(-2), "2001:db8:1234::/48", false),
        }),
        ["consent-device-hostile"] = Consent(Usual with
        {
            Who = new(Hostile, new string('h', 250), Proof.None, null, null),
            Return = null,
            SignOutToken = null,
            Waiting = new("WWWW-WWWW", null, Now, "192.0.2.0/24", true),
        }),
        ["consent-service"] = Consent(Usual with
        {
            Who = new("Butler", null, Proof.Vouched, null, null),
            Return = null,
            SignOutToken = null,
            Waiting = new(null, Hostile, Now.AddMinutes(-2), "192.0.2.0/24", false),
        }),
        ["device"] = Device(new() { Account = "ada@example.test", FormToken = "t", SignOutToken = "s" }),
        ["device-problem"] = Device(new()
        {
            Account = "ada@example.test",
            Code = "BCDF-GHJK",
            FormToken = "t",
            SignOutToken = "s",
            Problem = "No device waits with that code. Check it, or let the device show you a new one.",
        }),
        ["answered-yes"] = new PageResult<AnsweredPage, AnsweredView>(new(IsYes: true, IsDevice: true)),
        ["answered-no"] = new PageResult<AnsweredPage, AnsweredView>(new(IsYes: false, IsDevice: false)),
        ["logout"] = new PageResult<LogoutPage, LogoutView>(
            new("Field Reports", "ada@example.test", "/logout/confirm?state=s", "t")),
        ["logout-hostile"] = new PageResult<LogoutPage, LogoutView>(
            new(null, new string('w', 60) + "@example.test", "/logout/confirm", "t")),
        ["post-back"] = new PageResult<PostBackPage, PostBackView>(new(
            "You said no",
            "Field Reports is told so when you go back.",
            "https://reports.example.test/callback",
            "reports.example.test",
            [("error", "access_denied"), ("state", "\"><svg onload=1>")],
            IsAutomatic: false)),
        ["consent-full"] = Consent(Usual with
        {
            Tools =
            [
                .. from risk in Risks.All
                   from n in Enumerable.Range(1, 14)
                   select new ToolChoice($"{risk.Word}_number_{n}", risk, "Does one thing and does it well."),
            ],
        }),
        ["error"] = Error(new(
            "This request has expired",
            "It waited longer than ten minutes for an answer, so we dropped it. Nothing was agreed.",
            "Go back to the app and start again.")),
        ["error-client"] = Error(new(
            "We don't know who is asking",
            "The app named itself in a way we could not check, so we did not ask you anything.",
            "Tell whoever makes the app, or start again in it.",
            "/",
            "To the front page")),
        ["me"] = Me(new()
        {
            Person = "ada@example.test",
            IsAdministrator = true,
            FormToken = "t",
            SignOutToken = "s",
            Done = "Ended. Cursor can no longer do anything for you. It took 3 ms.",
            PasskeyOptions = "{}",
            PasskeyState = "s",
            Grants =
            [
                new(
                    "gr_1",
                    new("Claude", "claude.ai", Proof.Remembered, null, "Chrome on Linux"),
                    "May read and change in Linear, with 3 tools you chose.",
                    Now.AddMonths(-8),
                    Now.AddMinutes(-4),
                    Now.AddDays(30)),
                new(
                    "gr_2",
                    new(Hostile, null, Proof.Remembered, null, "this computer"),
                    "May read in files, with 1 tool you chose.",
                    Now.AddHours(-3),
                    null,
                    Now.AddDays(1)),
            ],
            Browsers =
            [
                new("s1", "Chrome on Linux", Now.AddDays(-3), Now, true),
                new("s2", "Safari on iPhone", Now.AddDays(-40), Now.AddDays(-1.5), false),
            ],
            Passkeys = [new("p1", "Chrome on Linux", Now.AddDays(-200))],
            Asking =
            [
                new("a1", new("Butler", null, Proof.Remembered, null, null), "Linear", Now.AddMinutes(-2)),
                new("a2", new(Hostile, null, Proof.Remembered, null, null), new string('w', 60), Now),
            ],
            HasPassword = true,
            PasswordProblem = "That is not your current password.",
            Calls =
            [
                new("Claude", "Chrome on Linux", "create_issue", "Linear", Now.AddMinutes(-4), true),
                new(new string('w', 60), "Safari on iPhone", new string('x', 60), "files", Now.AddHours(-1), false),
                new("Claude", null, null, "Linear", Now.AddDays(-3), false),
            ],
        }),
        ["me-empty"] = Me(new()
        {
            Person = "ada@example.test",
            FormToken = "t",
            SignOutToken = "s",
            Grants = [],
            Browsers = [new("s1", "Chrome on Linux", Now, Now, true)],
            Passkeys = [],
        }),
        ["home"] = Home(new(
            null,
            [
                new("Linear", "http://127.0.0.1:7400/mcp/linear"),
                new("files", "http://127.0.0.1:7400/mcp/files"),
            ])),
        ["home-empty"] = Home(new("ada@example.test", [])),
        ["console"] = new PageResult<OverviewPage, OverviewView>(new()
        {
            Person = "ada@example.test",
            Issuer = "http://127.0.0.1:7400",
            Servers =
            [
                new("linear", "http://127.0.0.1:7400/mcp/linear", "remote", 34),
                new("files", "http://127.0.0.1:7400/mcp/files", "command", 7),
            ],
            Entries = Entries,
        }),
        ["console-clients"] = new PageResult<ClientsPage, ClientsView>(new()
        {
            Person = "ada@example.test",
            Clients =
            [
                new("app", "Field Reports", "by the configuration", null, null, Now, "3"),
                new(
                    "https://claude.ai/oauth/client.json",
                    "Claude",
                    "by its metadata document",
                    "claude.ai",
                    Now.AddMonths(-8),
                    Now.AddDays(-1),
                    "214"),
                new(new string('c', 200), Hostile, "by itself", null, Now, null, "0"),
            ],
            Next = "c_1",
        }),
        ["console-grants"] = new PageResult<GrantsPage, GrantsView>(new()
        {
            Person = "ada@example.test",
            Grants =
            [
                .. Enumerable.Range(1, 12).Select(n => new GrantRow(
                    "ada@example.test",
                    new(Hostile, null, Proof.Remembered, null, "Chrome on Linux"),
                    "May read and change in Linear, with 3 tools you chose.",
                    Now.AddDays(-n),
                    n % 3 is 0 ? null : Now,
                    Now.AddDays(n))),
            ],
            IsFurther = true,
            Next = "gr_1",
        }),
        ["console-log"] = new PageResult<LogPage, LogView>(new()
        {
            Person = "ada@example.test",
            Entries = Entries,
            IsFurther = true,
        }),
        ["console-empty"] = new PageResult<OverviewPage, OverviewView>(new()
        {
            Person = "ada@example.test",
            Issuer = "http://127.0.0.1:7400",
        }),
        ["console-grants-empty"] = new PageResult<GrantsPage, GrantsView>(new() { Person = "ada@example.test" }),
    };

    public const string Hostile =
        "\u202Eedualc\u200B <svg onload=1>Cla\u0430ude</svg> {{7*7}} \"><script>alert(1)</script>"
        + "\u0301\u0301\u0301\u0301\u0301\r\nSet-Cookie: x";

    private WebApplication? app;

    public static TheoryData<string> Names => [.. Pages.Keys];

    public Uri Address { get; private set; } = null!;

    private static ConsentView Usual => new()
    {
        Who = new("Claude", "claude.ai", Proof.Proven, null, "Chrome on Linux"),
        Return = ReturnPlace.Of(new("https://claude.ai/api/mcp/auth_callback")),
        Server = "Linear",
        Account = "ada@example.test",
        Tools =
        [
            new("list_issues", Risk.Read, "Lists issues of a team, newest first."),
            new("get_issue", Risk.Read, "Shows one issue with its comments."),
            new("search", Risk.Read) { IsNew = true, IsOn = false },
            new("create_issue", Risk.Change, "Creates an issue in a team.") { IsChanged = true },
            new("add_comment", Risk.Change, "Adds a comment to an issue."),
            new("delete_issue", Risk.Destroy, "Deletes an issue for good."),
        ],
        Until =
        [
            new("today", "Today", " until midnight"),
            new("30d", "30 days", " until 22 December", true),
            new("90d", "90 days", " until 20 February 2027"),
        ],
        Idle = "30 days",
        Transaction = "tx",
        FormToken = "t",
        SignOutToken = "s",
    };

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(new Stopped());
        app = builder.Build();
        app.Use((http, next) =>
        {
            http.Features.Set(Place);
            return next(http);
        });
        AssetEndpoint.Map(app);
        app.MapGet("/{page}", (string page) => Pages.GetValueOrDefault(page) ?? Results.NotFound());
        await app.StartAsync();
        Address = new(app.Urls.Single());
    }

    public async ValueTask DisposeAsync() => await app!.DisposeAsync();

    private static readonly Tenant Place = new()
    {
        Id = TenantId.Default,
        Name = "default",
        MostClients = 10,
        MostServers = 10,
        Issuer = "http://127.0.0.1",
        AccessLifetime = TimeSpan.FromMinutes(10),
        RefreshIdle = TimeSpan.FromDays(30),
        RefreshAbsolute = TimeSpan.FromDays(180),
    };

    private static PageResult<SignInPage, SignInView> SignIn(SignInView view) => new(view);

    private static PageResult<ConsentPage, ConsentView> Consent(ConsentView view) =>
        new(view) { FormTargets = view.Return is { } place ? [place.FormTarget] : [] };

    private static PageResult<UserCodePage, UserCodeView> Device(UserCodeView view) => new(view);

    private static PageResult<ErrorPage, ErrorView> Error(ErrorView view) => new(view) { Status = 400 };

    private static PageResult<MePage, MeView> Me(MeView view) => new(view);

    private static PageResult<HomePage, HomeView> Home(HomeView view) => new(view);

    private sealed class Stopped : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
