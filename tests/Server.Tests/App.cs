using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Postern.Tests;

/// <summary>
/// An OAuth client as its makers would write it: asks, redeems, refreshes, asks about its tokens, hands them back.
/// </summary>
internal sealed class App(HttpClient http, string issuer, string id, string redirect, string? secret = null)
{
    public const string
        WebSecret = "web-secret-web-secret-web-secret-web",
        PeerSecret = "peer-secret-peer-secret-peer-secret",
        BenchSecret = "bench-secret-bench-secret-bench-1",
        SwapSecret = "swap-secret-swap-secret-swap-secret-",
        WatchSecret = "watch-secret-watch-secret-watch-sec";

    /// <summary>People, clients of every kind and two servers that nobody needs to reach.</summary>
    public static readonly string Town = $$"""
        demo: false
        users:
          - { email: {{Person.Ada}}, password: {{Person.AdasPassword}}, roles: [admin] }
          - { email: {{Person.Bob}}, password: {{Person.BobsPassword}} }
        clients:
          - { client_id: native, redirect_uris: [http://127.0.0.1:8765/callback] }
          - { client_id: web, client_secret: {{WebSecret}}, redirect_uris: [https://web.example/cb] }
          - { client_id: peer, client_secret: {{PeerSecret}}, redirect_uris: [https://peer.example/cb] }
          - { client_id: once, redirect_uris: [https://once.example/cb], grant_types: [authorization_code] }
          - client_id: bench
            client_secret: {{BenchSecret}}
            grant_types: [client_credentials]
            scope: mcp:read mcp:write
            resources: [echo]
          - client_id: swap
            client_secret: {{SwapSecret}}
            grant_types:
              - 'urn:ietf:params:oauth:grant-type:token-exchange'
              - 'urn:ietf:params:oauth:grant-type:jwt-bearer'
            resources: [echo]
            actor: service
          - client_id: watch
            client_secret: {{WatchSecret}}
            grant_types: [client_credentials]
            introspects: [echo, files]
        servers:
          - { name: echo, http: http://127.0.0.1:9/mcp }
          - { name: files, http: http://127.0.0.1:9/mcp }
        """;

    /// <summary>A town whose `echo` says enough of its tools for every type of details to be kept.</summary>
    public static string Declaring(string town) => town.Replace(
        "{ name: echo, http: http://127.0.0.1:9/mcp }",
        "{ name: echo, http: http://127.0.0.1:9/mcp, declares: [{ name: pay, data: { datatypes: [mail] }, "
            + "spends: { amount: amount, currency: currency, merchant: to }, "
            + "calls: [{ upstream: github, method: GET, path: \"/repos/*\" }] }] }",
        StringComparison.Ordinal);

    public App(TestServer server, string id, string redirect, string? secret = null)
        : this(server.Http, server.Issuer, id, redirect, secret)
    {
    }

    public string Id => id;

    public string? Secret => secret;

    public string Verifier { get; } = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public string Challenge => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    public string Resource => $"{issuer}/mcp/echo";

    /// <summary>What it asks for when a test changes nothing.</summary>
    public (string Name, string? Value)[] Usual =>
    [
        ("response_type", "code"),
        ("client_id", id),
        ("redirect_uri", redirect),
        ("scope", "mcp:read mcp:write mcp:destroy offline_access"),
        ("state", "the state + of it"),
        ("resource", Resource),
        ("code_challenge", Challenge),
        ("code_challenge_method", "S256"),
    ];

    public static App Native(TestServer server) => new(server, "native", "http://127.0.0.1:8765/callback");

    public static App Web(TestServer server) => new(server, "web", "https://web.example/cb", WebSecret);

    public static App Peer(TestServer server) => new(server, "peer", "https://peer.example/cb", PeerSecret);

    public static App Bench(TestServer server) => new(server, "bench", "", BenchSecret);

    public static App Watch(TestServer server) => new(server, "watch", "", WatchSecret);

    /// <summary>
    /// The address a person opens. A change to null leaves a parameter out; a second of one name repeats it.
    /// </summary>
    public string Authorize(params (string Name, string? Value)[] changes) =>
        "/authorize?" + Encode(With(changes, Usual));

    /// <summary>Pushes a request (RFC 9126 §2.1).</summary>
    public Task<Reply> PushAsync(params (string Name, string? Value)[] changes) =>
        PostAsync("/par", With(changes, [.. Usual, ("client_secret", secret)]));

    /// <summary>The address a person opens for a request that was pushed.</summary>
    public string Pushed(Reply reply, params (string Name, string? Value)[] changes) =>
        "/authorize?" + Encode(With(changes, ("client_id", id), ("request_uri", reply.Member("request_uri"))));

    public Task<Reply> RedeemAsync(string code, params (string Name, string? Value)[] changes) =>
        PostAsync("/token", With(
            changes,
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", Verifier),
            ("redirect_uri", redirect),
            ("resource", Resource),
            ("client_id", id),
            ("client_secret", secret)));

    public Task<Reply> RefreshAsync(string token, params (string Name, string? Value)[] changes) =>
        PostAsync("/token", With(
            changes,
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", id),
            ("client_secret", secret)));

    public Task<Reply> AsItselfAsync(params (string Name, string? Value)[] changes) => PostAsync("/token", With(
        changes, ("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)));

    public Task<Reply> IntrospectAsync(string token) =>
        PostAsync("/introspect", [("token", token), ("client_id", id), ("client_secret", secret)]);

    public Task<Reply> RevokeAsync(string token) =>
        PostAsync("/revoke", [("token", token), ("client_id", id), ("client_secret", secret)]);

    /// <summary>Whether the resource server would be told that this token is good.</summary>
    public async Task<bool> IsAliveAsync(string token) =>
        (await IntrospectAsync(token)).Json.GetProperty("active").GetBoolean();

    /// <summary>Knocks at the MCP server with a token; 401 means that the token is worth nothing there.</summary>
    public async Task<HttpStatusCode> CallAsync(string token, string server = "echo")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/mcp/{server}", UriKind.Relative));
        request.Headers.Authorization = new("Bearer", token);
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        request.Content = new StringContent(
            """{"jsonrpc":"2.0","id":1,"method":"ping"}""", Encoding.UTF8, "application/json");
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }

    /// <summary>Is let in by a person, whether or not they are asked, and redeems the code.</summary>
    public async Task<Reply> LetInAsync(Person person, params (string Name, string? Value)[] changes)
    {
        var answer = await person.LetInAsync(Authorize(changes));
        var reply = await RedeemAsync(answer.Code, [.. changes.Where(change => change.Name is "resource")]);
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        return reply;
    }

    public async Task<Reply> PostAsync(
        string path, IEnumerable<(string Name, string? Value)> fields, string? authorization = null, string query = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path + query, UriKind.Relative));
        request.Content = new StringContent(Encode(fields), Encoding.UTF8, "application/x-www-form-urlencoded");
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        using var answer = await http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }

    public static string Basic(string user, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

    public static string Encode(IEnumerable<(string Name, string? Value)> fields) => string.Join(
        '&',
        fields.Where(field => field.Value is not null)
            .Select(field => $"{Uri.EscapeDataString(field.Name)}={Uri.EscapeDataString(field.Value!)}"));

    public static (string Name, string? Value)[] With(
        (string Name, string? Value)[] changes, params (string Name, string? Value)[] usual) =>
        [.. usual.Where(field => !changes.Any(change => change.Name == field.Name)), .. changes];
}

/// <summary>An answer of an endpoint for programs.</summary>
internal sealed record Reply(HttpStatusCode Status, string Text, JsonElement Json, HttpResponseHeaders Headers)
{
    public string? Error => Member("error");

    public string AccessToken => Member("access_token") ?? throw new InvalidOperationException(Text);

    public string RefreshToken => Member("refresh_token") ?? throw new InvalidOperationException(Text);

    public string? Scope => Member("scope");

    /// <summary>The claims of the access token, unproven.</summary>
    public JsonElement Claims => JsonElement.Parse(Base64Url.DecodeFromChars(AccessToken.Split('.')[1]));

    public string? Member(string name) =>
        Json.ValueKind is JsonValueKind.Object
            && Json.TryGetProperty(name, out var member)
            && member.ValueKind is JsonValueKind.String
            ? member.GetString()
            : null;

    public static async Task<Reply> ReadAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        var json = text.StartsWith('{') ? JsonElement.Parse(text) : default;
        return new(answer.StatusCode, text, json, answer.Headers);
    }
}
