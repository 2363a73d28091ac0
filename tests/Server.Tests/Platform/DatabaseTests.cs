using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Platform.Database;

namespace Postern.Tests.Platform;

/// <summary>The contract both databases keep.</summary>
public sealed class DatabaseTests
{
    [Theory, OnBoth]
    public async Task A_unit_is_written_whole_or_not_at_all(On on)
    {
        await using var server = await WithScratchAsync(on);
        var db = server.Db;

        await Assert.ThrowsAsync<InvalidOperationException>(() => db.WriteAsync(async unit =>
        {
            await PutAsync(unit, "half");
            throw new InvalidOperationException("changed its mind");
        }));
        await db.WriteAsync(async unit => await PutAsync(unit, "whole"));

        Assert.Equal(["whole"], await KeysAsync(db));
    }

    [Theory, OnBoth]
    public async Task Units_written_together_fail_alone(On on)
    {
        await using var server = await WithScratchAsync(on);
        var db = server.Db;

        var writes = Enumerable.Range(0, 200).Select(i => db.WriteAsync(async unit =>
        {
            await PutAsync(unit, $"{i}");
            if (i % 3 is 0)
            {
                await PutAsync(unit, $"{i}"); // breaks the primary key
            }

            return i;
        })).ToList();
        await Task.WhenAll(writes.Select(write => write.ContinueWith(_ => { }, TaskScheduler.Default)));

        Assert.All(writes.Index(), write => Assert.Equal(write.Index % 3 is 0, write.Item.IsFaulted));
        Assert.Equal(Enumerable.Range(0, 200).Count(i => i % 3 is not 0), (await KeysAsync(db)).Count);
    }

    [Theory, OnBoth]
    public async Task A_hole_is_a_parameter_whatever_it_holds(On on)
    {
        await using var server = await WithScratchAsync(on);
        const string evil = "x'); drop table scratch; --";

        await server.Db.WriteAsync(async unit => await PutAsync(unit, evil));

        Assert.Equal([evil], await KeysAsync(server.Db));
    }

    [Theory, OnBoth]
    public async Task Every_kind_of_value_comes_back_as_it_went(On on)
    {
        await using var server = await TestServer.StartAsync(on: on);
        byte[] bytes = [0, 1, 255];

        await server.Db.WriteAsync(async unit =>
        {
            await unit.RunAsync(
                $"create table kinds (a text, b bytea, c text, d bigint, e bigint, f bigint, g text, h boolean)");
            await unit.RunAsync(
                $"""
                insert into kinds values
                  ({"Ünïcödé \u0001"}, {bytes}, {""}, {long.MaxValue}, {-1L}, {1}, {null}, {true})
                """);
        });
        var row = await server.Db.FirstAsync(
            $"select a, b, c, d, e, f, h from kinds where g is null",
            row => (object[])
            [
                row.GetString(0),
                row.GetFieldValue<byte[]>(1),
                row.GetString(2),
                row.GetInt64(3),
                row.GetInt64(4),
                row.GetInt64(5),
                row.GetBoolean(6),
            ],
            default);

        Assert.Equal(["Ünïcödé \u0001", bytes, "", long.MaxValue, -1L, 1L, true], row!);
    }

    [Theory, OnBoth]
    public async Task A_change_is_told_when_it_is_committed_and_only_then(On on)
    {
        await using var server = await WithScratchAsync(on);
        var told = new List<string>();
        server.Get<Changes>().Subscribe(change => told.AddRange(change.Kind is "test" ? [change.Key] : []));

        await Assert.ThrowsAsync<InvalidOperationException>(() => server.Db.WriteAsync(unit =>
        {
            unit.Announce("test", TenantId.Default, "undone");
            throw new InvalidOperationException();
        }));
        await server.Db.WriteAsync(async unit =>
        {
            await PutAsync(unit, "done");
            unit.Announce("test", TenantId.Default, "done");
        });

        Assert.Equal(["done"], told);
    }

    [Fact]
    public async Task Another_node_hears_a_change_within_a_second()
    {
        await using var one = await TestServer.StartAsync(on: On.Postgres);
        await using var two = await TestServer.StartAsync(like: one);
        var told = new ConcurrentQueue<string>();
        two.Get<Changes>().Subscribe(change =>
        {
            if (change.Kind is "test")
            {
                told.Enqueue(change.Key);
            }
        });

        var took = await Eventually.AtBestAsync(async () =>
        {
            var before = told.Count;
            await AnnounceAsync(one, $"{before}");
            await Eventually.TrueAsync(() => told.Count > before);
        });

        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.Equal(["0", "1", "2", "3", "4"], told);
    }

    [Theory, OnBoth]
    public async Task A_listener_that_fails_keeps_a_change_from_nobody_else(On on)
    {
        await using var one = await TestServer.StartAsync(on: on);
        await using var two = on is On.Postgres ? await TestServer.StartAsync(like: one) : null;
        var told = new List<string>();
        var changes = (two ?? one).Get<Changes>();
        changes.Subscribe(change => throw new InvalidOperationException(change.Key));
        changes.Subscribe(change =>
        {
            lock (told)
            {
                told.AddRange(change.Kind is "test" ? [change.Key] : []);
            }
        });

        await AnnounceAsync(one, "first");
        await AnnounceAsync(one, "second");

        await Eventually.TrueAsync(() => told.Count is 2);
        Assert.Equal(["first", "second"], told);
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_does_not_end_the_feed()
    {
        await using var one = await TestServer.StartAsync(on: On.Postgres);
        await using var two = await TestServer.StartAsync(like: one);
        var told = new TaskCompletionSource<string>();
        two.Get<Changes>().Subscribe(change => _ = change.Kind is "test" && told.TrySetResult(change.Key));
        await one.Db.WriteAsync(async unit =>
        {
            await unit.RunAsync($"alter table changes alter column key drop not null");
            await unit.RunAsync(
                $"insert into changes select {1_000_000L}, {"default"}, {"test"}, null, {"nobody"}, {0L}");
        });
        await Eventually.TrueAsync(
            () => two.Log.All.Any(line => line.Contains("change feed", StringComparison.Ordinal)));

        await one.Db.WriteAsync(async unit => await unit.RunAsync($"delete from changes where id = {1_000_000L}"));
        await AnnounceAsync(one, "after it");

        Assert.Equal("after it", await told.Task.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task The_grants_of_a_server_are_found_without_reading_those_of_all_others()
    {
        await using var server = await TestServer.StartAsync();

        var plan = await server.Db.AllAsync(
            $"""
            explain query plan select * from grants where tenant = {"default"} and resource = {"x"}
              and revoked_at is null and expires_at > {0L} limit {200L}
            """,
            row => row.GetString(3),
            default);

        Assert.Contains("(tenant=? AND resource=?", Assert.Single(plan), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nodes_that_lock_the_same_rows_in_another_order_both_finish()
    {
        await using var one = await WithScratchAsync(On.Postgres);
        await using var two = await TestServer.StartAsync(like: one);
        await one.Db.WriteAsync(async unit =>
        {
            await PutAsync(unit, "a");
            await PutAsync(unit, "b");
        });

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 is 0 ? one : two).Db.WriteAsync(async unit =>
        {
            var (first, second) = i % 2 is 0 ? ("a", "b") : ("b", "a");
            await unit.RunAsync($"update scratch set count = count + 1 where key = {first}");
            await unit.RunAsync($"update scratch set count = count + 1 where key = {second}");
        })));

        var counts =
            await one.Db.AllAsync($"select count from scratch", row => Tuple.Create(row.GetInt64(0)), default);
        Assert.All(counts, count => Assert.Equal(40, count.Item1));
    }

    [Theory]
    [InlineData("sqlite:./x.db", "sqlite:./x.db")]
    [InlineData("postgres://ada:p%40ss@db.example:6543/postern", "postgres://ada@db.example:6543/postern")]
    [InlineData("postgresql://ada@db.example/postern", "postgres://ada@db.example:5432/postern")]
    public void An_address_is_read_and_printed_without_its_password(string text, string printed)
    {
        Assert.True(DatabaseAddress.TryParse(text, out var address));
        Assert.Equal(printed, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("sqlite:")]
    [InlineData("mysql://x/y")]
    [InlineData("postgres://db.example")]
    [InlineData("postgres:///name")]
    public void What_is_no_address_is_refused(string text) => Assert.False(DatabaseAddress.TryParse(text, out _));

    [Fact]
    public async Task The_chain_is_locked_before_the_change_feed_on_every_node_whatever_was_made_first()
    {
        await using var server = await TestServer.StartAsync();
        var order = new List<CommitStep>();
        foreach (var step in new[] { CommitStep.Feed, CommitStep.Log, CommitStep.Proofs })
        {
            server.Db.AtCommit(step, (_, _, _) =>
            {
                order.Add(step);
                return ValueTask.CompletedTask;
            });
        }

        await AnnounceAsync(server, "x");

        Assert.Equal([CommitStep.Proofs, CommitStep.Log, CommitStep.Feed], order);
    }

    [Fact]
    public async Task A_full_disk_is_said_and_nothing_is_acknowledged()
    {
        var folder = Directory.CreateTempSubdirectory("postern-").FullName;
        Assert.True(DatabaseAddress.TryParse($"sqlite:{folder}/full.db", out var address));
        await using var db = new Db(address, NullLogger<Db>.Instance);
        await db.WriteAsync(async unit =>
        {
            await unit.RunAsync($"create table t (x bytea)");
            await unit.RunAsync($"pragma max_page_count = 50");
        });

        var failure = await Assert.ThrowsAsync<DatabaseUnavailableException>(() =>
            db.WriteAsync(async unit => await unit.RunAsync($"insert into t values ({new byte[1_000_000]})")));
        await db.WriteAsync(async unit => await unit.RunAsync($"insert into t values ({new byte[10]})"));

        Assert.Equal("The disk is full.", failure.Message);
        Assert.Single(await db.AllAsync($"select length(x) from t", row => Tuple.Create(row.GetInt64(0)), default));
        Directory.Delete(folder, recursive: true);
    }

    private static Task AnnounceAsync(TestServer server, string key) => server.Db.WriteAsync(unit =>
    {
        unit.Announce("test", TenantId.Default, key);
        return ValueTask.CompletedTask;
    });

    // A table that is nobody's.
    private static async Task<TestServer> WithScratchAsync(On on)
    {
        var server = await TestServer.StartAsync(on: on);
        await server.Db.WriteAsync(async unit =>
            await unit.RunAsync($"create table scratch (key text primary key, count bigint not null)"));
        return server;
    }

    private static async Task PutAsync(Unit unit, string key) =>
        await unit.RunAsync($"insert into scratch values ({key}, {0L})");

    private static Task<List<string>> KeysAsync(Db db) =>
        db.AllAsync($"select key from scratch order by key", row => row.GetString(0), default);
}
