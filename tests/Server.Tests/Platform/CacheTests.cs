using Postern.Platform;

namespace Postern.Tests.Platform;

/// <summary>What is kept in memory is never older than the change that was told.</summary>
public sealed class CacheTests
{
    [Fact]
    public async Task A_slow_load_does_not_bring_back_what_was_dropped_meanwhile()
    {
        var reading = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var loads = 0;
        var cache = new Cache<string, string>(
            10, (_, _) => ++loads is 1 ? reading.Task : Task.FromResult<string?>("new"));

        var slow = cache.FindAsync("a", default);
        cache.Drop("a");
        reading.SetResult("old");

        Assert.Equal("old", await slow);
        Assert.Null(cache.Peek("a"));
        Assert.Equal("new", await cache.FindAsync("a", default));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Neither_does_it_after_all_or_some_were_dropped(bool all)
    {
        var reading = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var cache = new Cache<string, string>(10, (_, _) => reading.Task);

        var slow = cache.FindAsync("a", default);
        if (all)
        {
            cache.Clear();
        }
        else
        {
            cache.DropWhere(value => value is "something else");
        }

        reading.SetResult("old");
        await slow;

        Assert.Null(cache.Peek("a"));
    }

    [Fact]
    public async Task Equal_loads_are_one_and_one_who_gives_up_does_not_end_it_for_the_others()
    {
        var reading = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var loads = 0;
        var cache = new Cache<string, string>(10, (_, _) =>
        {
            loads++;
            return reading.Task;
        });
        using var impatience = new CancellationTokenSource();

        var first = cache.FindAsync("a", impatience.Token).AsTask();
        var others = Enumerable.Range(0, 20).Select(_ => cache.FindAsync("a", default).AsTask()).ToList();
        await impatience.CancelAsync();
        reading.SetResult("value");

        Assert.All(await Task.WhenAll(others), value => Assert.Equal("value", value));
        Assert.Equal(1, loads);
        await Task.WhenAny(first);
    }

    [Fact]
    public async Task A_failure_and_an_absence_are_not_kept()
    {
        var loads = 0;
        var cache = new Cache<string, string>(10, (_, _) => ++loads switch
        {
            1 => Task.FromException<string?>(new InvalidOperationException("away")),
            2 => Task.FromResult<string?>(null),
            _ => Task.FromResult<string?>("there"),
        });

        await Assert.ThrowsAsync<InvalidOperationException>(() => cache.FindAsync("a", default).AsTask());
        Assert.Null(await cache.FindAsync("a", default));
        Assert.Equal("there", await cache.FindAsync("a", default));
    }

    [Fact]
    public async Task It_holds_no_more_than_it_may()
    {
        var kept = 0;
        var cache = new Cache<int, string>(100, (key, _) => Task.FromResult<string?>($"{key}"));
        for (var key = 0; key < 10_000; key++)
        {
            await cache.FindAsync(key, default);
            await cache.FindAsync(0, default);
        }

        for (var key = 0; key < 10_000; key++)
        {
            kept += cache.Peek(key) is null ? 0 : 1;
        }

        Assert.InRange(kept, 50, 101);
        Assert.NotNull(cache.Peek(0));
    }
}
