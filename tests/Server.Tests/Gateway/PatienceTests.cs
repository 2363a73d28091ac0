using System.Text.Json.Nodes;
using Postern.Audit;
using static Postern.Tests.Gateway.GatewayHost;

namespace Postern.Tests.Gateway;

/// <summary>How long the gateway waits, by the server's own clock.</summary>
public sealed class PatienceTests : BothEras
{
    [Fact]
    public async Task A_call_whose_legacy_client_went_away_is_cut_after_five_minutes()
    {
        var five = TimeSpan.FromMinutes(5);
        var token = await host.TokenAsync("legacy");
        using var leaving = new CancellationTokenSource();
        var call = host.LegacyCallAsync("legacy", token, null, "slow", stop: leaving.Token);
        await legacy.Started.Task.WaitAsync(Patience);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.False(legacy.Cancelled.Task.IsCompleted);
        await host.Clock.Alarms.RingTimerAsync(five);

        await legacy.Cancelled.Task.WaitAsync(Patience);
        var outcome = Assert.Single(await EntriesAsync(2), entry => entry.Kind is AuditKinds.ToolCallOutcome);
        Assert.Equal("cancelled", (string?)JsonNode.Parse(outcome.Record)!["outcome"]!["status"]);
    }

    [Fact]
    public async Task A_person_who_is_asked_and_does_not_answer_is_waited_for_ten_minutes()
    {
        var token = await host.TokenAsync("modern");
        var session = await host.InitializeAsync("modern", token, """{"elicitation":{}}""");
        using var answer = await host.LegacyCallAsync("modern", token, session, "ask", id: "3");
        using var events = await StreamOf(answer);
        var question = await NextAsync(events);
        await host.Clock.Alarms.RingAsync(TimeSpan.FromMinutes(10));
        var end = await NextAsync(events);

        Assert.Equal("elicitation/create", (string?)question!["method"]);
        Assert.Contains("did not answer in time", (string?)end!["error"]!["message"], StringComparison.Ordinal);
    }
}
