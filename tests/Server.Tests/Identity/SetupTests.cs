using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Postern.Audit;
using Postern.Identity.Setup;
using Postern.Identity.Users;
using Postern.Platform.Database;

namespace Postern.Tests.Identity;

public sealed class SetupTests : IAsyncLifetime
{
    private readonly House house = new();

    public ValueTask InitializeAsync() => house.StartAsync(withPeople: false);

    [Fact]
    public async Task The_link_makes_the_administrator_signs_in_and_is_spent()
    {
        using var ada = new Visitor(house.Address);
        var link = await LinkAsync();

        using var answer = await FillAsync(ada, link, House.Password);

        Assert.Equal("/console", answer.Headers.Location!.OriginalString);
        using var console = await ada.GetAsync("/console");
        Assert.Equal(HttpStatusCode.OK, console.StatusCode);
        Assert.Single(await house.LoggedAsync(AuditKinds.UserCreated));
        using var again = await ada.GetAsync(link);
        Assert.Equal(HttpStatusCode.Gone, again.StatusCode);
        Assert.Null(await house.SetupLinkAsync());
    }

    [Theory, OnBoth]
    public async Task People_and_their_sessions_live_on_either_database(On on)
    {
        await using var own = new House();
        await own.StartAsync(withPeople: true, on);
        using var ada = new Visitor(own.Address);
        (await ada.SignInAsync(House.Email, House.Password)).Dispose();
        Assert.True(await SignInTests.IsInAsync(ada));

        var first = (await own.UserAsync(House.Email)).Id;
        Assert.True(await own.AddPasskeyAsync(first, "AAAA"));
        Assert.False(await own.AddPasskeyAsync(first, "AAAA"));
        (await ada.SubmitAsync(SignInTests.Form(await ada.PageAsync("/me"), "/me/passkeys/remove"), "/me")).Dispose();
        Assert.True(await own.AddPasskeyAsync(first, "AAAA"));

        (await ada.SubmitAsync(SignInTests.Form(await ada.PageAsync("/me"), "/signout"), "/me")).Dispose();
        Assert.False(await SignInTests.IsInAsync(ada));
    }

    [Fact]
    public async Task Of_many_who_hold_the_link_one_comes_in()
    {
        var link = await LinkAsync();
        var visitors = Enumerable.Range(0, 12).Select(_ => new Visitor(house.Address)).ToArray();
        var pages = await Task.WhenAll(visitors.Select(visitor => visitor.PageAsync(link)));

        var answers = await Task.WhenAll(visitors.Select((visitor, n) => visitor.SubmitAsync(
            pages[n].Forms["setup"]!, link, ("email", $"someone{n}@example.test"), ("password", House.Password))));

        Assert.Equal(1, answers.Count(answer => answer.StatusCode is HttpStatusCode.SeeOther));
        Assert.Single(await house.LoggedAsync(AuditKinds.UserCreated));
    }

    [Fact]
    public async Task A_link_is_over_after_its_hour_and_when_a_newer_one_was_made()
    {
        using var ada = new Visitor(house.Address);
        var older = await LinkAsync();
        var newer = await LinkAsync();

        using var first = await ada.GetAsync(older);
        using var second = await ada.GetAsync(newer);
        house.Clock.Advance(SetupLinks.Lifetime);
        using var late = await ada.GetAsync(newer);

        Assert.Equal(
            [HttpStatusCode.Gone, HttpStatusCode.OK, HttpStatusCode.Gone],
            [first.StatusCode, second.StatusCode, late.StatusCode]);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("aaaaaaaaaaaaaaaa")]
    [InlineData("ada@example.test")]
    public async Task A_weak_password_is_refused_with_the_reason_and_spends_nothing(string password)
    {
        using var ada = new Visitor(house.Address);
        var link = await LinkAsync();

        using var refused = await FillAsync(ada, link, password);
        using var answer = await FillAsync(ada, link, House.Password);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.NotNull((await Visitor.ReadAsync(refused)).QuerySelector("[role=alert]"));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
    }

    [Theory]
    [InlineData("/setup")]
    [InlineData("/setup?link=")]
    [InlineData("/setup?link=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Without_the_link_nothing_is_shown(string path)
    {
        await LinkAsync();
        using var stranger = new Visitor(house.Address);

        using var answer = await stranger.GetAsync(path);

        Assert.Equal(HttpStatusCode.Gone, answer.StatusCode);
    }

    [Fact]
    public async Task A_link_is_over_when_somebody_else_became_the_administrator()
    {
        using var ada = new Visitor(house.Address);
        var link = await LinkAsync();
        var page = await ada.PageAsync(link);
        await AddAsync("eve@example.test");

        using var seen = await ada.GetAsync(link);
        using var sent = await ada.SubmitAsync(
            page.Forms["setup"]!, link, ("email", House.Email), ("password", House.Password));
        Assert.Equal((HttpStatusCode.Gone, HttpStatusCode.Gone), (seen.StatusCode, sent.StatusCode));
        Assert.False(await house.Get<Db>().WriteAsync(
            unit => house.Get<SetupLinks>().SpendAsync(unit, TenantId.Default, new(link.Split('=')[1]))));

        Assert.Null(await house.SetupLinkAsync());
        Assert.Empty(await house.Get<Db>().AllAsync($"select id from setup_links", row => row.GetString(0), default));
    }

    [Fact]
    public async Task Who_was_slower_with_the_address_is_told_so_and_the_link_stays_good()
    {
        var link = await LinkAsync();
        await AddAsync(House.Email, isAdmin: false);
        var desk = house.Get<SetupDesk>();
        var http = new DefaultHttpContext { RequestServices = house.Get<IServiceProvider>() };

        Assert.False(await desk.MakeAsync(http, new(Person(House.Email), null), new(link.Split('=')[1])));

        using var ada = new Visitor(house.Address);
        using var answer = await ada.GetAsync(link);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    public ValueTask DisposeAsync() => house.DisposeAsync();

    private Task AddAsync(string email, bool isAdmin = true) => house.Get<Db>().WriteAsync(
        async unit => Assert.True(await UserStore.InsertAsync(unit, Person(email) with { IsAdmin = isAdmin })));

    private User Person(string email) => new()
    {
        Tenant = TenantId.Default,
        Id = User.NewId(house.Clock.GetUtcNow(), house.Get<RandomNumberGenerator>()),
        Email = email,
        PasswordHash = null,
        IsAdmin = true,
        CreatedAt = house.Clock.GetUtcNow(),
    };

    private async Task<string> LinkAsync() => new Uri((await house.SetupLinkAsync())!).PathAndQuery;

    private static async Task<HttpResponseMessage> FillAsync(Visitor visitor, string link, string password)
    {
        var page = await visitor.PageAsync(link);
        return await visitor.SubmitAsync(page.Forms["setup"]!, link, ("email", House.Email), ("password", password));
    }
}
