using Postern.Gateway.Relay;
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
}
