namespace Postern.Tests.Interop;

/// <summary>The yardstick itself: what the fixture fails here, no gateway in front of it can pass.</summary>
public sealed class FixtureTests
{
    private static readonly TimeSpan SuitePatience = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData("2026-07-28", 37)]
    [InlineData("2025-11-25", 30)]
    public async Task The_fixture_passes_every_server_scenario_of(string revision, int scenarios)
    {
        using var fixture = await Node.ServeAsync("fixture/http.mjs");

        var answer = await Node.RunAsync(
            "clients/conformance-server.mjs", SuitePatience, "--url", fixture.Url, "--requirements", revision);

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Equal(scenarios, answer.Json.GetProperty("passed").GetInt32());
        Assert.All(
            answer.Json.GetProperty("scenarios").EnumerateObject(),
            scenario => Assert.Equal(0, scenario.Value.GetProperty("failed").GetInt32()));
    }

    [Theory]
    [InlineData("clients/modern.mjs", "2026-07-28")]
    [InlineData("clients/legacy.mjs", "2025-11-25")]
    [InlineData("clients/legacy.mjs", "2025-06-18")]
    [InlineData("clients/legacy.mjs", "2025-03-26")]
    public async Task A_client_reaches_the_fixture_through_another_vendors_authorization_server(
        string client, string revision)
    {
        using var fixture = await Node.ServeAsync("fixture/http.mjs");
        using var peer = await Node.ServeAsync("peer/server.mjs", "--upstream", fixture.Url);

        var answer = await Node.RunAsync(client, "--base", peer.Url, "--protocol", revision);

        Assert.True(answer.Succeeded, answer.ToString());
        Assert.Equal(revision, answer.Json.GetProperty("protocol").GetString());
        Assert.Equal("hello", answer.Json.GetProperty("result").GetProperty("structuredContent")
            .GetProperty("greeting").GetString());
    }
}
