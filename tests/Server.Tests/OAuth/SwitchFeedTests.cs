using System.Diagnostics;
using System.Net;
using Postern.AspNetCore.Revocations;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Feed;

namespace Postern.Tests.OAuth;

/// <summary>Resource servers elsewhere hear who is switched off, and who is on again.</summary>
public sealed class SwitchFeedTests
{
    private static readonly string[] Ways =
    [
        "code", "refresh", "client_credentials", "exchange", "device", "backchannel", "deferred", "identity assertion",
        "chaining", "workload",
    ];

    private static readonly (PartyKind Kind, string Id)[] Everybody =
    [
        (PartyKind.Client, "web"), (PartyKind.Client, "desk"), (PartyKind.Agent, Borough.Agent),
        (PartyKind.User, Person.Ada), (PartyKind.User, Person.Bob), (PartyKind.Organization, "acme"),
        (PartyKind.Organization, "maker"), (PartyKind.Organization, "outside"),
        (PartyKind.IdentityProvider, Borough.Idp), (PartyKind.IdentityProvider, Borough.As),
        (PartyKind.IdentityProvider, Borough.Platform),
    ];

    [Fact]
    public async Task Who_is_switched_off_on_one_node_opens_nothing_elsewhere_within_two_seconds_until_on_again()
    {
        await using var one = await TestServer.StartAsync(Borough.Yaml, On.Postgres);
        await using var two = await TestServer.StartAsync(Borough.Yaml, like: one);
        await using var shop = await Shop.OpenAsync(one, LateRevocations.Refuse);
        using var ada = new Person(one);
        (PartyKind Kind, string Id, string Token)[] each =
        [
            (PartyKind.Client, "web", (await App.Web(one).LetInAsync(ada)).AccessToken),
            (PartyKind.User, Person.Ada, (await App.Web(one).LetInAsync(ada)).AccessToken),
            (PartyKind.Agent, Borough.Agent, (await App.Bench(one).AsItselfAsync()).AccessToken),
            (PartyKind.Organization, "maker", (await App.Bench(one).AsItselfAsync()).AccessToken),
            (PartyKind.IdentityProvider, Borough.Platform,
                (await (await Borough.PrepareAsync(one, ada, "workload"))()).AccessToken),
        ];
        foreach (var (kind, id, token) in each)
        {
            await Eventually.TrueAsync(async () => await shop.AskAsync(token) is HttpStatusCode.OK);
            var (off, on) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
            for (var tries = 0; tries < 3; tries++)
            {
                var clock = Stopwatch.StartNew();
                await Borough.OffAsync(two, kind, id);
                await Eventually.TrueAsync(async () => await shop.AskAsync(token) is HttpStatusCode.Unauthorized);
                off = clock.Elapsed < off ? clock.Elapsed : off;
                clock.Restart();
                await Borough.OnAsync(two, kind, id);
                await Eventually.TrueAsync(async () => await shop.AskAsync(token) is HttpStatusCode.OK);
                on = clock.Elapsed < on ? clock.Elapsed : on;
            }

            Assert.InRange(off, TimeSpan.Zero, TimeSpan.FromSeconds(2));
            Assert.InRange(on, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        }
    }

    [Theory, OnBoth]
    public async Task The_database_says_of_all_grants_at_once_what_is_said_of_each(On on)
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml, on);
        using var ada = new Person(server);
        foreach (var way in Ways)
        {
            await (await Borough.PrepareAsync(server, ada, way))();
        }

        var all = (await server.Get<GrantBook>().AllAsync(TenantId.Default, null, 1000, default))
            .ConvertAll(use => use.Grant);
        foreach (var (kind, id) in Everybody)
        {
            await Borough.OffAsync(server, kind, id);
            var off = await AgreedAsync(server, all);
            await Borough.OnAsync(server, kind, id);

            Assert.NotEmpty(off);
            Assert.Empty(await AgreedAsync(server, all));
        }

        var agents = server.Get<AgentBook>();
        var agent = agents.Find(TenantId.Default, Borough.Agent)!;
        await agents.SaveAsync(agent with { EndsAt = server.Clock.GetUtcNow() }, null);
        Assert.NotEmpty(await AgreedAsync(server, all));
        await agents.SaveAsync(agent with { Owner = new("nobody") }, null);
        Assert.NotEmpty(await AgreedAsync(server, all));
    }

    [Theory, OnBoth]
    public async Task Who_connects_is_told_who_is_off_at_that_moment_and_hears_when_they_are_on(On on)
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml, on);
        using var ada = new Person(server);
        var (mine, other) = (await App.Web(server).LetInAsync(ada), await App.Native(server).LetInAsync(ada));
        await Borough.OffAsync(server, PartyKind.Client, "web");

        using var feed = await FeedReader.OpenAsync(server);
        var named = await feed.UntilAsync("off");
        var count = await feed.UntilAsync("on");
        await feed.UntilAsync("beat");
        await Borough.OnAsync(server, PartyKind.Client, "web");
        var left = await feed.UntilAsync("on");

        Assert.Equal(GrantOf(mine), named);
        Assert.NotEqual(GrantOf(other), named);
        Assert.Equal(("1", "0"), (count, left));
    }

    [Fact]
    public async Task Of_another_resource_or_tenant_nobody_hears_who_is_off()
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml);
        using var estate = await Tenants.Estate.AddAsync(server, "acme");
        using var ada = new Person(server);
        using var visitor = estate.Visit();
        await estate.LetInAsync(visitor);
        await App.Web(server).LetInAsync(ada, ("resource", $"{server.Issuer}/mcp/files"));
        await Borough.OffAsync(server, PartyKind.User, Person.Ada);
        using var feed = await FeedReader.OpenAsync(server);

        Assert.Equal("0", await feed.UntilAsync("on"));
    }

    [Fact]
    public async Task An_agent_whose_day_has_come_is_off_and_on_again_when_it_is_given_longer()
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml);
        using var ada = new Person(server);
        var tokens = await App.Web(server).LetInAsync(ada);
        var agents = server.Get<AgentBook>();
        var agent = agents.Find(TenantId.Default, Borough.Agent)!;
        var soon = server.Clock.GetUtcNow().AddMinutes(5);
        await agents.SaveAsync(agent with { EndsAt = soon }, null);
        using var feed = await FeedReader.OpenAsync(server);
        await feed.UntilAsync("beat");

        server.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(GrantOf(tokens), await feed.UntilAsync("off"));
        await feed.UntilAsync("on");
        await agents.SaveAsync(agent with { EndsAt = soon.AddDays(1) }, null);
        Assert.Equal("0", await feed.UntilAsync("on"));
    }

    [Theory, OnBoth]
    public async Task A_switch_of_very_many_grants_is_told_in_pages_to_every_reader(On on)
    {
        const int Many = (2 * OffGrants.Page) + 5000;
        await using var server = await TestServer.StartAsync(Borough.Yaml, on);
        using var ada = new Person(server);
        await App.Web(server).LetInAsync(ada);
        await server.Db.WriteAsync(async unit => await unit.RunAsync(
            $"""
            insert into grants (tenant, id, subject, is_own, client_id, client_name, resource, scopes, created_at,
              expires_at)
            with recursive n (i) as (select 1 union all select i + 1 from n where i < {Many - 1})
            select tenant, id || '-' || i, subject, is_own, client_id, client_name, resource, scopes, created_at,
              expires_at from grants, n where client_id = {"web"}
            """));
        using var first = await FeedReader.OpenAsync(server);
        using var second = await FeedReader.OpenAsync(server);
        await first.UntilAsync("beat");
        await second.UntilAsync("beat");

        await Borough.OffAsync(server, PartyKind.Client, "web");
        var counts = await Task.WhenAll(first.UntilAsync("on"), second.UntilAsync("on"));

        Assert.Equal([$"{Many}", $"{Many}"], counts);
        Assert.Equal(Many, first.Heard.Count(line => line is "event: off"));
        Assert.Equal(Many, first.Heard.Where(line => line.StartsWith("data: gr", StringComparison.Ordinal))
            .Distinct().Count());
    }

    [Fact]
    public async Task However_often_switches_are_turned_a_reader_is_told_no_more_than_it_can_take()
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml);
        using var ada = new Person(server);
        await App.Web(server).LetInAsync(ada);
        using var feed = await FeedReader.OpenAsync(server);
        await feed.UntilAsync("beat");

        for (var i = 0; i < 50; i++)
        {
            await Borough.OffAsync(server, PartyKind.Client, "web");
            await Borough.OnAsync(server, PartyKind.Client, "web");
        }

        await Borough.OffAsync(server, PartyKind.Client, "web");
        while (await feed.UntilAsync("on") is "0")
        {
        }

        Assert.InRange(feed.Heard.Count(line => line is "event: on"), 2, 50);
    }

    [Fact]
    public async Task Whose_secret_has_had_its_day_follows_no_longer_and_who_has_the_next_one_does()
    {
        const string Next = "next-secret-next-secret-next-secret-";
        await using var server = await TestServer.StartAsync(App.Town.Replace(
            $"    client_secret: {App.WatchSecret}\n",
            $$"""
                client_secrets:
                  - { secret: {{App.WatchSecret}}, expires: 2026-11-23 }
                  - { secret: {{Next}} }

            """,
            StringComparison.Ordinal));
        using var old = await FeedReader.OpenAsync(server);
        using var next = await FeedReader.OpenAsync(server, secret: Next);
        await old.UntilAsync("beat");
        await next.UntilAsync("beat");

        server.Clock.Advance(TimeSpan.FromDays(1));

        await Assert.ThrowsAsync<EndOfStreamException>(() => old.UntilAsync("grant"));
        await next.UntilAsync("beat");
        await next.UntilAsync("beat");
    }

    [Fact]
    public async Task Who_is_a_server_of_the_resource_no_more_follows_no_longer()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var feed = await FeedReader.OpenAsync(server);
        await feed.UntilAsync("beat");

        // The configuration is read at the start alone: this is what reading it again would bring.
        var watch = server.Get<ClientBook>().Configured(TenantId.Default).Single(client => client.Id.Value is "watch");
        typeof(Client).GetProperty(nameof(Client.Introspects))!.SetValue(watch, Array.Empty<string>());

        await Assert.ThrowsAsync<EndOfStreamException>(() => feed.UntilAsync("grant"));
        using var again = await FeedReader.AskAsync(
            server, App.Basic("watch", App.WatchSecret), $"{server.Issuer}/mcp/echo", null);
        Assert.Equal(HttpStatusCode.Forbidden, again.StatusCode);
    }

    [Fact]
    public async Task No_beat_is_said_while_an_end_waits_to_be_told()
    {
        await using var server = await TestServer.StartAsync(App.Town, On.Postgres);
        using var ada = new Person(server);
        var grant = GrantOf(await App.Web(server).LetInAsync(ada));
        using var feed = await FeedReader.OpenAsync(server);
        await feed.UntilAsync("beat");

        // Nobody can read the grant until this is committed.
        await using var connection = await server.Db.Engine.OpenAsync(default);
        await using var held = await connection.BeginTransactionAsync();
        await using var end = connection.CreateCommand();
        end.CommandText = "lock table grants in access exclusive mode; update grants set revoked_at = 1";
        await end.ExecuteNonQueryAsync();
        await server.Db.WriteAsync(unit =>
        {
            unit.Announce(GrantBook.Kind, TenantId.Default, grant);
            return ValueTask.CompletedTask;
        });
        Assert.True(server.Get<RevocationFeed>().IsBehind);
        var next = feed.NextAsync();
        await server.Clock.Alarms.RingTimerAsync(TimeSpan.FromSeconds(5));
        for (var i = 0; i < 50; i++)
        {
            using var answer = await server.Http.GetAsync(new Uri("/jwks", UriKind.Relative));
        }

        await held.CommitAsync();

        Assert.Equal("grant", await next);
    }

    private static string GrantOf(Reply reply) => reply.Claims.GetProperty("grant_id").GetString()!;

    // Those that are off at the one resource, once both agree.
    private static async Task<List<string>> AgreedAsync(TestServer server, List<Grant> all)
    {
        var (switches, echo) = (server.Get<Switches>(), $"{server.Issuer}/mcp/echo");
        await switches.LoadAsync(default);
        var each = new List<string>();
        foreach (var grant in all.Where(grant => grant.Resource.Value == echo))
        {
            if (await switches.WhyOffAsync(grant, null, default) is not null)
            {
                each.Add(grant.Id.Value);
            }
        }

        var said = await server.Get<OffGrants>().AtAsync(TenantId.Default, echo, "", default);
        Assert.Equal(each.Order(StringComparer.Ordinal), said);
        return said;
    }
}
