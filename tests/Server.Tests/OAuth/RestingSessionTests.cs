using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Identity.Sessions;
using Postern.OAuth.Logout;

namespace Postern.Tests.OAuth;

/// <summary>Whoever knew a person in a session hears that they are switched off, as of a sign-out, once.</summary>
public sealed class RestingSessionTests
{
    private const string Back = "OpenID Connect Back-Channel Logout";

    [Theory, OnBoth, Rfc(Back, "2.1")]
    public async Task Whoever_is_switched_off_is_signed_out_everywhere_and_once(On on)
    {
        await using var site = new LogoutPeer("HTTP/1.1 200 OK");
        await using var server = await TestServer.StartAsync(site.Settings, on);
        using var ada = new Person(server);
        using var elsewhere = new Person(server);
        string[] sids =
        [
            await LetInAsync(server, ada, "one"),
            await LetInAsync(server, ada, "two"),
            await LetInAsync(server, elsewhere, "one"),
        ];
        var party = await Borough.PartyAsync(server, PartyKind.User, Person.Ada);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
            server.Get<Switches>().TurnOffAsync(party, "a test", null, Borough.Entry)));
        await server.Get<LogoutSender>().NowAsync(default);

        Assert.Equal(sids.Order(), site.Heard.Select(SidOf).Order());

        // What goes on to end while it rests was told already.
        await server.Get<Dismissal>().EndAsync(TenantId.Default, GrantsOf.Of(party), Ended);
        await server.Get<LogoutSender>().NowAsync(default);
        Assert.Equal(3, site.Heard.Count);
    }

    [Fact, Rfc(Back, "2.1")]
    public async Task A_session_that_ended_before_is_not_told_again_and_nobody_else_is_signed_out()
    {
        await using var site = new LogoutPeer("HTTP/1.1 200 OK");
        await using var server = await TestServer.StartAsync(site.Settings);
        using var ada = new Person(server);
        using var bob = new Person(server.Issuer, server.Http.BaseAddress!, Person.Bob);
        await LetInAsync(server, bob, "two");
        var hint = (await Peer(server, "one").LetInAsync(ada, RelyingTown.Identity("openid"))).Member("id_token")!;
        await ada.OpenAsync($"/logout?id_token_hint={hint}");
        Assert.Single(site.Heard);

        await Borough.OffAsync(server, PartyKind.User, Person.Ada);
        await server.Get<LogoutSender>().NowAsync(default);

        Assert.Single(site.Heard);
    }

    [Theory, OnBoth, Rfc(Back, "2.1")]
    public async Task With_an_organization_all_its_people_are_signed_out_and_not_once_more_alone(On on)
    {
        await using var site = new LogoutPeer("HTTP/1.1 200 OK");
        await using var server = await TestServer.StartAsync(site.Settings, on);
        using var ada = new Person(server);
        using var bob = new Person(server.Issuer, server.Http.BaseAddress!, Person.Bob);
        string[] sids = [await LetInAsync(server, ada, "one"), await LetInAsync(server, ada, "two")];
        await LetInAsync(server, bob, "one");
        var organizations = server.Get<Organizations>();
        await organizations.AddAsync(TenantId.Default, "acme", "Acme", null);
        var party = await Borough.PartyAsync(server, PartyKind.User, Person.Ada);
        await organizations.MoveAsync(party, "acme", false, null);

        await Borough.OffAsync(server, PartyKind.Organization, "acme");
        await server.Get<LogoutSender>().NowAsync(default);
        await Borough.OffAsync(server, PartyKind.User, Person.Ada);
        await server.Get<LogoutSender>().NowAsync(default);
        await Borough.OnAsync(server, PartyKind.Organization, "acme");
        await Borough.OffAsync(server, PartyKind.Organization, "acme");
        await server.Get<LogoutSender>().NowAsync(default);

        Assert.Equal(sids.Order(), site.Heard.Select(SidOf).Order());
    }

    private static AuditEntry Ended => new() { Tenant = TenantId.Default, Kind = AuditKinds.GrantAllRevoked };

    private static App Peer(TestServer server, string name) =>
        new(server, name, $"https://{name}.example/cb", App.WebSecret);

    private static async Task<string> LetInAsync(TestServer server, Person person, string name)
    {
        var reply = await Peer(server, name).LetInAsync(person, RelyingTown.Identity("openid"));
        return name + SidOf(reply.Member("id_token")!)[3..];
    }

    private static string SidOf(string token)
    {
        var claims = Jwt.Claims(token);
        return claims.GetProperty("aud").GetString() + claims.GetProperty("sid").GetString();
    }
}
