using System.Buffers.Text;
using System.Text.Json.Nodes;
using Postern.Audit;
using Postern.Gateway.Relay;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Platform.Database;
using static Postern.Tests.Gateway.GatewayHost;

namespace Postern.Tests.Gateway;

public sealed class WatchTests : BothEras
{
    [Fact]
    public async Task What_begins_to_last_after_its_grant_ended_is_cut_at_once()
    {
        var grant = await host.GrantAsync("crm");
        await host.RevokeAsync(grant);
        var cut = new TaskCompletionSource();
        using var watched = host.Get<GrantWatch>().Enter(grant, grant.ExpiresAt, () => cut.TrySetResult());

        await cut.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task What_lasts_is_cut_when_its_token_is_handed_back_and_another_tokens_is_not()
    {
        var grant = await host.GrantAsync("crm");
        var (before, after) = (new TaskCompletionSource(), new TaskCompletionSource());
        var watch = host.Get<GrantWatch>();
        using var first = watch.Enter(grant, grant.ExpiresAt, () => before.TrySetResult(), "one");
        using var another = watch.Enter(grant, grant.ExpiresAt, () => Assert.Fail("It has another token."), "two");

        await HandBackAsync("one");
        using var late = watch.Enter(grant, grant.ExpiresAt, () => after.TrySetResult(), "one");

        await before.Task.WaitAsync(Patience);
        await after.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task What_lasts_is_cut_when_somebody_in_its_grant_is_switched_off_and_another_is_not()
    {
        var (grant, other) = (await host.GrantAsync("crm"), await host.GrantAsync("crm", client: "other"));
        var (before, after) = (new TaskCompletionSource(), new TaskCompletionSource());
        var watch = host.Get<GrantWatch>();
        using var first = watch.Enter(grant, grant.ExpiresAt, () => before.TrySetResult());
        using var another = watch.Enter(other, other.ExpiresAt, () => Assert.Fail("It has another client."));

        await host.Get<Switches>().TurnOffAsync(
            Party.Of(grant.Tenant, grant.Client),
            "a test",
            null,
            new() { Tenant = grant.Tenant, Kind = AuditKinds.SwitchedOff });
        using var late = watch.Enter(grant, grant.ExpiresAt, () => after.TrySetResult());

        await before.Task.WaitAsync(Patience);
        await after.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task What_lasts_is_cut_when_nobody_can_say_whether_its_grant_lives()
    {
        var grant = await host.GrantAsync("crm");
        await host.Get<Db>().WriteAsync(async unit =>
        {
            await unit.RunAsync($"update grants set resource = {"nonsense"} where id = {grant.Id.Value}");
            unit.Announce(GrantBook.Renewed, grant.Tenant, grant.Id.Value);
        });
        var cut = new TaskCompletionSource();
        using var watched = host.Get<GrantWatch>().Enter(grant, grant.ExpiresAt, () => cut.TrySetResult());

        await cut.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_stream_ends_when_the_token_it_came_with_is_handed_back()
    {
        await host.TokenAsync("crm");
        var token = host.Token(await host.GrantAsync("crm"));
        const string Wanted = "\"notifications\":{\"toolsListChanged\":true}";
        using var answer = await host.ModernAsync("crm", token, "subscriptions/listen", Wanted, id: "42");
        using var events = await StreamOf(answer);
        await NextAsync(events);
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!;
        await HandBackAsync((string)claims["jti"]!);

        Assert.Equal(42, (int)(await NextAsync(events))!["id"]!);
        Assert.Null(await NextAsync(events));
    }

    [Fact]
    public async Task Whoever_comes_while_the_last_one_leaves_is_watched_too()
    {
        var grants = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => host.GrantAsync("crm")));
        var watch = host.Get<GrantWatch>();
        var cuts = new List<Task>();
        foreach (var grant in grants)
        {
            var leaving = watch.Enter(grant, grant.ExpiresAt, () => { })!;
            using var together = new Barrier(3);
            var coming = new[] { Enter(grant, together), Enter(grant, together) };
            together.SignalAndWait();
            leaving.Dispose();
            cuts.AddRange(await Task.WhenAll(coming));
        }

        await Task.WhenAll(grants.Select(host.RevokeAsync));

        await Task.WhenAll(cuts).WaitAsync(Patience);

        Task<Task> Enter(Grant grant, Barrier together) => Task.Factory.StartNew(
            () =>
            {
                var cut = new TaskCompletionSource();
                together.SignalAndWait();
                watch.Enter(grant, grant.ExpiresAt, () => cut.TrySetResult());
                return (Task)cut.Task;
            },
            TaskCreationOptions.LongRunning);
    }

    private Task HandBackAsync(string token) => host.Get<RevokedTokens>().AddAsync(
        TenantId.Default,
        token,
        host.ServerOf("notes").Resource.Value,
        host.Clock.GetUtcNow().AddHours(1),
        new() { Tenant = TenantId.Default, Kind = AuditKinds.TokenRevoked });
}
