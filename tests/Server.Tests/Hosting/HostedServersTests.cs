using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Postern.Hosting;
using Postern.Hosting.Processes;
using Postern.Servers;

namespace Postern.Tests.Hosting;

/// <summary>The life of hosted servers: started once, restarted, given a pause, stopped, never left behind.</summary>
public sealed class HostedServersTests
{
    private const string Echo = "while read -r line; do echo \"$line\"; done";

    private const string HeldMarker = "HOSTING_TEST_MARKER", HeldLevel = "HOSTING_TEST_LEVEL";

    [Fact]
    public async Task Lines_go_in_and_come_out_whole_also_long_ones()
    {
        await using var ground = new HostingGround();
        var process = await ground.StartAsync(ground.Command("cat", ["/bin/cat"]));
        var line = Encoding.UTF8.GetBytes($"{{\"text\":\"{new string('ü', 1_900_000)}\"}}");

        var write = process.WriteLineAsync(line, default);
        var back = await HostingGround.LineAsync(process);
        await write;

        Assert.True(line.AsSpan().SequenceEqual(back.Span));
        await Assert.ThrowsAsync<ArgumentException>(() => HostingGround.WriteAsync(process, "{}\n{}"));
    }

    [Fact]
    public async Task Many_writers_never_mix_their_lines()
    {
        await using var ground = new HostingGround();
        var process = await ground.StartAsync(ground.Command("cat", ["/bin/cat"]));

        var writes = Enumerable.Range(0, 200)
            .Select(i => HostingGround.WriteAsync(process, $"{{\"n\":{i},\"pad\":\"{new string('x', 3000)}\"}}"))
            .ToArray();
        var seen = new HashSet<int>();
        for (var i = 0; i < writes.Length; i++)
        {
            seen.Add((await HostingGround.ReadAsync(process)).GetProperty("n").GetInt32());
        }

        await Task.WhenAll(writes);
        Assert.Equal(writes.Length, seen.Count);
    }

    [Fact]
    public async Task What_is_no_message_is_logged_and_not_relayed()
    {
        await using var ground = new HostingGround();
        var process = await ground.StartAsync(ground.Shell(
            """
            echo Listening on stdio; echo '{broken'; echo '"text"'; printf '\033[31mred\n'; echo
            echo '{"ok":1}'; read -r line
            """));

        Assert.Equal(1, (await HostingGround.ReadAsync(process)).GetProperty("ok").GetInt32());

        var log = string.Join('\n', ground.Servers.Tail(TenantId.Default, "sh", 50));
        Assert.Contains("stdout Listening on stdio", log);
        Assert.Contains("stdout {broken", log);
        Assert.DoesNotContain('\u001b', log);
    }

    [Fact]
    public async Task Fifty_calls_at_once_start_one_process()
    {
        await using var ground = new HostingGround();
        var server = ground.Shell(Echo);

        var processes = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => ground.StartAsync(server)));

        Assert.Single(processes.Distinct());
        Assert.Equal(1, Assert.Single(ground.Servers.Status()).Starts);
    }

    [Fact]
    public async Task Two_people_have_two_processes_unless_the_server_is_shared()
    {
        await using var ground = new HostingGround();
        var own = ground.Shell(Echo, "own");
        var shared = ground.Command("shared", ["/bin/sh", "-c", Echo], shared: true);

        Assert.NotSame(await ground.StartAsync(own, "ada"), await ground.StartAsync(own, "bob"));
        Assert.Same(await ground.StartAsync(shared, "ada"), await ground.StartAsync(shared, "bob"));
    }

    [Fact]
    public async Task A_changed_definition_starts_a_new_process()
    {
        await using var ground = new HostingGround();
        var first = await ground.StartAsync(ground.Shell(Echo));

        var second = await ground.StartAsync(ground.Shell("true; " + Echo));

        Assert.NotSame(first, second);
        Assert.True((await first.Exited).WasAsked);
    }

    [Fact]
    public async Task A_crash_at_the_start_is_told_with_redacted_last_words()
    {
        await using var ground = new HostingGround();
        var server = ground.Command(
            "sh",
            ["/bin/sh", "-c", "echo \"cannot log in with $API_KEY or Bearer abcdefghijklmnop\" >&2; exit 3"],
            environment: new() { ["API_KEY"] = "sesame-open-1234" });

        var process = await ground.StartAsync(server);
        var end = await process.Exited.WaitAsync(HostingGround.Patience);

        Assert.Equal((3, false), (end.Code, end.WasAsked));
        Assert.Equal("cannot log in with *** or ***", Assert.Single(process.LastErrors));
        Assert.False(await process.Lines.WaitToReadAsync());
        await Assert.ThrowsAsync<IOException>(() => HostingGround.WriteAsync(process, "{}"));
    }

    [Fact]
    public async Task A_secret_is_not_told_in_halves()
    {
        await using var ground = new HostingGround();
        const string Script =
            """
            my $gap = ' ' x 20;
            for my $before (4070 .. 4096) {
              print STDERR 'Bearer abcdefghijklmnop ' x 170, ' ' x ($before - 3910), "$ENV{K}$gap\n";
            }
            print STDERR 'é', 'Bearer abcdefghijklmnop ' x 170, 'eyJhbGciOi', 'J' x 9000, "\n";
            """;
        var server = ground.Command("p", ["perl", "-e", Script], environment: new() { ["K"] = "sesame open wïde" });

        var said = await ground.OutputAsync(server);

        Assert.Equal(28, said.Split('\n').Length);
        Assert.DoesNotContain("ses", said);
        Assert.DoesNotContain("open", said);
        Assert.DoesNotContain("wïde", said);
        Assert.DoesNotContain("eyJ", said);
        Assert.DoesNotContain("JJ", said);
    }

    [Fact]
    public async Task A_message_that_is_too_long_is_refused_and_one_that_a_client_may_send_is_not()
    {
        await using var ground = new HostingGround();
        var process = await ground.StartAsync(ground.Shell("sed -u 's/.*/{}/'"));

        await Assert.ThrowsAsync<IOException>(() => process.WriteLineAsync(new byte[5 << 20], default));
        await process.WriteLineAsync(Enumerable.Repeat((byte)'x', (4 << 20) + 1000).ToArray(), default);

        Assert.Equal(JsonValueKind.Object, (await HostingGround.ReadAsync(process)).ValueKind);
    }

    [Fact]
    public async Task A_bug_in_reading_ends_the_process_and_gives_its_room_back()
    {
        await using var ground = new HostingGround();
        var started = await ground.Sandboxes.StartAsync(
            ground.Shell("echo not a message; sleep 100"), Path.Combine(ground.Data, "hosting/homes/a/b"));
        using var room = new CancellationTokenSource();

        var process = new HostedProcess(
            started, new Left(room), new([]), (_, _) => throw new InvalidOperationException("a bug"), ground.Clock);
        var end = await process.Exited.WaitAsync(HostingGround.Patience);

        Assert.Contains("a bug", end.Reason);
        Assert.True(room.IsCancellationRequested);
    }

    [Fact]
    public async Task A_start_that_fails_by_a_bug_gives_its_turn_and_its_room_back()
    {
        await using var ground = new HostingGround(options => options with { StartsAtOnce = 1, MaxPerServer = 1 });
        var broken = ground.Command("sh", ["/bin/sh", "-c", Echo], environment: new() { ["A"] = null! });

        await Assert.ThrowsAsync<NullReferenceException>(() => ground.StartAsync(broken));

        await ground.StartAsync(ground.Shell(Echo));
    }

    [Fact]
    public async Task A_command_is_started_also_when_we_run_in_no_folder_of_our_own()
    {
        await using var ground = new HostingGround();
        Assert.True(Resource.TryParse("http://127.0.0.1:7400/mcp/n", out var resource));
        var server = new McpServer
        {
            Tenant = TenantId.Default,
            Name = "n",
            Title = "n",
            Kind = ServerKind.Command,
            Command = ["/bin/sh", "-c", "pwd >&2"],
            Sandbox = ground.Shell("").Sandbox,
            Resource = resource!,
        };

        Assert.Equal("/usr", await ground.OutputAsync(HostedCommand.Of(server, "/")));
        Assert.Equal(ground.App, await ground.OutputAsync(HostedCommand.Of(server, ground.App)));
    }

    [Fact]
    public async Task A_crashed_server_is_started_again_by_the_next_call()
    {
        await using var ground = new HostingGround();
        var server = ground.Shell("read -r line; exit 1");
        var first = await ground.StartAsync(server);
        await HostingGround.WriteAsync(first, "{}");
        await first.Exited;
        await HostingGround.UntilAsync(() => ground.Servers.Status()[0].Crashes is 1);

        var second = await ground.StartAsync(server);

        Assert.NotSame(first, second);
        Assert.Equal(2, ground.Servers.Status()[0].Starts);
    }

    [Fact]
    public async Task A_server_that_keeps_crashing_pauses_longer_and_longer_and_ends_in_error()
    {
        await using var ground = new HostingGround();
        var server = ground.Shell("echo no config >&2; exit 1");
        var pauses = new List<TimeSpan>();

        for (var crash = 1; crash <= 5; crash++)
        {
            await (await ground.StartAsync(server)).Exited;
            await HostingGround.UntilAsync(() => ground.Servers.Status()[0].Crashes == crash);
            if (crash is > 1 and < 5)
            {
                pauses.Add((await ground.RefusalAsync(server)).RetryAfter!.Value);
                ground.Clock.Advance(pauses[^1]);
            }
        }

        var refusal = await ground.RefusalAsync(server);

        Assert.Equal(HostedState.Error, ground.Servers.Status()[0].State);
        Assert.Contains("no config", refusal.Sentence);
        Assert.True(refusal.RetryAfter > TimeSpan.FromMinutes(4));
        Assert.InRange(pauses[0].TotalSeconds, 0.1, 1);
        Assert.InRange(pauses[2].TotalSeconds, 1.5, 4);

        await ground.Servers.RestartAsync(TenantId.Default, "sh");
        await ground.StartAsync(server);
    }

    [Fact]
    public async Task One_failing_server_does_not_hold_up_another()
    {
        await using var ground = new HostingGround();
        await (await ground.StartAsync(ground.Shell("exit 1", "bad"))).Exited;
        var good = await ground.StartAsync(ground.Shell(Echo, "good"));

        await HostingGround.WriteAsync(good, "{\"a\":1}");

        Assert.Equal(1, (await HostingGround.ReadAsync(good)).GetProperty("a").GetInt32());
    }

    [Fact]
    public async Task An_idle_server_is_stopped_a_used_one_is_not_and_nobody_lives_for_ever()
    {
        await using var ground = new HostingGround();
        var idle = await ground.StartAsync(ground.Shell(Echo, "idle"));
        var used = await ground.StartAsync(ground.Shell(Echo, "used"));
        using var call = used.Use();

        ground.Clock.Advance(TimeSpan.FromMinutes(6));
        await ground.Servers.SweepAsync();

        Assert.Equal("idle", (await idle.Exited).Reason);
        Assert.False(used.Exited.IsCompleted);

        ground.Clock.Advance(TimeSpan.FromHours(24));
        await ground.Servers.SweepAsync();

        Assert.True((await used.Exited).WasAsked);
        await ground.Servers.SweepAsync();
        Assert.Empty(ground.Servers.Status());
    }

    [Fact]
    public async Task A_process_that_ignores_its_end_is_ended_with_all_its_children()
    {
        await using var ground = new HostingGround();
        var marker = HostingGround.Marker();
        var process = await ground.StartAsync(
            ground.Shell($"trap '' TERM HUP INT; (setsid sleep {marker} &) ; sleep {marker}"));
        await HostingGround.UntilAsync(() => HostingGround.Asleep(marker) is 2);

        await process.StopAsync("enough");

        await HostingGround.UntilGoneAsync(marker);
    }

    [Fact]
    public async Task A_shut_in_command_that_ends_takes_its_children_along()
    {
        await using var ground = new HostingGround();
        var marker = HostingGround.Marker();

        var process = await ground.StartAsync(ground.Shell($"setsid sleep {marker} & sleep 0.1; exit 0"));
        await process.Exited;

        await HostingGround.UntilGoneAsync(marker);
    }

    [Theory]
    [InlineData("head -c 20000000 /dev/zero | tr '\\0' x", "4 MiB")]
    [InlineData("cat /dev/zero", "4 MiB")]
    public async Task An_endless_line_ends_the_process(string script, string reason)
    {
        await using var ground = new HostingGround();

        var end = await (await ground.StartAsync(ground.Shell(script))).Exited.WaitAsync(HostingGround.Patience);

        Assert.Contains(reason, end.Reason);
    }

    [Fact]
    public async Task A_flood_on_stderr_or_stdout_neither_fills_the_disk_nor_stops_the_answers()
    {
        await using var ground = new HostingGround();
        var process = await ground.StartAsync(ground.Shell("yes flood >&2 & read -r line; echo \"$line\"; yes junk"));

        await HostingGround.WriteAsync(process, "{\"a\":1}");
        Assert.Equal(1, (await HostingGround.ReadAsync(process)).GetProperty("a").GetInt32());
        await HostingGround.UntilAsync(() => ground.Servers.Tail(TenantId.Default, "sh", 1000).Count > 900);

        Assert.True(process.LastErrors.Count <= 50);
        var logs = new DirectoryInfo(Path.Combine(ground.Data, "hosting/logs")).GetFiles();
        Assert.InRange(logs.Sum(file => file.Length), 1, 3 << 20);
    }

    [Fact]
    public async Task The_log_turns_over_when_it_is_full()
    {
        var folder = Directory.CreateTempSubdirectory("postern-log-").FullName;
        using (var log = new ServerLog(Path.Combine(folder, "a.log"), TimeProvider.System))
        {
            for (var i = 0; i < 40_000; i++)
            {
                log.Write("shared", "stderr", $"{i} {new string('x', 60)}");
            }

            Assert.Contains(" 39999 ", log.Tail(1)[0]);
            Assert.Equal(1000, log.Tail(int.MaxValue).Count);
        }

        Assert.True(new DirectoryInfo(folder).GetFiles().Sum(file => file.Length) <= 2 * ServerLog.MaxBytes);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_process_that_reads_nothing_does_not_hold_the_writer_beyond_its_patience()
    {
        await using var ground = new HostingGround();
        var process = await ground.StartAsync(ground.Shell("sleep 100"));
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        var line = new byte[1_000_000];
        line.AsSpan().Fill((byte)' ');

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.WriteLineAsync(line, patience.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.WriteLineAsync(line, patience.Token));
        await process.StopAsync("enough");
    }

    [Fact]
    public async Task Answers_nobody_reads_wait_in_the_pipe_and_the_process_can_still_be_stopped()
    {
        await using var ground = new HostingGround();
        var process = await ground.StartAsync(ground.Command(
            "n", ["perl", "-e", """print qq({"i":$_,"pad":"), 'x' x 1000, qq("}\n) for 0..100_000"""]));

        await HostingGround.UntilAsync(() => process.Lines.Count > 0);
        Assert.Equal(0, (await HostingGround.ReadAsync(process)).GetProperty("i").GetInt32());
        Assert.InRange(process.Lines.Count, 0, 8);
        await process.StopAsync("enough");

        Assert.True(process.Exited.IsCompleted);
    }

    [Fact]
    public async Task Twenty_servers_boot_a_few_at_a_time()
    {
        await using var ground = new HostingGround(
            options => options with { StartsAtOnce = 3, StartLimit = TimeSpan.FromHours(1) });
        const string Boot =
            "from=$(date +%s%N); sleep 0.2; echo \"{\\\"from\\\":$from,\\\"to\\\":$(date +%s%N)}\"; read -r line";
        var servers = Enumerable.Range(0, 20).Select(i => ground.Shell(Boot, $"s{i}")).ToArray();

        var boots = await Task.WhenAll(servers.Select(async server =>
        {
            var answer = await HostingGround.ReadAsync(await ground.StartAsync(server));
            return (From: answer.GetProperty("from").GetInt64(), To: answer.GetProperty("to").GetInt64());
        }));

        var together = Array.ConvertAll(
            boots, boot => boots.Count(other => other.From <= boot.From && boot.From < other.To));
        Assert.InRange(together.Max(), 2, 3);
    }

    [Fact]
    public async Task A_call_waits_for_its_turn_to_start_only_so_long()
    {
        var patience = TimeSpan.FromSeconds(77);
        await using var ground = new HostingGround(options => options with
        {
            StartsAtOnce = 1,
            StartLimit = TimeSpan.FromHours(1),
            QueueLimit = patience,
        });
        await ground.StartAsync(ground.Shell("sleep 100", "silent"));

        var refusal = ground.RefusalAsync(ground.Shell(Echo, "next"));
        await ground.Clock.Alarms.RingAsync(patience);

        Assert.Contains("no turn", (await refusal).Reason);
    }

    [Fact]
    public async Task A_full_house_makes_room_by_stopping_the_one_idle_longest_and_never_one_in_use()
    {
        await using var ground = new HostingGround(options => options with { MaxPerServer = 2 });
        var server = ground.Shell(Echo);
        var (ada, bob) = (await ground.StartAsync(server, "ada"), await ground.StartAsync(server, "bob"));
        using var call = ada.Use();

        Assert.NotNull((await ground.RefusalAsync(server, "eve")).RetryAfter);
        ground.Clock.Advance(TimeSpan.FromMinutes(1));
        var eve = await ground.StartAsync(server, "eve");

        Assert.True(bob.Exited.IsCompleted);
        Assert.False(ada.Exited.IsCompleted);
        Assert.False(eve.Exited.IsCompleted);
    }

    [Fact]
    public async Task Shutting_down_leaves_no_process_and_starts_none()
    {
        var marker = HostingGround.Marker();
        await using var ground = new HostingGround();
        await Task.WhenAll(
            Enumerable.Range(0, 4).Select(i => ground.StartAsync(ground.Shell($"sleep {marker}", $"s{i}"))));
        await HostingGround.UntilAsync(() => HostingGround.Asleep(marker) is 4);

        await ground.Servers.StopAsync(default);

        await HostingGround.UntilGoneAsync(marker);
        Assert.Contains("shutting down", (await ground.RefusalAsync(ground.Shell("true"))).Reason);
    }

    [Theory]
    [InlineData("bubblewrap", false)]
    [InlineData("none", false)]
    [InlineData("bubblewrap", true)] // in the middle of the start
    [InlineData("none", true)]
    public async Task A_server_killed_without_warning_leaves_no_child(string level, bool isEarly)
    {
        var marker = HostingGround.Marker();
        var test = $"{typeof(HostedServersTests).FullName}.{nameof(A_command_runs_until_it_is_stopped)}";
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["-method", test]) { RedirectStandardOutput = true };
        var folder = Directory.CreateTempSubdirectory("postern-parent-").FullName;
        (start.Environment[HeldMarker], start.Environment[HeldLevel]) = (marker, level);
        start.Environment["TMPDIR"] = folder;
        using var parent = Process.Start(start)!;
        try
        {
            await HostingGround.UntilAsync(
                () => (isEarly ? HostingGround.Alive(marker) : HostingGround.Asleep(marker)) > 0);
        }
        finally
        {
            parent.Kill();
            await parent.WaitForExitAsync();
        }

        await HostingGround.UntilGoneAsync(marker);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Run as a process of its own it is the parent that the test above kills.</summary>
    [Fact]
    public async Task A_command_runs_until_it_is_stopped()
    {
        var held = Environment.GetEnvironmentVariable(HeldMarker);
        var marker = held ?? HostingGround.Marker();
        await using var ground = new HostingGround();
        var level = Environment.GetEnvironmentVariable(HeldLevel) ?? "bubblewrap";
        var process = await ground.StartAsync(ground.Command("sleeper", ["sleep", marker], level));
        await HostingGround.UntilAsync(() => HostingGround.Asleep(marker) > 0);
        if (held is not null)
        {
            await Task.Delay(TimeSpan.FromMinutes(1));
        }

        await process.StopAsync("enough");

        await HostingGround.UntilGoneAsync(marker);
    }

    private sealed class Left(CancellationTokenSource sign) : IDisposable
    {
        public void Dispose() => sign.Cancel();
    }
}
