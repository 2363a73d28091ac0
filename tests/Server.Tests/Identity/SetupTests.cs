using System.Net;
using Postern.Audit;
using Postern.Identity.Setup;

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

    public ValueTask DisposeAsync() => house.DisposeAsync();

    private async Task<string> LinkAsync() => new Uri((await house.SetupLinkAsync())!).PathAndQuery;

    private static async Task<HttpResponseMessage> FillAsync(Visitor visitor, string link, string password)
    {
        var page = await visitor.PageAsync(link);
        return await visitor.SubmitAsync(page.Forms["setup"]!, link, ("email", House.Email), ("password", password));
    }
}
