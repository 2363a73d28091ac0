using System.Net;
using Postern.Audit;
using Postern.Platform.Keys;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.Tests.Tenants;

/// <summary>A tenant that is removed is gone at once, for good, and on every node; its name inherits nothing.</summary>
public sealed class TenantEndTests
{
    [Theory, OnBoth]
    public async Task A_removed_tenant_is_gone_everywhere_and_the_next_of_its_name_inherits_nothing(On on)
    {
        await using var one = await TestServer.StartAsync(App.Town, on);
        await using var other = on is On.Postgres ? await TestServer.StartAsync(App.Town, on, like: one) : null;
        var two = other ?? one;
        using var acme = await Estate.AddAsync(one, "acme");
        using var bird = await Estate.AddAsync(one, "bird");
        await Eventually.TrueAsync(() => two.Get<TenantBook>().Below("bird") is not null);
        using var there = acme.At(two);
        using var ada = acme.Visit();
        var (tokens, spared) = (await there.LetInAsync(ada), await bird.LetInAsync(ada));
        var code = (await ada.AllowAsync(acme.Ask)).Code;
        Assert.Equal(HttpStatusCode.OK, await there.App.CallAsync(tokens.AccessToken));

        Assert.True(await one.Get<TenantBook>().RemoveAsync(acme.Tenant, _ => { }));

        Assert.Equal(HttpStatusCode.NotFound, await acme.App.CallAsync(tokens.AccessToken));
        await Eventually.TrueAsync(async () =>
            await there.App.CallAsync(tokens.AccessToken) is HttpStatusCode.NotFound);
        Assert.Equal(HttpStatusCode.NotFound, (await there.App.RefreshAsync(tokens.RefreshToken)).Status);
        Assert.False(await one.Get<TenantBook>().RemoveAsync(acme.Tenant, _ => { }));

        using var next = await Estate.AddAsync(one, "acme");
        var inherited = next.With(acme);
        Assert.Equal(acme.Tenant.Issuer, next.Tenant.Issuer);
        Assert.NotEqual(acme.Tenant.Id, next.Tenant.Id);
        Assert.Equal(HttpStatusCode.Unauthorized, await inherited.CallAsync(tokens.AccessToken));
        Assert.Equal("invalid_client", (await inherited.RefreshAsync(tokens.RefreshToken)).Error);
        Assert.Equal("invalid_grant", (await next.App.RefreshAsync(tokens.RefreshToken)).Error);
        Assert.Equal("invalid_grant", (await next.App.RedeemAsync(code)).Error);
        using var page = await ada.GetAsync("/t/acme/me");
        Assert.Equal(HttpStatusCode.SeeOther, page.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await bird.App.CallAsync(spared.AccessToken));
    }

    [Theory, OnBoth]
    public async Task Nothing_of_a_removed_tenant_stays_but_its_log_without_its_people(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var acme = await Estate.AddAsync(server, "acme");
        using var bird = await Estate.AddAsync(server, "bird");
        using var ada = acme.Visit();
        await acme.LetInAsync(ada);
        await bird.LetInAsync(ada);
        var before = await CountsAsync(server, bird.Tenant.Id);
        var entries = await server.Get<AuditLog>().LastAsync(acme.Tenant.Id, default);

        await server.Get<TenantBook>().RemoveAsync(acme.Tenant, _ => { });
        await server.Get<TenantBook>().PurgeAsync(default);

        var left = (await CountsAsync(server, acme.Tenant.Id))
            .Where(table => table.Value > 0).Select(table => table.Key);
        Assert.Equal(["audit_heads", "tenants"], left.Except(["changes"]).Order(StringComparer.Ordinal));
        Assert.Equal(before, await CountsAsync(server, bird.Tenant.Id));
        var log = await server.Get<AuditLog>().AfterAsync(acme.Tenant.Id, -1, 1000, default);
        Assert.Equal(entries + 1, log.Count);
        Assert.All(log, row => Assert.Null(row.Subject));

        server.Clock.Advance(TimeSpan.FromHours(2));
        await server.Get<TenantBook>().PurgeAsync(default);
        Assert.Equal(0, (await CountsAsync(server, acme.Tenant.Id))["tenants"]);
    }

    [Theory, OnBoth]
    public async Task Tenants_outlast_a_start_with_their_keys_servers_and_people(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var acme = await Estate.AddAsync(server, "acme", "acme.localhost:7400");
        using var bird = await Estate.AddAsync(server, "bird");
        using var ada = acme.Visit();
        var tokens = await acme.LetInAsync(ada);
        await server.Get<TenantBook>().RemoveAsync(bird.Tenant, _ => { });
        await server.StopAsync();

        await using var again = await TestServer.StartAsync(App.Town, on, like: server);
        using var there = acme.At(again);

        Assert.Equal(acme.Tenant, again.Get<TenantBook>().Named("acme"));
        Assert.Null(again.Get<TenantBook>().Named("bird"));
        Assert.Equal(HttpStatusCode.OK, await there.App.CallAsync(tokens.AccessToken));
        Assert.Equal(HttpStatusCode.OK, (await there.App.RefreshAsync(tokens.RefreshToken)).Status);
    }

    [Theory, OnBoth]
    public async Task Of_fifty_who_make_a_tenant_of_one_name_one_does(On on)
    {
        await using var one = await TestServer.StartAsync("demo: false", on);
        await using var other = on is On.Postgres ? await TestServer.StartAsync("demo: false", on, like: one) : null;
        TenantBook[] books = [one.Get<TenantBook>(), (other ?? one).Get<TenantBook>()];

        var made = await Task.WhenAll(Enumerable.Range(0, 50).Select(at => books[at % 2].AddAsync(
            new() { Name = at % 5 is 0 ? $"n{at}" : "acme" }, (_, _) => { }, default)));

        Assert.Equal(11, made.Count(tenant => tenant is not null));
        await Eventually.TrueAsync(() => Array.TrueForAll(books, book => book.All.Count is 12));
        await Eventually.TrueAsync(() => made.OfType<Tenant>()
            .All(tenant => one.Get<SigningKeys>().Published(tenant.Id).Count is 1));
        var numbers = await one.Db.AllAsync(
            $"select number from audit_heads order by number", row => Tuple.Create(row.GetInt64(0)), default);
        Assert.Equal(Enumerable.Range(0, 12).Select(number => (long)number), numbers.Select(number => number.Item1));
    }

    [Fact]
    public async Task What_lasts_in_a_tenant_is_cut_when_it_ends()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var acme = await Estate.AddAsync(server, "acme");
        using var ada = acme.Visit();
        var grant = (await acme.LetInAsync(ada)).Claims.GetProperty("grant_id").GetString()!;
        var book = server.Get<Postern.Grants.GrantBook>();
        var cut = new TaskCompletionSource();
        using var watched = server.Get<Postern.Gateway.Relay.GrantWatch>().Enter(
            (await book.FindAsync(acme.Tenant.Id, new(grant), default))!,
            server.Clock.GetUtcNow() + TimeSpan.FromHours(1),
            cut.SetResult);

        await server.Get<TenantBook>().RemoveAsync(acme.Tenant, _ => { });

        await cut.Task.WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System);
        await Eventually.TrueAsync(() => server.Get<ServerBook>().All(acme.Tenant.Id) is []);
        await Eventually.TrueAsync(() => server.Get<SigningKeys>().Published(acme.Tenant.Id) is []);
    }

    private static async Task<Dictionary<string, long>> CountsAsync(TestServer server, TenantId tenant)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in await server.Db.AllAsync(
            server.Db.Engine.TablesOfTenants, row => row.GetString(0), default))
        {
            var rows = await server.Db.AllAsync(
                System.Runtime.CompilerServices.FormattableStringFactory.Create(
                    $"select count(*) from {table} where tenant = {{0}}", tenant.Value),
                row => Tuple.Create(row.GetInt64(0)),
                default);
            counts[table] = rows[0].Item1;
        }

        return counts;
    }
}
