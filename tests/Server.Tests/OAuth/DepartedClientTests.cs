using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>Who is taken out of the configuration has nothing left of what people let them have.</summary>
public sealed class DepartedClientTests
{
    private static readonly string Without = string.Join(
        '\n', App.Town.Split('\n').Where(line => !line.Contains("client_id: native", StringComparison.Ordinal)))
        .Replace("client_id: bench", "client_id: bank", StringComparison.Ordinal);

    [Theory, OnBoth]
    public async Task A_client_that_left_the_configuration_left_with_everything_it_held(On on)
    {
        await using var before = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(before);
        var gone = await App.Native(before).LetInAsync(ada);
        var stays = await App.Web(before).LetInAsync(ada);
        var registered = await Registered.Async(before, "https://other.example/cb");
        var own = await registered.LetInAsync(ada);
        var itself = await App.Bench(before).AsItselfAsync();
        await before.StopAsync();

        await using var after = await TestServer.StartAsync(Without, like: before);
        var watch = App.Watch(after);
        var refused = await App.Native(after).RefreshAsync(gone.RefreshToken);
        var isAlive = await watch.IsAliveAsync(gone.AccessToken);
        Assert.False(await watch.IsAliveAsync(itself.AccessToken));
        Assert.True(await watch.IsAliveAsync(stays.AccessToken));
        Assert.True(await watch.IsAliveAsync(own.AccessToken));
        Assert.Equal(2, (await Grants.OfAsync(after, Person.Ada)).Count);
        await after.StopAsync();

        await using var again = await TestServer.StartAsync(App.Town, like: before);

        Assert.Equal(HttpStatusCode.Unauthorized, refused.Status);
        Assert.False(isAlive);
        TokenTests.Refused(await App.Native(again).RefreshAsync(gone.RefreshToken), "invalid_grant");
        // Whoever is let in again by the operator acts as itself again, and for people when they say so.
        Assert.Equal(HttpStatusCode.OK, (await App.Bench(again).AsItselfAsync()).Status);
        Assert.Equal(HttpStatusCode.OK, (await App.Web(again).RefreshAsync(stays.RefreshToken)).Status);
    }

    [Theory, OnBoth]
    public async Task An_agent_that_left_the_configuration_and_came_back_acts_as_itself_again(On on)
    {
        const string With = "agents:";
        var without = Borough.Yaml[..Borough.Yaml.IndexOf(With, StringComparison.Ordinal)]
            + Borough.Yaml[Borough.Yaml.IndexOf("trust_domain:", StringComparison.Ordinal)..];
        without = without.Replace($"may_act: {Borough.Agent},", "", StringComparison.Ordinal)
            .Replace($"    may_act: {Borough.Clerk}", "", StringComparison.Ordinal);
        await using var before = await TestServer.StartAsync(Borough.Yaml, on);
        var first = await App.Bench(before).AsItselfAsync();
        await before.StopAsync();
        await using var between = await TestServer.StartAsync(without, like: before);
        var isAlive = await App.Watch(between).IsAliveAsync(first.AccessToken);
        await between.StopAsync();

        await using var after = await TestServer.StartAsync(Borough.Yaml, like: before);

        Assert.False(isAlive);
        Assert.Equal(HttpStatusCode.OK, (await App.Bench(after).AsItselfAsync()).Status);
    }
}
