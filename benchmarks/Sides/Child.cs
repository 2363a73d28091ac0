using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Postern.Bench.Sides;

/// <summary>A process of ours on a loopback port. It is ended by its own id, and when this one ends.</summary>
internal sealed class Child : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process process;

    private Child(Process process, int port) => (this.process, Port) = (process, port);

    public int Port { get; }

    public string Issuer => FormattableString.Invariant($"http://127.0.0.1:{Port}");

    /// <summary>From the start of the process to its first good answer.</summary>
    public TimeSpan ReadyAfter { get; private set; }

    /// <summary>Resident memory in bytes.</summary>
    public long Memory
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    /// <summary>What it has used of the processors since it was started.</summary>
    public TimeSpan Cpu
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>A port that nobody uses now.</summary>
    /// <remarks>
    /// Below those that the system gives to clients: one that asks again and again at a port of that range, before
    /// anybody listens there, ends up connected to itself.
    /// </remarks>
    public static int FreePort()
    {
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode is SocketError.AddressAlreadyInUse)
            {
                // The next one, then.
            }
        }
    }

    /// <summary>Starts a program, with what it says going to a file, and waits until it answers.</summary>
    public static async Task<Child> StartAsync(
        int port, string readyPath, string log, CancellationToken stop, params IReadOnlyList<string> command)
    {
        // The shell becomes the program, so the id stays the same.
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true };
        foreach (var argument in (IEnumerable<string>)["-c", "exec \"$0\" \"$@\" >>\"$BENCH_LOG\" 2>&1", .. command])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["BENCH_LOG"] = log;
        foreach (var ours in new[] { "INLINE_COMPLETIONS", "THREAD_COUNT" })
        {
            start.Environment.Remove("DOTNET_SYSTEM_NET_SOCKETS_" + ours);
        }

        var began = Stopwatch.GetTimestamp();
        var child = new Child(Process.Start(start)!, port);
        try
        {
            await child.WaitAsync(readyPath, log, stop);
            child.ReadyAfter = Stopwatch.GetElapsedTime(began);
            return child;
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// For a yardstick: it does not watch the files below the folder that it was started in, for the product's database
    /// is among them, and each write to it would wake the yardstick.
    /// </summary>
    public static WebApplicationBuilder Builder() =>
        WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);

    /// <summary>Ends this process when whoever started it is gone.</summary>
    public static void EndWithParent(IHost host) => _ = Task.Run(async () =>
    {
        await Console.In.ReadToEndAsync();
        await host.StopAsync();
    });

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private async Task WaitAsync(string readyPath, string log, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(1) };
        var url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}{readyPath}"));
        while (!await IsReadyAsync(http, url, stop))
        {
            if (process.HasExited || Stopwatch.GetElapsedTime(began) > Patience)
            {
                throw new InvalidOperationException(
                    $"{url} did not become ready:\n{await File.ReadAllTextAsync(log, stop)}");
            }

            await Task.Delay(5, stop);
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, Uri url, CancellationToken stop)
    {
        try
        {
            using var answer = await http.GetAsync(url, stop);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception failure) when (
            failure is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            return false;
        }
    }
}
