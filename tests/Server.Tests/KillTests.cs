using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Postern.Tests.Audit;

namespace Postern.Tests;

/// <summary>
/// The real process, killed without warning in the middle of its work: what was acknowledged is there when it comes
/// back, stands in the log, and nothing is half made.
/// </summary>
public sealed class KillTests
{
    private const int Kills = 20;

    [Theory, OnBoth]
    public async Task Twenty_kills_under_load_lose_nothing_that_was_acknowledged(On on)
    {
        await using var before = await TestServer.StartAsync(App.Town, on, OnTheMachinesClock);
        await before.StopAsync();
        var load = new Load(before.Issuer);

        for (var kill = 0; kill < Kills; kill++)
        {
            await using var victim = await Victim.StartAsync(before);
            await load.CheckAsync();
            await load.RunAsync(until: 30 + (7 * kill), victim.Kill);
        }

        await using var after = await TestServer.StartAsync(App.Town, replace: OnTheMachinesClock, like: before);
        await EverythingIsThereAsync(after, load);
    }

    private static async Task EverythingIsThereAsync(TestServer server, Load load)
    {
        var records = await Chain.VerifiedAsync(server);
        var references = records.Where(record => record.TryGetProperty("tokenRef", out _))
            .Select(record => record.GetProperty("tokenRef").GetString()).ToHashSet();
        Assert.All(load.Issued, reply => Assert.Contains(
            "sha-256:" + Base64Url.EncodeToString(
                SHA256.HashData(Encoding.UTF8.GetBytes(reply.Claims.GetProperty("jti").GetString()!))),
            references));

        // A grant of a person has its line of tokens and its entry, and no entry speaks of a grant that is not there.
        var approved = records.Where(record => record.GetProperty("kind").GetString() is "grant.approved")
            .Select(record => record.GetProperty("decision").GetProperty("grantId").GetString()!)
            .Order(StringComparer.Ordinal)
            .ToList();
        var grants = await server.Db.AllAsync($"select id from grants order by id", row => row.GetString(0), default);
        var families = await server.Db.AllAsync(
            $"select grant_id from families order by grant_id", row => row.GetString(0), default);
        var persons = await server.Db.AllAsync(
            $"select id from grants where is_own = {false} order by id", row => row.GetString(0), default);
        Assert.Equal(grants, approved);
        Assert.Equal(persons, families);
        Assert.True(
            load.Issued.Count > Kills * 30 && persons.Count > 1,
            $"The load was {load.Issued.Count} tokens of {persons.Count} grants.");
    }

    // The process that is killed lives by the machine's time, so those that look at its data must too.
    private static void OnTheMachinesClock(IServiceCollection services) => services.AddSingleton(TimeProvider.System);

    /// <summary>
    /// Clients and a person who keep working until the server is gone, and remember every answer they got.
    /// </summary>
    private sealed class Load(string issuer)
    {
        private readonly ConcurrentDictionary<int, Reply> lines = new();
        private readonly List<Reply> fresh = [];
        private readonly Lock gate = new();
        private Person? ada;

        public List<Reply> Issued { get; } = [];

        /// <summary>
        /// After a restart: the last refresh token of every line goes on, and the tokens just issued are alive.
        /// </summary>
        public async Task CheckAsync()
        {
            using var http = Client();
            var watch = new App(http, issuer, "watch", "", App.WatchSecret);
            foreach (var reply in fresh)
            {
                Assert.True(await watch.IsAliveAsync(reply.AccessToken));
            }

            fresh.Clear();
            foreach (var (line, reply) in lines)
            {
                lines[line] = await Native(http).RefreshAsync(reply.RefreshToken);
                Assert.True(lines[line].Status is HttpStatusCode.OK, lines[line].Text);
            }
        }

        /// <summary>Works until so many answers came, then ends the server in the middle of the rest.</summary>
        public async Task RunAsync(int until, Action kill)
        {
            using var http = Client();
            var person = new Person(issuer, new(issuer), like: ada);
            ada ??= person;
            var left = until;
            var bench = new App(http, issuer, "bench", "", App.BenchSecret);
            // A person is slower than programs: each life of the server sees at least one who agrees.
            await LetInAsync();
            await Task.WhenAll(
            [
                .. Enumerable.Range(0, 4).Select(_ => WorkAsync(async () => Keep(await bench.AsItselfAsync()))),
                WorkAsync(LetInAsync),
                .. Enumerable.Range(0, 4).Select(line => WorkAsync(async () =>
                {
                    if (lines.TryGetValue(line, out var last))
                    {
                        var next = Keep(await Native(http).RefreshAsync(last.RefreshToken));
                        lines.TryUpdate(line, next, last);
                    }
                    else
                    {
                        Keep(await bench.AsItselfAsync());
                    }
                })),
            ]);

            async Task LetInAsync()
            {
                var app = Native(http);
                var reply = Keep(await app.RedeemAsync((await person.AllowAsync(app.Authorize())).Code));
                lines[lines.Count % 4] = reply;
            }

            Reply Keep(Reply reply)
            {
                Assert.True(reply.Status is HttpStatusCode.OK, reply.Text);
                lock (gate)
                {
                    Issued.Add(reply);
                    fresh.Add(reply);
                }

                if (Interlocked.Decrement(ref left) is 0)
                {
                    kill();
                }

                return reply;
            }
        }

        private static async Task WorkAsync(Func<Task> act)
        {
            try
            {
                while (true)
                {
                    await act();
                }
            }
            catch (Exception end) when (end is HttpRequestException or IOException)
            {
                // The server is gone; this answer was never given.
            }
        }

        private App Native(HttpClient http) => new(http, issuer, "native", "http://127.0.0.1:8765/callback");

        private HttpClient Client() => new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new(issuer) };
    }
}
