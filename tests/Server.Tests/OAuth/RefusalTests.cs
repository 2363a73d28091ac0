using System.Text.Json;
using Postern.Audit;
using Postern.OAuth.ClientAuth;
using Postern.Tests.Audit;

namespace Postern.Tests.OAuth;

/// <summary>What known clients are refused stands in the log, and nobody can fill it with that.</summary>
public sealed class RefusalTests : IAsyncLifetime
{
    private TestServer server = null!;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync(App.Town);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task What_a_client_is_refused_is_an_entry_with_its_reason()
    {
        var reply = await App.Bench(server).PostAsync("/token", [
            ("grant_type", "refresh_token"), ("refresh_token", "made-up"), ("client_id", "bench"),
            ("client_secret", App.BenchSecret),
        ]);

        var entry = Assert.Single(await EntriesAsync(1));
        Assert.NotNull(reply.Error);
        Assert.Equal("bench", entry.GetProperty("actor").GetProperty("client").GetString());
        Assert.Equal("/token", entry.GetProperty("action").GetString());
        Assert.Equal("deny", entry.GetProperty("decision").GetProperty("effect").GetString());
        Assert.StartsWith($"{reply.Error}: ", Reason(entry), StringComparison.Ordinal);
        Assert.True(entry.GetProperty("net").TryGetProperty("ipPrefix", out _));
    }

    [Fact]
    public async Task What_is_refused_a_hundred_times_in_a_minute_is_two_entries()
    {
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => WrongAsync("bench")));
        await EntriesAsync(1);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        var entries = await EntriesAsync(2);
        await WrongAsync("bench");

        Assert.Equal("invalid_client: wrong secret or method", Reason(entries[0]));
        Assert.Equal("invalid_client: wrong secret or method; 99 more within the minute", Reason(entries[1]));
        Assert.Equal(Reason(entries[0]), Reason((await EntriesAsync(3))[2]));
    }

    [Fact]
    public async Task What_was_counted_is_written_before_the_server_stops()
    {
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => WrongAsync("bench")));
        await server.StopAsync();
        await using var next = await TestServer.StartAsync(App.Town, like: server);

        var entries = await EntriesAsync(next, 2);

        const string Wrong = "invalid_client: wrong secret or method";
        Assert.Equal([Wrong, $"{Wrong}; 9 more within the minute"], entries.Select(Reason));
    }

    [Fact]
    public async Task Who_names_no_client_that_we_know_leaves_no_entry_and_neither_does_waiting()
    {
        await using var town = await TestServer.StartAsync(Butler.Town());
        var butler = Butler.Of(town);
        var code = (await butler.AskAsync()).Member("auth_req_id")!;
        var waits = await butler.PollAsync(code);
        var hurries = await butler.PollAsync(code);
        await WrongAsync(town, "nobody");
        await new App(town, "", "").PostAsync("/token", []);
        await WrongAsync(town, "bench");

        var entry = Assert.Single(await EntriesAsync(town, 1));

        Assert.Equal(("authorization_pending", "slow_down"), (waits.Error, hurries.Error));
        Assert.Equal("bench", entry.GetProperty("actor").GetProperty("client").GetString());
    }

    [Fact]
    public async Task Those_who_registered_themselves_have_few_entries_a_minute_and_hide_nothing_of_the_known()
    {
        var most = Refusals.Most(Refusals.Standing.Stranger);
        var made = new List<string>();
        for (var i = 0; i <= most + 1; i++)
        {
            var reply = await Registered.PostAsync(
                server, """{"redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"none"}""");
            made.Add(reply.Member("client_id")!);
        }

        foreach (var id in made)
        {
            await new App(server, id, "").PostAsync(
                "/token", [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", id)]);
        }

        await WrongAsync("bench");
        await EntriesAsync(most + 1);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        var entries = await EntriesAsync(most + 2);

        Assert.Equal("others: other refusals; 2 more within the minute", Reason(entries[^1]));
        Assert.False(entries[^1].TryGetProperty("actor", out _));
        Assert.Contains(entries, entry => Reason(entry).StartsWith("invalid_client", StringComparison.Ordinal));
    }

    private Task<Reply> WrongAsync(string id) => WrongAsync(server, id);

    private static Task<Reply> WrongAsync(TestServer server, string id) => new App(server, id, "").PostAsync(
        "/token", [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", "wrong")]);

    private static string Reason(JsonElement entry) =>
        entry.GetProperty("decision").GetProperty("reason").GetString()!;

    private Task<List<JsonElement>> EntriesAsync(int count) => EntriesAsync(server, count);

    private static async Task<List<JsonElement>> EntriesAsync(TestServer server, int count)
    {
        List<JsonElement> entries = [];
        await Eventually.TrueAsync(async () =>
        {
            entries = [.. (await Chain.VerifiedAsync(server)).Where(record =>
                record.GetProperty("kind").GetString() is AuditKinds.RequestRefused)];
            return entries.Count >= count;
        });
        return entries;
    }
}
