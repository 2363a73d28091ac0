using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Postern.Hosting.Sandbox;

namespace Postern.Tests.Hosting;

/// <summary>What a command can reach from inside. Each test lets the command try it.</summary>
[SupportedOSPlatform("linux")]
public sealed class SandboxTests
{
    private const string Connect =
        """
        const net = require('net'), dns = require('dns');
        const reach = (host, port) => new Promise(done => {
          const socket = net.connect({ host, port, timeout: 15000 });
          for (const [event, word] of [['connect', 'reached'], ['error', 'refused'], ['timeout', 'refused']])
            socket.on(event, () => { socket.destroy(); done(word); });
        });
        (async () => console.log(JSON.stringify({
          loopback: await reach('127.0.0.1', +process.argv[1]),
          metadata: await reach('169.254.169.254', 80),
          name: await new Promise(done => dns.resolve('example.com', error => done(error ? 'refused' : 'reached')))
        })))();
        """;

    [Fact]
    public async Task It_reaches_no_network_not_even_the_loopback_of_the_host()
    {
        await using var ground = new HostingGround();
        using var sink = Listen();
        var port = ((IPEndPoint)sink.LocalEndpoint).Port.ToString();

        var process = await ground.StartAsync(ground.Command("n", ["node", "-e", Connect, port]));
        var answer = await HostingGround.ReadAsync(process);

        Assert.Equal("refused", answer.GetProperty("loopback").GetString());
        Assert.Equal("refused", answer.GetProperty("metadata").GetString());
        Assert.Equal("refused", answer.GetProperty("name").GetString());
        Assert.False(sink.Pending());
    }

    [Fact]
    public async Task It_reaches_the_network_of_the_host_when_the_operator_says_so()
    {
        await using var ground = new HostingGround();
        using var sink = Listen();
        var port = ((IPEndPoint)sink.LocalEndpoint).Port.ToString();
        var command = ground.Command("n", ["node", "-e", Connect, port], network: "host");

        var answer = await HostingGround.ReadAsync(await ground.StartAsync(command));

        Assert.Equal("reached", answer.GetProperty("loopback").GetString());
        Assert.Contains("network of the host", await ground.Servers.LevelOfAsync(command.Sandbox));
    }

    [Fact]
    public async Task It_reads_its_own_folder_and_neither_our_data_nor_our_configuration()
    {
        await using var ground = new HostingGround();

        var said = await ground.OutputAsync(ground.Shell(
            "exec 1>&2; cat own.txt; cat data/master.key; cat postern.yaml; ls -A data; grep -rs canary . /etc /data"));

        Assert.Contains("mine", said);
        Assert.DoesNotContain(HostingGround.Canary, said);
        Assert.DoesNotContain("master.key\n", said + "\n");
    }

    [Fact]
    public async Task It_sees_no_dot_file_of_its_folder_unless_it_is_named()
    {
        await using var ground = new HostingGround();
        foreach (var folder in (string[])[".ssh", ".venv/bin", "lib/.cache"])
        {
            Directory.CreateDirectory(Path.Combine(ground.App, folder));
        }

        File.WriteAllText(Path.Combine(ground.App, ".env"), HostingGround.Canary);
        File.WriteAllText(Path.Combine(ground.App, ".ssh/id"), HostingGround.Canary);
        File.WriteAllText(
            Path.Combine(ground.App, ".venv/bin/run.sh"), "exec 1>&2; cat .env .ssh/id; ls -d lib/.*; ls .ssh");

        var said = await ground.OutputAsync(ground.Command("py", ["/bin/sh", ".venv/bin/run.sh"]));

        Assert.DoesNotContain(HostingGround.Canary, said);
        Assert.Contains("lib/.cache", said);
        Assert.DoesNotContain("can't open", said);
    }

    [Fact]
    public async Task A_link_to_its_folder_does_not_show_what_is_hidden()
    {
        await using var ground = new HostingGround();
        var link = ground.App + "-link";
        Directory.CreateSymbolicLink(link, ground.App);
        var command = ground.Shell($"exec 1>&2; cat {link}/data/master.key data/master.key; pwd");

        var said = await ground.OutputAsync(command with { Directory = link });

        Assert.DoesNotContain(HostingGround.Canary, said);
        Assert.EndsWith(ground.App, said);
    }

    [Fact]
    public async Task It_gets_its_own_variables_and_none_of_ours()
    {
        Environment.SetEnvironmentVariable("CANARY_TEST_SECRET", HostingGround.Canary);
        await using var ground = new HostingGround();
        const string Script = "exec 1>&2; env; (tr '\\0' '\\n' < /proc/1/environ) 2> /dev/null";

        var said = await ground.OutputAsync(
            ground.Command("sh", ["/bin/sh", "-c", Script], environment: new() { ["GREETING"] = "hello" }));

        Assert.DoesNotContain(HostingGround.Canary, said);
        var names = said.Split('\n').Select(line => line.Split('=')[0]).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(["GREETING", "HOME", "LANG", "PATH", "PWD"], names);
    }

    [Fact]
    public async Task It_inherits_no_open_file()
    {
        await using var ground = new HostingGround();
        await using var file = File.OpenRead(Path.Combine(ground.Data, "master.key"));
        var careless = dup((int)file.SafeFileHandle.DangerousGetHandle()); // a duplicate is not closed on execute

        var said = await ground.OutputAsync(ground.Shell("ls -l /proc/self/fd >&2"));

        Assert.True(careless > 2);
        Assert.Contains("pipe", said);
        Assert.DoesNotContain("master.key", said);
        Assert.DoesNotContain($" {careless} ->", said);
    }

    [Fact]
    public async Task It_writes_to_its_own_home_alone_and_finds_it_again()
    {
        await using var ground = new HostingGround();
        var write = ground.Shell(
            """
            for f in /x /usr/x /etc/x /dev/x /proc/x ./x own.txt /data/x; do
              (echo secret > $f) 2>/dev/null && echo $f >&2
            done
            """);
        var read = ground.Shell("exec 1>&2; ls /data /data/..; cat /data/x");

        Assert.Equal("/data/x", await ground.OutputAsync(write, "ada"));
        Assert.Contains("secret", await ground.OutputAsync(read, "ada"));
        Assert.DoesNotContain("secret", await ground.OutputAsync(read, "bob"));
    }

    [Fact]
    public async Task It_is_nobody_and_alone()
    {
        await using var ground = new HostingGround();

        var said = await ground.OutputAsync(ground.Shell(
            """
            exec 1>&2; id -un; id -g; hostname; ls -d /proc/[0-9]* | wc -l
            ls /home /root /var /srv /etc/shadow /etc/ssl/private
            """));

        Assert.StartsWith("nobody\n65534\nsandbox\n", said);
        Assert.True(int.Parse(said.Split('\n')[3]) <= 5);
        Assert.Equal(6, said.Split("No such file").Length - 1);
    }

    [Fact]
    public async Task It_can_open_nothing_of_the_machine_for_writing()
    {
        await using var ground = new HostingGround();
        const string Script =
            """
            {
              find /proc/sys /proc/irq /proc/bus /proc/fs -type f; find /proc -maxdepth 1 -type f; echo /proc/1/mem
            } 2>/dev/null |
              perl -MFcntl -ne 'chomp; $n++; print STDERR "$_\n" if sysopen(my $f, $_, O_WRONLY);
                END { print STDERR ($n > 500 ? "tried all" : "found $n") }'
            """;

        Assert.Equal("tried all", await ground.OutputAsync(ground.Shell(Script)));
    }

    [Fact]
    public async Task It_is_neither_root_nor_its_neighbour_to_the_host_and_cannot_end_others()
    {
        await using var ground = new HostingGround();
        var (mine, its) = (HostingGround.Marker(), HostingGround.Marker());
        await ground.StartAsync(ground.Shell($"sleep {mine}", "neighbour"));
        await ground.StartAsync(ground.Shell($"sleep {its}", "other"));
        await HostingGround.UntilAsync(() => HostingGround.Asleep(mine) + HostingGround.Asleep(its) is 2);
        var (neighbour, user) = (HostingGround.Sleeper(mine), HostingGround.UserOf(HostingGround.Sleeper(its)));

        await ground.OutputAsync(ground.Shell($"kill -9 {neighbour}; perl -e 'kill 9, -1'", "other"), "eve");

        Assert.Equal(1, HostingGround.Asleep(mine));
        Assert.NotEqual("0", user);
        if (Environment.IsPrivilegedProcess)
        {
            Assert.NotEqual(HostingGround.UserOf(neighbour), user);
            Assert.Contains("not permitted", HostingGround.Run(
                "setpriv", "--reuid", user, "--clear-groups", "kill", "-0", $"{neighbour}"));
            Assert.Contains("Permission denied", HostingGround.Run(
                "setpriv", "--reuid", user, "--clear-groups", "cat", $"/proc/{neighbour}/mem"));
        }
    }

    [Fact]
    public async Task What_it_writes_is_not_roots_and_stays_its_own_when_it_is_started_again()
    {
        await using var ground = new HostingGround();
        var home = Path.Combine(ground.Data, "hosting/homes");

        await ground.OutputAsync(ground.Shell("echo 1 > /data/a; grep ^Cap /proc/self/status > /data/caps"));
        Assert.Equal("1\n2", await ground.OutputAsync(
            ground.Shell("exec 1>&2; cat /data/a; echo 2 > /data/a; cat /data/a")));

        var written = Directory.GetFiles(home, "a", SearchOption.AllDirectories).Single();
        Assert.NotEqual("0", HostingGround.Run("stat", "-c", "%u", written));
        Assert.Equal("700", HostingGround.Run("stat", "-c", "%a", Path.GetDirectoryName(written)!));
        var held = File.ReadLines(Path.Combine(Path.GetDirectoryName(written)!, "caps"))
            .Where(line => !line.StartsWith("CapBnd", StringComparison.Ordinal));
        Assert.All(held, line => Assert.EndsWith("\t0000000000000000", line));
    }

    [Fact]
    public async Task It_has_places_for_scratch_a_name_and_its_own_pipes()
    {
        await using var ground = new HostingGround();
        const string Script =
            """
            echo a > /tmp/a && echo b > /dev/shm/b && cat /tmp/a /dev/shm/b > /dev/stderr
            node -e 'console.error(os.userInfo().username)' 2>&1 | tail -1 >&2
            """;

        Assert.Equal("a\nb\nnobody", await ground.OutputAsync(ground.Shell(Script)));
    }

    [Theory]
    [InlineData("bubblewrap")]
    [InlineData("none")]
    public async Task It_gives_way_to_everything_else(string level)
    {
        await using var ground = new HostingGround();

        var said = await ground.OutputAsync(ground.Command("n", ["/bin/sh", "-c", "nice >&2"], level));

        Assert.True(int.Parse(said) >= 10);
    }

    [Fact]
    public async Task As_root_a_folder_that_is_closed_to_others_is_refused_with_what_to_do()
    {
        await using var ground = new HostingGround();
        File.SetUnixFileMode(ground.App, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var problem = CommandCheck.Problem(ground.Shell("true"));

        Assert.Equal(Environment.IsPrivilegedProcess, problem?.Contains($"chmod o+rx {ground.App}") is true);
    }

    [Theory]
    [InlineData("unshare --user true", "Operation not permitted")]
    [InlineData("unshare --net true", "Operation not permitted")]
    [InlineData("perl -e 'socket(S, 40, 1, 0) or die $!'", "Operation not permitted")] // AF_VSOCK
    [InlineData("perl -e 'socket(S, 38, 5, 0) or die $!'", "Operation not permitted")] // AF_ALG
    [InlineData("perl -e 'socket(S, 2, 1, 0) or die $!; print STDERR qq(fine\n)'", "fine")]
    public async Task It_may_not_reach_for_namespaces_or_odd_sockets(string script, string expected)
    {
        await using var ground = new HostingGround();

        Assert.Contains(expected, await ground.OutputAsync(ground.Shell(script)));
    }

    [Theory]
    [InlineData("mount", 165, 40, "Operation not permitted")]
    [InlineData("keyctl", 250, 219, "Operation not permitted")]
    [InlineData("ptrace", 101, 117, "Operation not permitted")]
    [InlineData("bpf", 321, 280, "Operation not permitted")]
    [InlineData("io_uring_setup", 425, 425, "not implemented")]
    [InlineData("clone3", 435, 435, "not implemented")]
    [InlineData("getpid of another ABI", 0x40000027, 0x40000027, "Operation not permitted")]
    public async Task It_may_not_make_the_calls_that_kernels_are_attacked_by(
        string call, int x64, int arm64, string expected)
    {
        await using var ground = new HostingGround();
        var number = RuntimeInformation.ProcessArchitecture is Architecture.X64 ? x64 : arm64;

        var said = await ground.OutputAsync(ground.Shell($"perl -e 'syscall({number}, 0, 0, 0, 0, 0) >= 0 or die $!'"));

        Assert.True(said.Contains(expected, StringComparison.Ordinal), $"{call}: {said}");
    }

    [Theory]
    [InlineData(true, "console.log('{}'); const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1));")]
    [InlineData(false, "console.log('{}'); const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1));")]
    [InlineData(true, "console.log('{}'); const all = []; for (;;) all.push(Array(1000).fill(1.5));")]
    [InlineData(false, "console.log('{}'); const all = []; for (;;) all.push(Array(1000).fill(1.5));")]
    public async Task A_command_that_takes_too_much_memory_is_over_and_no_other(bool hasGroups, string hog)
    {
        await using var ground = new HostingGround(options => options with { HasControlGroups = hasGroups });
        var neighbour = await ground.StartAsync(ground.Shell("""read l; echo '{"still":"here"}'; read l""", "calm"));

        var process = await ground.StartAsync(ground.Command("hog", ["node", "-e", hog], memory: 256));
        await HostingGround.ReadAsync(process);
        var end = await process.Exited.WaitAsync(HostingGround.Patience);

        Assert.NotEqual(0, end.Code);
        await HostingGround.WriteAsync(neighbour, "{}");
        Assert.Equal("here", (await HostingGround.ReadAsync(neighbour)).GetProperty("still").GetString());
    }

    [Fact]
    public async Task Ordinary_servers_have_most_of_the_memory_they_are_allowed()
    {
        await using var ground = new HostingGround();
        const string Node = "const all = []; for (let i = 0; i < 100; i++) all.push(Buffer.alloc(2 << 20, 1))";
        const string Perl = "my @all; push @all, 'x' x (1 << 20) for 1..200; print STDERR scalar @all";

        Assert.Equal("", await ground.OutputAsync(ground.Command("n", ["node", "-e", Node], memory: 256)));
        Assert.Equal("200", await ground.OutputAsync(ground.Command("p", ["perl", "-e", Perl], memory: 256)));
    }

    [Fact]
    public async Task Many_processes_together_take_no_more_memory_than_one_may()
    {
        await using var ground = new HostingGround();
        const string Hogs =
            """
            for (1..8) { next if fork; my $all = 'x' x (100 << 20); sleep 60; }
            wait; exit($? ? 7 : 0);
            """;
        var hogs = ground.Command("hogs", ["perl", "-e", Hogs], memory: 256);
        var level = (await ground.Sandboxes.TryAsync() as TrialOutcome.Holds)!.Level;

        var process = await ground.StartAsync(hogs);

        if (level.Contains("control groups"))
        {
            Assert.Contains("more memory", (await process.Exited.WaitAsync(HostingGround.Patience)).Reason);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_fork_bomb_stops_at_its_limit_and_is_gone_with_its_sandbox(bool hasGroups)
    {
        await using var ground = new HostingGround(options => options with { HasControlGroups = hasGroups });
        var marker = HostingGround.Marker();
        const string Bomb =
            """
            $| = 1; my $failed = 0;
            for (1..300) { my $p = fork; $failed++ unless defined $p; exec 'sleep', $ARGV[0] if defined $p && !$p; }
            print qq({"failed":$failed}\n); <STDIN>;
            """;

        var process = await ground.StartAsync(ground.Command("bomb", ["perl", "-e", Bomb, marker], processes: 20));
        var answer = await HostingGround.ReadAsync(process);
        Assert.InRange(answer.GetProperty("failed").GetInt32(), 280, 295);
        await HostingGround.UntilAsync(() => HostingGround.Asleep(marker) > 5);
        await process.StopAsync("enough");

        await HostingGround.UntilGoneAsync(marker);
    }

    [Fact]
    public async Task Without_bubblewrap_nothing_is_started_and_the_operator_is_told_what_to_do()
    {
        await using var ground = new HostingGround(options => options with { Bubblewrap = "/nowhere/bwrap" });

        var refusal = await ground.RefusalAsync(ground.Shell("touch /tmp/never"));

        Assert.Contains("apt install bubblewrap", refusal.Reason);
        Assert.DoesNotContain("bubblewrap", refusal.Sentence);
        Assert.Null(refusal.RetryAfter);
    }

    [Fact]
    public async Task A_bubblewrap_that_does_not_work_here_says_why()
    {
        var folder = Directory.CreateTempSubdirectory("postern-fake-");
        var fake = Path.Combine(folder.FullName, "bwrap");
        File.WriteAllText(fake, "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n");
        File.SetUnixFileMode(fake, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var ground = new HostingGround(options => options with { Bubblewrap = fake });

        var refusal = await ground.RefusalAsync(ground.Shell("true"));

        Assert.Contains("No permissions to create new namespace", refusal.Reason);
        Assert.Contains("kernel.unprivileged_userns_clone", refusal.Reason);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_trial_that_does_not_end_leaves_no_process()
    {
        var marker = HostingGround.Marker();
        var folder = Directory.CreateTempSubdirectory("postern-fake-");
        var fake = Path.Combine(folder.FullName, "bwrap");
        File.WriteAllText(fake, $"#!/bin/sh\necho ready\nread -r go\nexec sleep {marker}\n");
        File.SetUnixFileMode(fake, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var ground = new HostingGround(options => options with { Bubblewrap = fake });

        var refusal = ground.RefusalAsync(ground.Shell("true"));
        await HostingGround.UntilAsync(() => HostingGround.Asleep(marker) > 0);
        await ground.Clock.Alarms.RingAsync(TimeSpan.FromSeconds(20));

        Assert.Contains("did not end", (await refusal).Reason);
        await HostingGround.UntilGoneAsync(marker);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Only_the_operators_own_word_runs_a_command_without_a_sandbox()
    {
        await using var ground = new HostingGround(options => options with { Bubblewrap = "/nowhere/bwrap" });
        var open = ground.Command("open", ["/bin/sh", "-c", "exec 1>&2; id -u; env"], level: "none");

        var said = await ground.OutputAsync(open);

        Assert.StartsWith($"{(Environment.IsPrivilegedProcess ? 0 : "")}", said);
        Assert.DoesNotContain("POSTERN_", said);
        Assert.StartsWith("none", await ground.Servers.LevelOfAsync(open.Sandbox));
    }

    [Fact]
    public async Task A_command_that_cannot_run_as_written_is_refused_with_the_reason()
    {
        await using var ground = new HostingGround();
        var fine = ground.Shell("true");

        Assert.Null(CommandCheck.Problem(fine));
        Assert.Contains("no-such", CommandCheck.Problem(fine with { Command = ["no-such-program"] }));
        Assert.Contains("./no", CommandCheck.Problem(fine with { Command = ["./no.sh"] }));
        Assert.Contains("/nowhere", CommandCheck.Problem(fine with { Directory = "/nowhere" }));
        Assert.Contains("whole file system", CommandCheck.Problem(fine with { Directory = "/" }));
        Assert.Contains("whole file system", CommandCheck.Problem(ground.Command("x", ["true"], read: ["/usr/.."])));
        foreach (var name in (string[])["LD_PRELOAD", "POSTERN_DATA", "A=B", ""])
        {
            var given = ground.Command("x", ["true"], environment: new() { [name] = "x" });
            Assert.Contains($"The variable {name} ", CommandCheck.Problem(given));
        }
    }

    [Fact]
    public async Task Its_system_and_its_folder_are_mounted_for_reading_only()
    {
        await using var ground = new HostingGround();

        var mounts = (await ground.OutputAsync(ground.Shell("cut -d' ' -f2,4 /proc/self/mounts >&2"))).Split('\n')
            .Select(line => line.Split(' '))
            .ToLookup(mount => mount[0], mount => mount[1].Split(',')[0]);

        Assert.All((string[])["/", "/usr", "/dev", ground.App], path => Assert.Equal("ro", mounts[path].Last()));
        Assert.Equal("rw", mounts["/data"].Last());
    }

    [Fact]
    public async Task A_program_that_the_sandbox_does_not_show_is_refused_with_what_to_write()
    {
        await using var ground = new HostingGround();
        var elsewhere = Directory.CreateTempSubdirectory("postern-program-");
        var program = Path.Combine(elsewhere.FullName, "tool");
        var link = Path.Combine(ground.App, "tool");
        await File.WriteAllTextAsync(program, "#!/bin/sh\necho here >&2\n");
        File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(elsewhere.FullName, (UnixFileMode)0b111_101_101);
        File.CreateSymbolicLink(link, program);

        foreach (var way in (string[])[program, link, "./tool"])
        {
            var refusal = await ground.RefusalAsync(ground.Command(Path.GetFileName(way), [way]));
            Assert.Contains($"read: [{elsewhere.FullName}]", refusal.Reason);
            Assert.Null(CommandCheck.Problem(ground.Command("x", [way], level: "none")));
        }

        Assert.Equal("here", await ground.OutputAsync(
            ground.Command("shown", [program], read: [elsewhere.FullName])));
        elsewhere.Delete(recursive: true);
    }

    private static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    [DllImport("libc")]
    private static extern int dup(int descriptor);
}
