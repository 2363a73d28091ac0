using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using AngleSharp.Html.Dom;
using Postern.Audit;
using Postern.Grants;
using Postern.Identity.SignIn;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Policy;
using Postern.Servers;
using Postern.Tests.Identity;

namespace Postern.Tests.Console;

public sealed class MeTests : IAsyncLifetime
{
    private const string NewPassword = "a door, a lantern, and a key";

    private readonly House house = new();

    public ValueTask InitializeAsync() => house.InitializeAsync();

    [Fact]
    public async Task A_person_sees_whom_they_let_in_and_ends_it()
    {
        var grant = await GrantAsync(House.Email, "Cl\u0430ude\u202E <b>Code</b>");
        using var ada = await InAsync(House.Email, House.Password);
        var page = await ada.PageAsync("/me");

        using var answer = await ada.SubmitAsync(Row(page, "/me/grants/end", grant.Id.Value), "/me");

        Assert.Contains("May read and change in Notes", page.Body!.TextContent);
        Assert.DoesNotContain('\u202E', page.Body.TextContent);
        var after = await Visitor.ReadAsync(answer);
        Assert.Contains("It can do nothing for you from now on", after.QuerySelector("[role=status]")!.TextContent);
        Assert.False(await IsLiveAsync(grant));
        Assert.Single(await house.LoggedAsync(AuditKinds.GrantRevoked));
    }

    [Fact]
    public async Task Nobody_ends_what_another_agreed_to()
    {
        var adas = await GrantAsync(House.Email, "Claude");
        var bobs = await GrantAsync(House.OtherEmail, "Claude");
        using var bob = await InAsync(House.OtherEmail, House.OtherPassword);
        var page = await bob.PageAsync("/me");

        using var answer = await bob.SubmitAsync(
            Row(page, "/me/grants/end", bobs.Id.Value), "/me", ("id", adas.Id.Value));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.DoesNotContain(adas.Id.Value, page.Body!.InnerHtml);
        Assert.True(await IsLiveAsync(adas));
    }

    [Fact]
    public async Task A_person_signs_another_browser_out()
    {
        using var laptop = await InAsync(House.Email, House.Password);
        using var lost = await InAsync(House.Email, House.Password);
        var page = await laptop.PageAsync("/me");
        var row = page.Forms.Single(form => form.GetAttribute("action") is "/me/browsers/end"
            && !form.Closest("li")!.TextContent.Contains("this browser"));

        (await laptop.SubmitAsync(row, "/me")).Dispose();

        Assert.False(await SignInTests.IsInAsync(lost));
        Assert.True(await SignInTests.IsInAsync(laptop));
        Assert.Contains("Chrome on Linux", page.Body!.TextContent);
    }

    [Fact]
    public async Task Nobody_signs_another_persons_browser_out()
    {
        using var ada = await InAsync(House.Email, House.Password);
        using var bob = await InAsync(House.OtherEmail, House.OtherPassword);
        var adas = (await ada.PageAsync("/me")).Forms.Single(form => form.GetAttribute("action") is "/me/browsers/end");
        var bobs = (await bob.PageAsync("/me")).Forms.Single(form => form.GetAttribute("action") is "/me/browsers/end");

        using var answer = await bob.SubmitAsync(bobs, "/me", ("id", ((IHtmlInputElement)adas.Elements["id"]!).Value));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.True(await SignInTests.IsInAsync(ada));
    }

    [Fact]
    public async Task A_form_of_another_session_or_another_origin_does_nothing()
    {
        var grant = await GrantAsync(House.Email, "Claude");
        using var ada = await InAsync(House.Email, House.Password);
        using var second = await InAsync(House.Email, House.Password);
        var form = Row(await ada.PageAsync("/me"), "/me/grants/end", grant.Id.Value);

        using var otherSession = await second.SubmitAsync(form, "/me");
        ada.Origin = "https://evil.example";
        using var otherOrigin = await ada.SubmitAsync(form, "/me");

        Assert.Equal(HttpStatusCode.Forbidden, otherSession.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, otherOrigin.StatusCode);
        Assert.True(await IsLiveAsync(grant));
    }

    [Fact]
    public async Task A_new_password_ends_the_old_one_and_every_other_browser()
    {
        using var laptop = await InAsync(House.Email, House.Password);
        using var lost = await InAsync(House.Email, House.Password);

        using var answer = await ChangeAsync(laptop, House.Password, NewPassword);

        Assert.Contains("Every other browser is signed out", await TextAsync(answer, "[role=status]"));
        Assert.False(await SignInTests.IsInAsync(lost));
        Assert.True(await SignInTests.IsInAsync(laptop));
        using var old = await lost.SignInAsync(House.Email, House.Password);
        using var wanted = await lost.SignInAsync(House.Email, NewPassword);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, old.StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, wanted.StatusCode);
        var entry = Assert.Single(await house.LoggedAsync(AuditKinds.UserChanged));
        Assert.Contains("changed the password", entry);
        Assert.DoesNotContain(NewPassword, entry);
    }

    [Theory]
    [InlineData("wrong-horse-battery-staple", NewPassword, "not your current password")]
    [InlineData("", NewPassword, "not your current password")]
    [InlineData(House.Password, "short", "at least 12")]
    [InlineData(House.Password, House.Password, "the one you have")]
    [InlineData(House.Password, "", "at least 12")]
    public async Task A_password_stays_as_it_is(string old, string wanted, string because)
    {
        using var laptop = await InAsync(House.Email, House.Password);
        using var other = await InAsync(House.Email, House.Password);

        using var answer = await ChangeAsync(laptop, old, wanted);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains(because, await TextAsync(answer, "details[open] [role=alert]"));
        Assert.True(await SignInTests.IsInAsync(other));
        using var still = await other.SignInAsync(House.Email, House.Password);
        Assert.Equal(HttpStatusCode.SeeOther, still.StatusCode);
    }

    [Fact]
    public async Task Who_finds_a_browser_open_after_a_while_cannot_change_the_password()
    {
        using var ada = await InAsync(House.Email, House.Password);
        var form = (await ada.PageAsync("/me")).Forms["password"]!;
        house.Clock.Advance(TimeSpan.FromMinutes(15));

        using var answer = await ada.SubmitAsync(
            form, "/me", ("password", House.Password), ("new_password", NewPassword));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Null((await Visitor.ReadAsync(answer)).Forms["password"]);
        using var still = await ada.SignInAsync(House.Email, House.Password);
        Assert.Equal(HttpStatusCode.SeeOther, still.StatusCode);
    }

    [Fact]
    public async Task Guesses_at_the_current_password_are_tries_to_sign_in()
    {
        using var ada = await InAsync(House.Email, House.Password);
        for (var tries = 0; tries < SignInThrottle.PerAccount; tries++)
        {
            (await ChangeAsync(ada, $"wrong-horse-battery-{tries}", NewPassword)).Dispose();
        }

        using var right = await ChangeAsync(ada, House.Password, NewPassword);
        using var signIn = await ada.SignInAsync(House.Email, House.Password);

        Assert.Equal(HttpStatusCode.TooManyRequests, right.StatusCode);
        Assert.Equal(SignInThrottle.Window, right.Headers.RetryAfter!.Delta);
        Assert.Contains("too many tries", await TextAsync(right, "details[open] [role=alert]"));
        Assert.Equal(HttpStatusCode.TooManyRequests, signIn.StatusCode);
        Assert.Equal(SignInThrottle.PerAccount, (await house.LoggedAsync(AuditKinds.UserFailed)).Count);
    }

    [Fact]
    public async Task Of_two_changes_side_by_side_one_is_made()
    {
        using var ada = await InAsync(House.Email, House.Password);
        var form = (await ada.PageAsync("/me")).Forms["password"]!;

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(n =>
            ada.SubmitAsync(form, "/me", ("password", House.Password), ("new_password", $"{NewPassword} {n}"))));

        Assert.Single(answers, answer => answer.StatusCode is HttpStatusCode.OK);
        Assert.Single(await house.LoggedAsync(AuditKinds.UserChanged));
        Array.ForEach(answers, answer => answer.Dispose());
    }

    [Fact]
    public async Task Who_signs_in_by_passkey_alone_is_given_no_password()
    {
        using var ada = await InAsync(House.Email, House.Password);
        var form = (await ada.PageAsync("/me")).Forms["password"]!;
        await house.Get<Db>().WriteAsync(async unit => await unit.RunAsync($"update users set password_hash = null"));

        using var answer = await ada.SubmitAsync(form, "/me", ("password", ""), ("new_password", NewPassword));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Null((await Visitor.ReadAsync(answer)).Forms["password"]);
        Assert.Null((await house.UserAsync(House.Email)).PasswordHash);
    }

    [Fact]
    public async Task A_person_sees_what_was_done_and_refused_in_their_name_and_no_more()
    {
        var (adas, bobs) = (await GrantAsync(House.Email, "Claude"), await GrantAsync(House.OtherEmail, "Spy"));
        await AskAsync(adas, "read_note", Risk.Read);
        await AskAsync(adas, "delete_note", Risk.Destroy);
        await AskAsync(bobs, "add_note", Risk.Change);
        using var ada = await InAsync(House.Email, House.Password);

        var page = await ada.PageAsync("/me");

        var rows = page.QuerySelectorAll(".calls li").Select(row => Regex.Replace(row.TextContent, @"\s+", " ").Trim());
        Assert.Equal(
            [
                "“Claude” wanted to use delete_note in Notes refused just now",
                "“Claude” used read_note in Notes allowed just now",
            ],
            rows);
    }

    [Fact]
    public async Task The_front_page_offers_addresses_that_can_be_copied_by_hand()
    {
        using var nobody = new Visitor(house.Address);

        var page = await nobody.PageAsync("/");

        Assert.Equal(
            $"{house.Address.GetLeftPart(UriPartial.Authority)}/mcp/notes",
            page.QuerySelector("input[readonly]")!.GetAttribute("value"));
    }

    public ValueTask DisposeAsync() => house.DisposeAsync();

    private static async Task<string> TextAsync(HttpResponseMessage answer, string place) =>
        (await Visitor.ReadAsync(answer)).QuerySelector(place)!.TextContent;

    private async Task<bool> IsLiveAsync(Grant grant) =>
        (await house.Get<GrantBook>().FindAsync(grant.Tenant, grant.Id, default))!.IsLive(house.Clock.GetUtcNow());

    private static IHtmlFormElement Row(IHtmlDocument page, string action, string id) => page.Forms.Single(form =>
        form.GetAttribute("action") == action && ((IHtmlInputElement)form.Elements["id"]!).Value == id);

    private async Task<Visitor> InAsync(string email, string password)
    {
        var visitor = new Visitor(house.Address);
        (await visitor.SignInAsync(email, password)).Dispose();
        return visitor;
    }

    private static async Task<HttpResponseMessage> ChangeAsync(Visitor visitor, string old, string wanted) =>
        await visitor.SubmitAsync(
            (await visitor.PageAsync("/me")).Forms["password"]!, "/me", ("password", old), ("new_password", wanted));

    private async Task AskAsync(Grant grant, string tool, Risk risk) => await Permit.AskAsync(
        house.Get<AuditLog>(),
        house.Get<Ledger>(),
        house.Get<Settings>(),
        new(grant, grant.Resource, tool, risk, null, "t"));

    private async Task<Grant> GrantAsync(string email, string client)
    {
        var now = house.Clock.GetUtcNow();
        var grant = new Grant
        {
            Id = GrantId.New(now, house.Get<RandomNumberGenerator>()),
            Tenant = TenantId.Default,
            Subject = (await house.UserAsync(email)).Id,
            IsOwn = false,
            Client = new("c_1"),
            ClientName = client,
            Resource = house.Get<ServerBook>().Find(TenantId.Default, "notes")!.Resource,
            Scopes = Scopes.Of(Scopes.Read, Scopes.Write),
            CreatedAt = now,
            ExpiresAt = now.AddDays(30),
        };
        await house.Get<Db>().WriteAsync(async unit => await GrantBook.AddAsync(unit, grant));
        return grant;
    }
}
