using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Revocations;

namespace Postern.AspNetCore.Tests.Revocations;

/// <summary>What is remembered of ends is bounded, and what is left out is not taken for alive.</summary>
public sealed class RevocationWatchTests
{
    private readonly FakeClock clock = new(new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public void What_finds_no_room_is_not_remembered_and_nothing_is_certain_until_its_time_is_over()
    {
        var watch = new RevocationWatch(
            TimeSpan.FromSeconds(15), LateRevocations.Refuse, new(new(), () => new(), clock), clock);
        for (var i = 0; i < 131_072; i++)
        {
            watch.Note("token", $"{i}");
        }

        watch.Beat();
        Assert.True(watch.IsCurrent);

        watch.Note("token", "more");
        clock.Advance(TimeSpan.FromMinutes(69));
        watch.Beat();

        Assert.NotNull(watch.WhyNot(new AccessToken { Id = "0" }));
        Assert.Null(watch.WhyNot(new AccessToken { Id = "more" }));
        Assert.False(watch.IsCurrent);

        clock.Advance(TimeSpan.FromMinutes(2));
        watch.Beat();
        Assert.True(watch.IsCurrent);
        Assert.Null(watch.WhyNot(new AccessToken { Id = "0" }));
    }

    [Fact]
    public void What_came_of_a_token_ends_with_it()
    {
        var watch = new RevocationWatch(
            TimeSpan.FromSeconds(15), LateRevocations.Refuse, new(new(), () => new(), clock), clock);
        watch.Note("token", "first");
        watch.Beat();

        Assert.NotNull(watch.WhyNot(new AccessToken { Id = "third", Ancestors = ["first", "second"] }));
        Assert.Null(watch.WhyNot(new AccessToken { Id = "third", Ancestors = ["zeroth", "second"] }));
    }
}
