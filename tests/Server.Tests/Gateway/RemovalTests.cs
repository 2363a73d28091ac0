using System.Text;
using Postern.Audit;
using Postern.Gateway.Inspect;
using Postern.Gateway.Relay;
using Postern.Platform.Database;
using Postern.Servers;

namespace Postern.Tests.Gateway;

/// <summary>What is known of a server goes with it, on every node, and is not taken for its successor's.</summary>
public sealed class RemovalTests : IAsyncLifetime
{
    private const string Private = "outbound: { allow: [127.0.0.1/32] }";

    private Behind modern = null!, legacy = null!;
    private GatewayHost one = null!, two = null!;

    public async ValueTask InitializeAsync()
    {
        (modern, legacy) = (await Behind.ModernAsync(), await Behind.LegacyAsync());
        one = await GatewayHost.StartAsync("  []", Private, On.Postgres);
        two = await GatewayHost.StartAsync("  []", Private, like: one);
    }

    public async ValueTask DisposeAsync()
    {
        await two.DisposeAsync();
        await one.DisposeAsync();
        await modern.DisposeAsync();
        await legacy.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_of_a_removed_server_is_left_on_any_node_or_in_the_database()
    {
        await AddAsync("new", modern);
        await AddAsync("old", legacy);
        WeakReference[] known =
        [
            await UseAsync(one, "new"), await UseAsync(one, "old"),
            await UseAsync(two, "new"), await UseAsync(two, "old"),
        ];
        var kept = await RowsAsync();
        await RemoveAsync("new");
        await RemoveAsync("old");

        Assert.Equal(["new", "old"], kept.Distinct().Order());
        Assert.Empty(await RowsAsync());
        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            return known.All(server => !server.IsAlive);
        });
    }

    [Fact]
    public async Task Sessions_go_with_their_server_though_the_node_that_removes_it_has_served_nobody()
    {
        await AddAsync("old", legacy);
        await UseAsync(two, "old");
        Assert.Contains("old", await RowsAsync());
        await RemoveAsync("old");

        Assert.Empty(await RowsAsync());
    }

    [Fact]
    public async Task What_comes_under_a_name_is_reached_on_a_way_of_its_own()
    {
        await AddAsync("crm", modern);
        var first = one.ServerOf("crm");
        var way = one.Get<Upstreams>().To(first);
        one.Get<TaskOwners>().Notice(first, Ada, Announcing("t-1"));
        await RemoveAsync("crm");
        await AddAsync("crm", modern);
        var second = one.ServerOf("crm");

        Assert.NotEqual(first, second);
        Assert.NotSame(way, one.Get<Upstreams>().To(second));
        await Assert.ThrowsAsync<UpstreamException>(
            () => way.TellAsync(new(Handshake.Nobody), Outgoing.Notification("notifications/x"), default));
        Assert.True(one.Get<TaskOwners>().Has(first, Ada, "t-1"));
        Assert.False(one.Get<TaskOwners>().Has(second, Ada, "t-1"));
    }

    [Fact]
    public async Task A_server_that_is_only_loaded_again_keeps_its_ways()
    {
        await AddAsync("crm", modern);
        await AddAsync("other", legacy);
        var way = one.Get<Upstreams>().To(one.ServerOf("crm"));
        await RemoveAsync("other");
        await one.Get<ServerBook>().LoadAsync(default);

        Assert.Same(way, one.Get<Upstreams>().To(one.ServerOf("crm")));
    }

    [Fact]
    public async Task Tasks_of_one_server_are_bounded_and_make_no_room_at_the_cost_of_anothers()
    {
        await AddAsync("busy", modern);
        await AddAsync("calm", modern);
        var tasks = one.Get<TaskOwners>();
        var (busy, calm) = (one.ServerOf("busy"), one.ServerOf("calm"));
        tasks.Notice(calm, Ada, Announcing("t-0"));
        for (var i = 0; i <= TaskOwners.MostPerServer; i++)
        {
            tasks.Notice(busy, Ada, Announcing($"t-{i}"));
        }

        Assert.False(tasks.Has(busy, Ada, "t-0"));
        Assert.True(tasks.Has(busy, Ada, $"t-{TaskOwners.MostPerServer}"));
        Assert.True(tasks.Has(calm, Ada, "t-0"));
    }

    private static Principal Ada => new(TenantId.Default, new("ada"), new("app"), new("g"));

    private static Message Announcing(string task)
    {
        var json = $$"""{"jsonrpc":"2.0","id":1,"result":{"resultType":"task","taskId":"{{task}}"} }""";
        Assert.True(Message.TryReadAnswer(Encoding.UTF8.GetBytes(json), out var message, out _));
        return message;
    }

    // Lets both nodes know all there is to know of a server: its tools, a line, a session, a task.
    private static async Task<WeakReference> UseAsync(GatewayHost host, string server)
    {
        var token = await host.TokenAsync(server);
        foreach (var tool in new[] { "echo", "job" })
        {
            using var answer = await host.CallAsync(server, token, tool);
            Assert.NotNull((await GatewayHost.JsonOf(answer))["result"]);
        }

        var session = await host.InitializeAsync(server, token);
        using var legacily = await host.LegacyCallAsync(server, token, session, "echo");
        Assert.NotNull((await GatewayHost.JsonOf(legacily))["result"]);
        return new(host.ServerOf(server));
    }

    private async Task AddAsync(string name, Behind behind)
    {
        var settings = new ServerSettings(name, null, behind.Url, new Dictionary<string, string>());
        Assert.True(await one.Get<ServerBook>().AddAsync(TenantId.Default, settings, By(AuditKinds.ServerAdded)));
        await Eventually.TrueAsync(() => two.Get<ServerBook>().Find(TenantId.Default, name) is not null);
    }

    private async Task RemoveAsync(string name)
    {
        Assert.True(
            await one.Get<ServerBook>().RemoveAsync(TenantId.Default, name, By(AuditKinds.ServerRemoved)));
        await Eventually.TrueAsync(() => two.Get<ServerBook>().Find(TenantId.Default, name) is null);
    }

    private static AuditEntry By(string kind) => new() { Tenant = TenantId.Default, Kind = kind };

    // Whose tools and sessions are kept; the demo's are.
    private Task<List<string>> RowsAsync() => one.Get<Db>().AllAsync(
        $"""
        select server from catalogues where server <> 'notes' union all select server from gateway_sessions
        """,
        row => row.GetString(0),
        default);
}
