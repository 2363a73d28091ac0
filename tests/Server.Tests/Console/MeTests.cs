using System.Net;
using AngleSharp.Html.Dom;
using Postern.Audit;
using Postern.Grants;
using Postern.Platform.Database;
using Postern.Servers;
using Postern.Tests.Identity;

namespace Postern.Tests.Console;

public sealed class MeTests : IAsyncLifetime
{
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
        Assert.False((await house.Get<GrantBook>().FindAsync(grant.Tenant, grant.Id, default))!.IsLive(house.Clock.GetUtcNow()));
        Assert.Single(await house.LoggedAsync(AuditKinds.GrantRevoked));
    }

    [Fact]
    public async Task Nobody_ends_what_another_agreed_to()
    {
        var adas = await GrantAsync(House.Email, "Claude");
        var bobs = await GrantAsync(House.OtherEmail, "Claude");
        using var bob = await InAsync(House.OtherEmail, House.OtherPassword);
        var page = await bob.PageAsync("/me");

        using var answer = await bob.SubmitAsync(Row(page, "/me/grants/end", bobs.Id.Value), "/me", ("id", adas.Id.Value));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.DoesNotContain(adas.Id.Value, page.Body!.InnerHtml);
        Assert.True((await house.Get<GrantBook>().FindAsync(adas.Tenant, adas.Id, default))!.IsLive(house.Clock.GetUtcNow()));
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
        Assert.True((await house.Get<GrantBook>().FindAsync(grant.Tenant, grant.Id, default))!.IsLive(house.Clock.GetUtcNow()));
    }

    [Fact]
    public async Task The_front_page_offers_addresses_that_can_be_copied_by_hand()
    {
        using var nobody = new Visitor(house.Address);

        var page = await nobody.PageAsync("/");

        Assert.Equal($"{house.Address.GetLeftPart(UriPartial.Authority)}/mcp/notes", page.QuerySelector("input[readonly]")!.GetAttribute("value"));
    }

    public ValueTask DisposeAsync() => house.DisposeAsync();

    private static IHtmlFormElement Row(IHtmlDocument page, string action, string id) => page.Forms.Single(form =>
        form.GetAttribute("action") == action && ((IHtmlInputElement)form.Elements["id"]!).Value == id);

    private async Task<Visitor> InAsync(string email, string password)
    {
        var visitor = new Visitor(house.Address);
        (await visitor.SignInAsync(email, password)).Dispose();
        return visitor;
    }

    private async Task<Grant> GrantAsync(string email, string client)
    {
        var now = house.Clock.GetUtcNow();
        var grant = new Grant
        {
            Id = GrantId.New(now),
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
