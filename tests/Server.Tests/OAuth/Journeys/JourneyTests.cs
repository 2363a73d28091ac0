using static Postern.Tests.Combinations;

namespace Postern.Tests.OAuth.Journeys;

/// <summary>
/// What works alone works together: each two features that can meet, and each way to a token by each proof with each
/// binding. docs/combinations.md lists them.
/// </summary>
public sealed class JourneyTests(JourneyTown town) : IClassFixture<JourneyTown>
{
    public static TheoryData<string> Table => [.. Journey.All.Select(journey => journey.ToString())];

    [Theory, MemberData(nameof(Table))]
    public async Task What_can_meet_works_together(string features)
    {
        var journey = Journey.Parse(features);
        var way = await Travel.BeginAsync(town, journey);

        var reply = await way.FirstAsync();
        await way.HoldsAsync(reply);
        foreach (var step in journey.Features.Where(feature => feature is Refresh or Exchange))
        {
            reply = step is Refresh ? await way.RefreshAsync(reply) : await way.ExchangeAsync(reply);
            await way.HoldsAsync(reply);
        }

        if (journey.Has(IdJag))
        {
            await way.TellsElsewhereAsync(reply);
        }

        if (journey.Has(Transaction))
        {
            await way.HandsOnAsync(reply);
        }
    }

    [Fact]
    public void Each_two_have_a_journey_or_another_test_or_a_reason()
    {
        var shown = CombinationPage.Shown;

        Assert.All(Pairs(Combinations.All), pair => Assert.True(
            WhyNot(pair.One, pair.Other) is null == shown.ContainsKey(pair), $"{pair.One} with {pair.Other}"));
    }
}
