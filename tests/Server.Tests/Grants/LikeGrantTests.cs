using Postern.Audit;
using Postern.Grants;

namespace Postern.Tests.Grants;

/// <summary>One agreement to tell who somebody is may have become several grants.</summary>
public sealed class LikeGrantTests
{
    [Theory, OnBoth]
    public async Task They_end_together_however_many_they_are(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        await App.Web(server).LetInAsync(ada);
        var grant = (await OAuth.Grants.OfAsync(server, Person.Ada)).Single() with { Scopes = Scopes.Identity };
        await server.Db.WriteAsync(async unit =>
        {
            for (var i = 0; i < (2 * GrantStore.Page) + 1; i++)
            {
                await GrantBook.AddAsync(unit, grant with { Id = new($"like-{i}") });
            }
        });

        await server.Get<GrantBook>().RevokeAsync(
            grant, new() { Tenant = TenantId.Default, Kind = AuditKinds.GrantRevoked });

        Assert.Empty(await OAuth.Grants.OfAsync(server, Person.Ada));
    }
}
