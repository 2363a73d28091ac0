using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.Cli;

/// <summary><c>postern try</c> as a newcomer runs it: the real program, its own server, the real way.</summary>
public sealed partial class TryTests(Chromium chromium) : IClassFixture<Chromium>, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static readonly string[] Gates =
    [
        "server", "401", "resource", "issuer", "registration", "sign-in", "consent", "code", "token", "tools/list",
        "tools/call", "log",
    ];

    private readonly PosternCommand postern = new();

    public void Dispose() => postern.Dispose();

    [Fact]
    public async Task An_agent_goes_from_the_closed_door_to_an_answer_that_is_in_the_log()
    {
        var said = await postern.RunAsync("try", "--headless", "--json");

        Assert.True(said.Code is 0, said.ToString());
        var gates = said.Json.GetProperty("gates").EnumerateArray().ToList();
        Assert.Equal(Gates, gates.Select(gate => gate.GetProperty("gate").GetString()));
        Assert.All(gates, gate => Assert.True(gate.GetProperty("open").GetBoolean()));
        var claims = said.Json.GetProperty("token").GetProperty("claims");
        Assert.EndsWith("/mcp/notes", claims.GetProperty("aud").GetString());
        var record = said.Json.GetProperty("entry").GetProperty("record");
        Assert.Equal("add_note", record.GetProperty("object").GetProperty("tool").GetString());
        Assert.Equal("allow", record.GetProperty("decision").GetProperty("effect").GetString());
        Assert.Equal(
            claims.GetProperty("grant_id").GetString(),
            record.GetProperty("decision").GetProperty("grantId").GetString());
        Assert.Equal(3, said.Json.GetProperty("next").GetArrayLength());
    }

    [Fact]
    public async Task It_tells_people_of_every_gate_and_shows_no_token()
    {
        var said = await postern.RunAsync("try", "--headless");

        Assert.True(said.Code is 0, said.ToString());
        Assert.All(Gates, gate => Assert.Matches($"✓ +{gate} ", said.Words));
        Assert.Contains("in place of a person (--headless)", said.Words);
        // A JWT begins so; and the token of the API.
        Assert.DoesNotContain("eyJhbGciOi", said.ToString());
        Assert.DoesNotContain("pad_", said.ToString());
        Assert.DoesNotContain("\u001b", said.Words);
    }

    [Fact]
    public async Task It_leaves_nothing_behind()
    {
        var said = await postern.RunAsync("try", "--headless", "--json");

        Assert.True(said.Code is 0, said.ToString());
        Assert.Empty(Directory.EnumerateFileSystemEntries(postern.Temporary));
        Assert.False(File.Exists(postern.Credentials));
        var issuer = new Uri(said.Json.GetProperty("token").GetProperty("claims").GetProperty("iss").GetString()!);
        using var http = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(new Uri(issuer, "/healthz")));
    }

    [Fact]
    public async Task Without_display_and_person_it_says_what_to_do()
    {
        var said = await postern.RunAsync("try");

        Assert.Equal((1, ""), (said.Code, said.Words));
        Assert.Contains("postern try --headless", said.Errors);
    }

    [Fact]
    public async Task The_persons_browser_is_opened_where_they_decide()
    {
        var (opener, opened) = (Path.Combine(postern.Home, "xdg-open"), Path.Combine(postern.Home, "opened"));
        await File.WriteAllTextAsync(opener, "#!/bin/sh\necho \"$1\" > opened\n");
        File.SetUnixFileMode(opener, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var waiting = postern.Start(["try"], withDisplay: true);
        using var deadline = new CancellationTokenSource(Patience);

        var told = await ReadToLinkAsync(waiting, deadline.Token);
        await Eventually.TrueAsync(() => File.Exists(opened) && new FileInfo(opened).Length > 0);
        var address = (await File.ReadAllTextAsync(opened)).Trim();
        await using var browser = await chromium.ContextAsync();
        var page = await browser.NewPageAsync();
        await page.GotoAsync(address);

        Assert.Contains("Your browser opens", told);
        Assert.Equal(Link(told), address);
        // Nothing comes before the question: not even to sign in.
        Assert.Equal("/consent", new Uri(page.Url).AbsolutePath);
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).WaitForAsync();
        using var interrupt = Process.Start("kill", ["-INT", $"{waiting.Id}"]);
        await waiting.WaitForExitAsync(deadline.Token);
    }

    [Theory]
    [InlineData("Allow", 0)]
    [InlineData("Deny", 1)]
    public async Task A_person_at_a_browser_decides(string button, int code)
    {
        using var waiting = postern.Start(["try"], withDisplay: true);
        using var deadline = new CancellationTokenSource(Patience);
        var told = await ReadToLinkAsync(waiting, deadline.Token);

        await using var browser = await chromium.ContextAsync();
        var page = await browser.NewPageAsync();
        await page.GotoAsync(Link(told));
        await page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
        await page.GetByText("You can close this page").WaitForAsync();

        var rest = await waiting.StandardOutput.ReadToEndAsync(deadline.Token);
        await waiting.WaitForExitAsync(deadline.Token);
        Assert.Equal(code, waiting.ExitCode);
        Assert.Contains(button is "Allow" ? "✓ log " : "✗ code ", rest);
        Assert.DoesNotContain("eyJhbGciOi", told + rest);
    }

    [Fact]
    public async Task Who_does_not_know_the_link_gets_neither_page_nor_cookie()
    {
        using var waiting = postern.Start(["try"], withDisplay: true);
        using var deadline = new CancellationTokenSource(Patience);
        var link = new Uri(Link(await ReadToLinkAsync(waiting, deadline.Token)));
        using var http = new HttpClient();

        using var answer = await http.GetAsync(new Uri(link, "/somewhere"), deadline.Token);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
        using var interrupt = Process.Start("kill", ["-INT", $"{waiting.Id}"]);
        await waiting.WaitForExitAsync(deadline.Token);
    }

    [Fact]
    public async Task A_person_who_interrupts_it_while_it_waits_finds_nothing_left()
    {
        using var waiting = postern.Start(["try"], withDisplay: true);
        using var deadline = new CancellationTokenSource(Patience);
        await ReadToLinkAsync(waiting, deadline.Token);
        Assert.Single(Directory.EnumerateDirectories(postern.Temporary));

        using var interrupt = Process.Start("kill", ["-INT", $"{waiting.Id}"]);
        await waiting.WaitForExitAsync(deadline.Token);

        Assert.Equal(1, waiting.ExitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(postern.Temporary));
    }

    private static async Task<string> ReadToLinkAsync(Process process, CancellationToken stop)
    {
        var told = new StringBuilder();
        while (Link(told.ToString()) is "")
        {
            var line = await process.StandardOutput.ReadLineAsync(stop);
            Assert.True(line is not null, told.ToString());
            told.AppendLine(line);
        }

        return told.ToString();
    }

    // Alone on its line; other addresses stand among words.
    private static string Link(string text) => LinkPattern().Match(text).Groups[1].Value;

    [GeneratedRegex(@"^\s*(http\S+)\s*$", RegexOptions.Multiline, 1000)]
    private static partial Regex LinkPattern();
}
