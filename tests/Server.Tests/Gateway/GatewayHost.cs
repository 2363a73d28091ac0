using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Postern.Gateway.Relay;
using Postern.Grants;
using Postern.OAuth.Token;
using Postern.Platform.Database;
using Postern.Servers;

namespace Postern.Tests.Gateway;

/// <summary>The real server with the servers a test runs behind it, and tokens of real grants.</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    private readonly string folder;
    private readonly WebApplication app;

    private GatewayHost(string folder, WebApplication app, string issuer)
    {
        (this.folder, this.app, Issuer) = (folder, app, issuer);
        Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, MaxConnectionsPerServer = 256 })
        {
            BaseAddress = new(issuer),
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    public string Issuer { get; }

    public HttpClient Http { get; }

    public T Get<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    public static async Task<GatewayHost> StartAsync(string servers, string more = "")
    {
        var folder = Directory.CreateTempSubdirectory("postern-gateway-").FullName;
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var issuer = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        probe.Stop();
        var file = Path.Combine(folder, "postern.yaml");
        await File.WriteAllTextAsync(file, $"{more}\nservers:\n{servers}\n");
        var app = Program.Build(
            ["--config", file, "--issuer", issuer, "--listen", issuer, "--database", $"sqlite:{folder}/postern.db", "--data", folder]);
        await app.StartAsync();
        return new(folder, app, issuer);
    }

    /// <summary>A grant at a server, for one person and client, with these scopes and tools.</summary>
    public async Task<Grant> GrantAsync(
        string server, string scopes = "mcp:read mcp:write mcp:destroy", string subject = "ada", string client = "app",
        string[]? tools = null, bool isOwn = false)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        var grant = new Grant
        {
            Id = GrantId.New(now),
            Tenant = TenantId.Default,
            Subject = new(isOwn ? client : subject),
            IsOwn = isOwn,
            Client = new(client),
            ClientName = client,
            Resource = Get<ServerBook>().Find(TenantId.Default, server)!.Resource,
            Scopes = Scopes.TryParse(scopes, out var parsed) ? parsed : throw new ArgumentException(scopes, nameof(scopes)),
            Tools = tools,
            CreatedAt = now,
            ExpiresAt = now.AddHours(1),
        };
        await Get<Db>().WriteAsync(unit => GrantBook.AddAsync(unit, grant));
        return grant;
    }

    public string Token(Grant grant, Scopes? scopes = null) =>
        Get<AccessTokenWriter>().Write(grant, scopes ?? grant.Scopes, AccessTokenWriter.NewId(), DateTimeOffset.UtcNow);

    /// <summary>A token for everything at a server, whose tools the gateway has seen.</summary>
    public async Task<string> TokenAsync(string server, string scopes = "mcp:read mcp:write mcp:destroy", string subject = "ada")
    {
        await Get<Catalogues>().RefreshAsync(Get<ServerBook>().Find(TenantId.Default, server)!);
        return Token(await GrantAsync(server, scopes, subject));
    }

    /// <summary>Posts a body as it is.</summary>
    public async Task<HttpResponseMessage> PostAsync(
        string server, string? token, string body, CancellationToken stop = default, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/mcp/{server}")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
    }

    /// <summary>Calls as a modern client does.</summary>
    public Task<HttpResponseMessage> ModernAsync(
        string server, string? token, string method, string parameters = "", string? name = null, string id = "1",
        string capabilities = "{}", CancellationToken stop = default)
    {
        var meta = $$"""
            "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{capabilities}},"progressToken":"mine"}
            """;
        var body = $$"""{"jsonrpc":"2.0","id":{{id}},"method":"{{method}}","params":{ {{(parameters is "" ? "" : parameters + ",")}} {{meta}} } }""";
        (string, string)[] named = name is null ? [] : [("Mcp-Name", name)];
        return PostAsync(server, token, body, stop, [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method), .. named]);
    }

    public Task<HttpResponseMessage> CallAsync(string server, string? token, string tool, string arguments = "{}", string id = "1") =>
        ModernAsync(server, token, "tools/call", $"\"name\":\"{tool}\",\"arguments\":{arguments}", tool, id);

    /// <summary>Calls as a legacy client does.</summary>
    public Task<HttpResponseMessage> LegacyAsync(
        string server, string? token, string? session, string method, string parameters = "{}", string? id = "1", CancellationToken stop = default)
    {
        var ids = id is null ? "" : $"\"id\":{id},";
        var body = $$"""{"jsonrpc":"2.0",{{ids}}"method":"{{method}}","params":{{parameters}}}""";
        (string, string)[] named = session is null ? [] : [("Mcp-Session-Id", session)];
        return PostAsync(server, token, body, stop, [("MCP-Protocol-Version", "2025-11-25"), .. named]);
    }

    /// <summary>Begins a legacy session and answers its handle.</summary>
    public async Task<string> InitializeAsync(string server, string token, string capabilities = "{}")
    {
        using var answer = await PostAsync(
            server, token,
            $$$$$"""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{{{{{capabilities}}}}},"clientInfo":{"name":"t","version":"1"}}}""");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer.Headers.GetValues("Mcp-Session-Id").Single();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
