using Postern.OAuth.ClientAuth;

namespace Postern.Tests.OAuth;

/// <summary>Strangers decide what is fetched, and so how full the memory of it is.</summary>
public sealed class FetchCacheTests
{
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_full_one_keeps_its_bound_and_fails_nobody_however_many_write_at_once()
    {
        const int Capacity = 1000, Writers = 8, Each = 20_000;
        var cache = new FetchCache<string>(Capacity, new FakeClock());
        using var together = new Barrier(Writers);

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Factory.StartNew(
            () =>
            {
                together.SignalAndWait();
                for (var i = 0; i < Each; i++)
                {
                    cache.Keep(Address(writer, i), "document", Fresh);
                }
            },
            TaskCreationOptions.LongRunning)));

        var kept = Enumerable.Range(0, Writers)
            .Sum(writer => Enumerable.Range(0, Each).Count(i => cache.Find(Address(writer, i)) is not null));
        // Each writer may have seen the last free place.
        Assert.InRange(kept, 1, Capacity + Writers);
    }

    [Fact]
    public void What_would_be_stale_first_makes_room()
    {
        var cache = new FetchCache<string>(10, new FakeClock());
        for (var i = 0; i < 10; i++)
        {
            cache.Keep(Address(0, i), "document", i is 7 ? Fresh / 2 : Fresh);
        }

        cache.Keep(Address(1, 0), "document", Fresh);

        Assert.Null(cache.Find(Address(0, 7)));
        Assert.Equal(9, Enumerable.Range(0, 10).Count(i => cache.Find(Address(0, i)) is not null));
        Assert.NotNull(cache.Find(Address(1, 0)));
    }

    private static string Address(int host, int path) => $"https://{host}.example/{path}";
}
