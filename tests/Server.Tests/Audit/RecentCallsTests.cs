using Postern.Audit;

namespace Postern.Tests.Audit;

/// <summary>What was lately done in a person's name, found without reading the whole log.</summary>
public sealed class RecentCallsTests
{
    private static readonly SubjectId Ada = new("us_ada"), Bob = new("us_bob");

    [Theory, OnBoth]
    public async Task The_newest_twenty_calls_of_one_person_come_newest_first(On on)
    {
        await using var server = await TestServer.StartAsync(on: on);
        foreach (var n in Enumerable.Range(0, RecentCalls.Most + 5))
        {
            await CallAsync(server, Ada, $"tool-{n}");
            await CallAsync(server, Bob, "another's");
        }

        await server.Get<AuditLog>().WriteAsync(
            new() { Tenant = TenantId.Default, Kind = AuditKinds.UserLogin, User = Ada });

        var found = await server.Get<RecentCalls>().OfAsync(TenantId.Default, Ada, default);

        Assert.Equal(RecentCalls.Most, found.Count);
        Assert.All(found, row => Assert.Equal((Ada, AuditKinds.ToolCallDecision), (row.Subject!.Value, row.Kind)));
        Assert.Contains("tool-24", found[0].Record);
        Assert.Contains("tool-5", found[^1].Record);
        Assert.Empty(await server.Get<RecentCalls>().OfAsync(new("other"), Ada, default));
    }

    [Fact]
    public async Task Only_the_newest_entries_are_looked_through()
    {
        await using var server = await TestServer.StartAsync();
        await CallAsync(server, Ada, "long-ago");
        await OthersAsync(10); // the server may have a few entries of its own to write meanwhile
        await CallAsync(server, Ada, "in-reach");
        await OthersAsync(RecentCalls.Reach - 10);

        var found = await server.Get<RecentCalls>().OfAsync(TenantId.Default, Ada, default);

        Assert.Contains("in-reach", Assert.Single(found).Record);

        Task OthersAsync(int count) =>
            Task.WhenAll(Enumerable.Range(0, count).Select(_ => CallAsync(server, Bob, "another's")));
    }

    private static Task<string> CallAsync(TestServer server, SubjectId user, string tool) =>
        server.Get<AuditLog>().WriteAsync(new()
        {
            Tenant = TenantId.Default,
            Kind = AuditKinds.ToolCallDecision,
            User = user,
            Tool = tool,
            Effect = "allow",
        });
}
