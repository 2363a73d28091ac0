using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Postern.Tests.Cli;

namespace Postern.Tests.Platform;

/// <summary>The real process, asked to stop in the middle of its work.</summary>
public sealed class StopTests
{
    private const string Question = """{"redirect_uris":["https://a.example/cb"]}""";

    // Sent first, and so many that what follows may come slowly.
    private static readonly string Blanks = new(' ', 12_000);

    private readonly int port = Postgres.FreePort();

    [Fact]
    public async Task What_was_begun_is_answered_before_it_ends_and_each_line_it_logged_is_JSON()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var postern = new PosternCommand();
        using var serve = postern.Start(["serve", $"--listen=http://127.0.0.1:{port}", "--logs.format=json"]);
        var logged = serve.StandardError.ReadToEndAsync(deadline.Token);
        await UntilAsync(IsServingAsync, deadline.Token);

        using var asked = new TcpClient();
        await asked.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
        await using var line = asked.GetStream();
        await line.WriteAsync(Encoding.ASCII.GetBytes($"""
            POST /register HTTP/1.1
            Host: 127.0.0.1:{port}
            Content-Type: application/json
            Content-Length: {Blanks.Length + Question.Length}
            Connection: close

            {Blanks}
            """.ReplaceLineEndings("\r\n")), deadline.Token);
        // The blanks are with the server when it answers on another connection that came later.
        Assert.True(await IsServingAsync());
        using (var stop = Process.Start("kill", ["-TERM", $"{serve.Id}"]))
        {
            await stop.WaitForExitAsync(deadline.Token);
        }

        await UntilAsync(async () => !await IsServingAsync(), deadline.Token);
        await line.WriteAsync(Encoding.ASCII.GetBytes(Question), deadline.Token);
        using var answer = new StreamReader(line);
        var text = await answer.ReadToEndAsync(deadline.Token);
        await serve.WaitForExitAsync(deadline.Token);

        Assert.StartsWith("HTTP/1.1 201", text);
        Assert.Equal(0, serve.ExitCode);
        var lines = (await logged).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.All(lines, said => Assert.Equal(JsonValueKind.Object, JsonElement.Parse(said).ValueKind));
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo, CancellationToken stop)
    {
        while (!await isSo())
        {
            await Task.Delay(20, stop);
        }
    }

    private async Task<bool> IsServingAsync()
    {
        using var http = new HttpClient();
        try
        {
            return await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/healthz")) is "ok\n";
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
