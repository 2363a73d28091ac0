using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Postern.Tests.Cli;

/// <summary>The built executable, run as a person runs it, in a home of its own.</summary>
internal sealed class PosternCommand : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static readonly string Program = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "../../Server", new DirectoryInfo(AppContext.BaseDirectory).Name, "postern"));

    private readonly DirectoryInfo home = Directory.CreateTempSubdirectory("postern-cli-");

    public PosternCommand()
    {
        home.CreateSubdirectory("tmp");
        home.CreateSubdirectory("data");
    }

    public string Home => home.FullName;

    /// <summary>Where the program makes temporary files.</summary>
    public string Temporary => Path.Combine(Home, "tmp");

    public string Credentials => Path.Combine(Home, ".config/postern/credentials.json");

    public async Task<Said> RunAsync(params string[] args) => await RunAsync(null, args);

    public async Task<Said> RunAsync(string? input, string[] args)
    {
        using var process = Start(args, input is not null);
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }

        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            var (words, errors) = (
                process.StandardOutput.ReadToEndAsync(deadline.Token),
                process.StandardError.ReadToEndAsync(deadline.Token));
            await process.WaitForExitAsync(deadline.Token);
            return new(process.ExitCode, await words, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"postern {string.Join(' ', args)} did not end within {Patience}.");
        }
    }

    /// <summary>A command that goes on; the caller ends it.</summary>
    /// <param name="args">What is typed behind <c>postern</c>.</param>
    /// <param name="withInput">Whether something is typed later.</param>
    /// <param name="withDisplay">Whether there is a display, though no program that opens a browser on it.</param>
    public Process Start(string[] args, bool withInput = false, bool withDisplay = false)
    {
        var start = new ProcessStartInfo(Program, args)
        {
            WorkingDirectory = Home,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = withInput,
            StandardOutputEncoding = Encoding.UTF8,
            UseShellExecute = false,
        };
        string[] unwanted =
        [
            "DISPLAY", "WAYLAND_DISPLAY", "XDG_CONFIG_HOME",
            .. start.Environment.Keys.Where(name => name.StartsWith("POSTERN_", StringComparison.Ordinal)),
        ];
        Array.ForEach(unwanted, name => start.Environment.Remove(name));
        if (withDisplay)
        {
            (start.Environment["DISPLAY"], start.Environment["PATH"]) = (":0", Home);
        }

        (start.Environment["HOME"], start.Environment["TMPDIR"]) = (Home, Temporary);
        return Process.Start(start)!;
    }

    public void Dispose() => home.Delete(recursive: true);
}

/// <summary>How a command ended and what it said.</summary>
internal sealed record Said(int Code, string Words, string Errors)
{
    public JsonElement Json => JsonDocument.Parse(Words).RootElement;

    public override string ToString() => $"exit {Code}\n{Words}\n{Errors}";
}
