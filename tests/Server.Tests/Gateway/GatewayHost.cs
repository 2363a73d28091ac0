using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Postern.Audit;
using Postern.Gateway.Relay;
using Postern.Grants;
using Postern.OAuth.Token;
using Postern.Platform.Database;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.Tests.Gateway;

/// <summary>The real server with the servers a test runs behind it, and tokens of real grants.</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    public const string AllScopes = "mcp:read mcp:write mcp:destroy";

    /// <summary>
    /// How long a test waits for what must come: long enough for a machine that does much else, since what never comes
    /// is a failure however late it is told.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TestServer server;

    private GatewayHost(TestServer server)
    {
        this.server = server;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            MaxConnectionsPerServer = 256,
        };
        Http = new(handler) { BaseAddress = server.Http.BaseAddress, Timeout = Patience };
        Http.DefaultRequestHeaders.Host = new Uri(server.Issuer).Authority;
    }

    public string Issuer => server.Issuer;

    public TestServer Server => server;

    public string Folder => server.Folder;

    public FakeClock Clock => server.Clock;

    public HttpClient Http { get; }

    public T Get<T>()
        where T : notnull => server.Get<T>();

    /// <param name="servers">Servers in the configuration, as YAML.</param>
    /// <param name="more">Further settings.</param>
    /// <param name="on">The database.</param>
    /// <param name="replace">Exchanges what a test must own.</param>
    /// <param name="like">Another node, whose database and clock are shared.</param>
    public static async Task<GatewayHost> StartAsync(
        string servers, string more = "", On on = On.Sqlite, Action<IServiceCollection>? replace = null,
        GatewayHost? like = null) =>
        new(await TestServer.StartAsync(
            servers is "" ? more : $"{more}\nservers:\n{servers}\n", on, replace, like?.server));

    /// <summary>
    /// A grant at a server, for one person and client, with these scopes and tools; the person signed in now, by a
    /// password, unless said otherwise.
    /// </summary>
    public async Task<Grant> GrantAsync(
        string at, string scopes = AllScopes, string subject = "ada", string client = "app", string[]? tools = null,
        bool isOwn = false, string? acr = Acr.Password, TimeSpan ago = default, ActingParty? actor = null,
        string? details = null)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(Get<TimeProvider>().GetUtcNow().ToUnixTimeSeconds());
        var grant = new Grant
        {
            Id = GrantId.New(now, Get<RandomNumberGenerator>()),
            Tenant = TenantId.Default,
            Subject = new(isOwn ? client : subject),
            IsOwn = isOwn,
            Client = new(client),
            ClientName = client,
            Resource = ServerOf(at).Resource,
            Scopes = Scopes.TryParse(scopes, out var parsed)
                ? parsed
                : throw new ArgumentException(scopes, nameof(scopes)),
            Tools = tools,
            Details = details is null ? null : Details.Parse(details)!,
            AuthTime = isOwn ? null : now - ago,
            Acr = isOwn ? null : acr,
            Actors = actor is null ? [] : [actor],
            CreatedAt = now,
            ExpiresAt = now.AddHours(1),
        };
        await Get<Db>().WriteAsync(unit => GrantBook.AddAsync(unit, grant));
        return grant;
    }

    public Task RevokeAsync(Grant grant) =>
        Get<GrantBook>().RevokeAsync(grant, new() { Tenant = grant.Tenant, Kind = AuditKinds.GrantRevoked });

    /// <param name="grant">What it is minted from.</param>
    /// <param name="scopes">All of the grant's unless said otherwise.</param>
    /// <param name="thumbprint">The key it is bound to.</param>
    public string Token(Grant grant, Scopes? scopes = null, string? thumbprint = null)
    {
        var writer = Get<AccessTokenWriter>();
        var (tenant, now) = (Get<TenantBook>().Default, Get<TimeProvider>().GetUtcNow());
        return Encoding.ASCII.GetString(writer.Write(new()
        {
            Tenant = tenant,
            Grant = grant,
            Scopes = scopes ?? grant.Scopes,
            Id = writer.NewId(),
            Ancestors = [],
            IssuedAt = now,
            ExpiresAt = now + tenant.AccessLifetime,
            Holder = thumbprint is null ? null : Holder.OfKey(thumbprint),
        }));
    }

    /// <summary>A token at a server, for everything unless said otherwise.</summary>
    public async Task<string> TokenAsync(string at, string scopes = AllScopes, string subject = "ada")
    {
        await ToolsOfAsync(at);
        return Token(await GrantAsync(at, scopes, subject));
    }

    /// <summary>Waits until the gateway has seen a server's tools, if they are to be had.</summary>
    public Task ToolsOfAsync(string at) => Get<Catalogues>().RefreshAsync(ServerOf(at));

    public McpServer ServerOf(string name) => Get<ServerBook>().Find(TenantId.Default, name)!;

    /// <summary>Posts a body as it is.</summary>
    public Task<HttpResponseMessage> PostAsync(
        string at, string? token, string body, CancellationToken stop = default,
        params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, at, token, body, stop, headers);

    /// <summary>Opens the stream of a legacy session.</summary>
    public Task<HttpResponseMessage> GetAsync(
        string at, string token, string session, CancellationToken stop = default) =>
        SendAsync(HttpMethod.Get, at, token, null, stop, ("Mcp-Session-Id", session));

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod verb, string at, string? token, string? body, CancellationToken stop = default,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(verb, $"/mcp/{at}");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
    }

    /// <summary>Calls as a modern client does.</summary>
    public Task<HttpResponseMessage> ModernAsync(
        string at, string? token, string method, string parameters = "", string? name = null, string id = "1",
        string capabilities = "{}", CancellationToken stop = default)
    {
        var meta =
            $$"""
            "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
              "io.modelcontextprotocol/clientCapabilities":{{capabilities}},"progressToken":"mine"}
            """;
        var members = parameters is "" ? meta : $"{parameters},{meta}";
        (string, string)[] named = name is null ? [] : [("Mcp-Name", name)];
        return PostAsync(
            at,
            token,
            $$$"""{"jsonrpc":"2.0","id":{{{id}}},"method":"{{{method}}}","params":{ {{{members}}} } }""",
            stop,
            [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method), .. named]);
    }

    public Task<HttpResponseMessage> CallAsync(
        string at, string? token, string tool, string arguments = "{}", string id = "1",
        CancellationToken stop = default) =>
        ModernAsync(at, token, "tools/call", $"\"name\":\"{tool}\",\"arguments\":{arguments}", tool, id, stop: stop);

    /// <summary>Calls as a legacy client does.</summary>
    public Task<HttpResponseMessage> LegacyAsync(
        string at, string? token, string? session, string method, string parameters = "{}", string? id = "1",
        CancellationToken stop = default)
    {
        var ids = id is null ? "" : $"\"id\":{id},";
        (string, string)[] named = session is null ? [] : [("Mcp-Session-Id", session)];
        return PostAsync(
            at,
            token,
            $$"""{"jsonrpc":"2.0",{{ids}}"method":"{{method}}","params":{{parameters}}}""",
            stop,
            [("MCP-Protocol-Version", "2025-11-25"), .. named]);
    }

    public Task<HttpResponseMessage> LegacyCallAsync(
        string at, string? token, string? session, string tool, string arguments = "{}", string id = "1",
        CancellationToken stop = default) => LegacyAsync(
            at, token, session, "tools/call", $"{{\"name\":\"{tool}\",\"arguments\":{arguments}}}", id, stop);

    /// <summary>The handshake of a legacy client.</summary>
    public Task<HttpResponseMessage> HelloAsync(
        string at, string token, string capabilities = "{}", string info = """{"name":"t","version":"1"}""") =>
        PostAsync(
            at,
            token,
            $$$"""
            {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",
              "capabilities":{{{capabilities}}},"clientInfo":{{{info}}} }}
            """);

    /// <summary>Begins a legacy session and answers its handle.</summary>
    public async Task<string> InitializeAsync(string at, string token, string capabilities = "{}")
    {
        using var answer = await HelloAsync(at, token, capabilities);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer.Headers.GetValues("Mcp-Session-Id").Single();
    }

    /// <summary>The answer's last message.</summary>
    public static async Task<JsonNode> JsonOf(HttpResponseMessage answer) =>
        answer.Content.Headers.ContentType?.MediaType is "text/event-stream"
            ? (await EventsOf(answer))[^1]
            : JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;

    /// <summary>All messages of a stream that ends.</summary>
    public static async Task<List<JsonNode>> EventsOf(HttpResponseMessage answer)
    {
        using var reader = await StreamOf(answer);
        var events = new List<JsonNode>();
        while (await NextAsync(reader) is { } message)
        {
            events.Add(message);
        }

        return events;
    }

    public static async Task<SseReader> StreamOf(HttpResponseMessage answer) =>
        new(await answer.Content.ReadAsStreamAsync(), 1 << 24);

    /// <summary>The next message of a stream; null at its end.</summary>
    public static async Task<JsonNode?> NextAsync(SseReader events)
    {
        using var patience = new CancellationTokenSource(Patience);
        return await events.NextAsync(patience.Token) is { } data ? JsonNode.Parse(data.Span) : null;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await server.DisposeAsync();
    }
}
