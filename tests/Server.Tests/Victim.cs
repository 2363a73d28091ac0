using System.Diagnostics;
using System.Text;

namespace Postern.Tests;

/// <summary>A child process that serves the data of a stopped server.</summary>
internal sealed class Victim : IAsyncDisposable
{
    private readonly Process process;

    private Victim(Process process) => this.process = process;

    public static async Task<Victim> StartAsync(TestServer like, string? yaml = null)
    {
        var config = Path.Combine(like.Folder, "killed.yaml");
        await File.WriteAllTextAsync(config, yaml ?? App.Town);
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Postern.Server"),
        [
            "serve",
            "--config", config,
            "--issuer", like.Issuer,
            "--listen", like.Issuer,
            "--database", like.Database,
            "--data", like.Folder,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        var said = new StringBuilder();
        process.OutputDataReceived += (_, line) => said.AppendLine(line.Data);
        process.ErrorDataReceived += (_, line) => said.AppendLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var http = new HttpClient { BaseAddress = new(like.Issuer) };
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri("/readyz", UriKind.Relative));
                if (answer.IsSuccessStatusCode)
                {
                    return new(process);
                }
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                // Not there yet; a refused connection is all there is to wait for.
            }

            Assert.False(process.HasExited, said.ToString());
            await Task.Delay(10);
        }
    }

    /// <summary>SIGKILL: no handler runs, no buffer is flushed.</summary>
    public void Kill() => process.Kill();

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
