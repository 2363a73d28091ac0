using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Postern.Hosting;
using Postern.Hosting.Processes;
using Postern.Servers;
using Postern.Tests.Hosting;

namespace Postern.Tests.Api;

/// <summary>What an operator is told of a local command, and how it is started anew.</summary>
public sealed class HostedEndpointTests : IAsyncLifetime
{
    private const string Yaml =
        """
        servers:
          - name: local
            command: [/bin/sh, -c, "echo hello >&2; while read -r line; do test \"$line\" != '{}' || exit 3; done"]
          - { name: crm, http: "http://127.0.0.1:9/mcp" }
        """;

    private TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(Yaml);
        var token = await File.ReadAllTextAsync(Path.Combine(server.Folder, "admin.token"));
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task The_list_says_how_a_command_is_shut_in_and_what_it_is_doing()
    {
        var process = await StartAsync();
        var during = await HostedAsync();
        await HostingGround.WriteAsync(process, "{}");
        await process.Exited;
        await HostingGround.UntilAsync(() => server.Get<HostedServers>().Status().Any(each => each.Crashes is 1));
        var after = await HostedAsync();

        // The gateway has a process of its own, to ask for the tools.
        Assert.StartsWith("bubblewrap", during.GetProperty("sandbox").GetString());
        Assert.Equal("running", during.GetProperty("state").GetString());
        Assert.InRange(during.GetProperty("running").GetInt32(), 1, 2);
        Assert.Equal(1, after.GetProperty("crashes").GetInt32());
        Assert.Contains("code 3", after.GetProperty("last_errors").ToString());
        Assert.False((await EntryAsync("crm")).TryGetProperty("hosted", out _));
    }

    [Fact]
    public async Task What_it_printed_can_be_read_and_a_restart_ends_it()
    {
        var process = await StartAsync();
        await HostingGround.UntilAsync(() => process.LastErrors.Count > 0);

        var log = await server.Http.GetStringAsync("/api/servers/local/log");
        using var restart = await server.Http.PostAsync("/api/servers/local/restart", null);

        Assert.Contains("stderr hello", log);
        Assert.Equal(HttpStatusCode.NoContent, restart.StatusCode);
        Assert.True((await process.Exited).WasAsked);
    }

    [Theory]
    [InlineData("crm")]
    [InlineData("nowhere")]
    [InlineData("..%2fx")]
    public async Task What_is_no_local_command_has_neither(string name)
    {
        using var log = await server.Http.GetAsync($"/api/servers/{name}/log");
        using var restart = await server.Http.PostAsync($"/api/servers/{name}/restart", null);

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (log.StatusCode, restart.StatusCode));
    }

    private async Task<HostedProcess> StartAsync()
    {
        var known = server.Get<ServerBook>().Find(TenantId.Default, "local")!;
        var command = HostedCommand.Of(known, AppContext.BaseDirectory);
        return Assert.IsType<AcquireOutcome.Running>(
            await server.Get<HostedServers>().AcquireAsync(command, "ada", default)).Process;
    }

    private async Task<JsonElement> HostedAsync() => (await EntryAsync("local")).GetProperty("hosted");

    private async Task<JsonElement> EntryAsync(string name)
    {
        var list = JsonDocument.Parse(await server.Http.GetStringAsync("/api/servers")).RootElement;
        return list.GetProperty("servers").EnumerateArray()
            .Single(each => each.GetProperty("name").GetString() == name);
    }
}
