using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Postern.Cli.Try;

/// <summary>This program's own server, as a child process with a folder of its own; both are gone when it is disposed.</summary>
internal sealed class PrivateServer : IAsyncDisposable
{
    private const string Ready = "Postern is ready at";
    private const int MostWords = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo folder;
    private readonly Process process;
    private readonly ConcurrentQueue<string> words = new();
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PrivateServer(DirectoryInfo folder)
    {
        this.folder = folder;
        Origin = $"http://127.0.0.1:{FreePort()}";
        process = new() { StartInfo = StartOf(folder.FullName), EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
    }

    public string Origin { get; }

    public string Email { get; } = "demo@example.test";

    /// <summary>Made for this run.</summary>
    public string Password { get; } = RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 16);

    public string AdminToken => File.ReadAllText(Path.Combine(folder.FullName, "admin.token")).Trim();

    public static async Task<PrivateServer> StartAsync(CancellationToken stop)
    {
        // Only its owner may enter a folder that is made like this.
        var server = new PrivateServer(Directory.CreateTempSubdirectory("postern-try-"));
        try
        {
            await server.BeginAsync(stop);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // It was never started, or has ended by itself.
        }

        process.Dispose();
        folder.Delete(recursive: true);
    }

    private async Task BeginAsync(CancellationToken stop)
    {
        await File.WriteAllTextAsync(
            Path.Combine(folder.FullName, "postern.yaml"),
            $"""
            listen: {Origin}
            data: {folder.FullName}
            database: sqlite:{Path.Combine(folder.FullName, "postern.db")}
            demo: true
            users:
              - email: {Email}
                password: {Password}
                roles: [admin]
            """,
            stop);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var first = await Task.WhenAny(ready.Task, process.WaitForExitAsync(stop), Task.Delay(Patience, stop));
        stop.ThrowIfCancellationRequested();
        if (first != ready.Task)
        {
            throw new RefusalException($"The server did not come up. It said: {string.Join(" / ", words)}");
        }
    }

    private void Hear(string? line)
    {
        if (line?.Contains(Ready, StringComparison.Ordinal) is true)
        {
            ready.TrySetResult();
        }

        if (line is { Length: > 0 })
        {
            words.Enqueue(line);
            if (words.Count > MostWords)
            {
                words.TryDequeue(out _);
            }
        }
    }

    private static ProcessStartInfo StartOf(string folder)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet")
        {
            start.ArgumentList.Add(Path.GetFullPath(Environment.GetCommandLineArgs()[0]));
        }

        start.ArgumentList.Add("serve");
        // It is killed in the end, and would leave its sockets for debuggers behind.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        // The settings of another server on this machine are not meant for this one.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("POSTERN_", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        return start;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
