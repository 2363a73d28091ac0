using System.Text;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>A client of the FAPI 2.0 Security Profile: proves itself by a key, pushes, and binds its tokens.</summary>
internal sealed class FapiApp(TestServer server, string id, Signer signer) : IDisposable
{
    private const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private readonly App app = new(server, id, $"https://{id}.example/cb");

    public DpopKey Key { get; } = new();

    public App App => app;

    public long Now => server.Clock.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>How it proves itself; a test may change a claim or the algorithm, or leave it out.</summary>
    public Func<string?> Assertion { get; set; } = null!;

    /// <summary>The proof of its key for an address; null for none.</summary>
    public Func<string, string?> Proof { get; set; } = null!;

    /// <summary>An app that does everything as it should.</summary>
    public static FapiApp Of(TestServer server, string id, Signer signer)
    {
        var app = new FapiApp(server, id, signer);
        app.Assertion = () => app.Assert();
        app.Proof = path => app.Key.Proof(app.Ask(path));
        return app;
    }

    public string Assert(Action<JsonObject>? change = null, string alg = "ES256", string? named = null)
    {
        var claims = new JsonObject
        {
            ["iss"] = id,
            ["sub"] = id,
            ["aud"] = server.Issuer,
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["iat"] = Now,
            ["exp"] = Now + 60,
        };
        change?.Invoke(claims);
        return signer.Sign(claims, null, alg, named);
    }

    public ProofAsk Ask(string path) => new("POST", server.Issuer + path, Now);

    public Task<Reply> PushAsync(params (string Name, string? Value)[] changes) =>
        PostAsync("/par", App.With(changes, [.. app.Usual]));

    public async Task<string> CodeAsync(Person person, params (string Name, string? Value)[] changes) =>
        (await person.AllowAsync(app.Pushed(await PushAsync(changes)))).Code;

    public async Task<Reply> LetInAsync(Person person) => await RedeemAsync(await CodeAsync(person));

    public Task<Reply> RedeemAsync(string code, params (string Name, string? Value)[] changes) =>
        PostAsync("/token", App.With(
            changes, ("grant_type", "authorization_code"), ("code", code), ("code_verifier", app.Verifier)));

    public Task<Reply> RefreshAsync(string token, params (string Name, string? Value)[] changes) =>
        PostAsync("/token", App.With(changes, ("grant_type", "refresh_token"), ("refresh_token", token)));

    public async Task<Reply> PostAsync(
        string path, IEnumerable<(string Name, string? Value)> fields, string accept = "*/*")
    {
        var assertion = Assertion();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Content = new StringContent(
            App.Encode(
            [
                .. fields, ("client_assertion", assertion), ("client_assertion_type", assertion is null ? null : Type),
            ]),
            Encoding.UTF8,
            "application/x-www-form-urlencoded");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        if (Proof(path) is { } proof)
        {
            request.Headers.TryAddWithoutValidation("DPoP", proof);
        }

        using var answer = await server.Http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }

    /// <summary>Knocks at the MCP server with a token, in this scheme.</summary>
    public async Task<HttpResponseMessage> CallAsync(string token, string scheme = "DPoP", string? proof = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/mcp/echo", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", $"{scheme} {token}");
        request.Headers.TryAddWithoutValidation(
            "DPoP", proof ?? Key.Proof(new("POST", $"{server.Issuer}/mcp/echo", Now, token)));
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        request.Content = new StringContent(
            """{"jsonrpc":"2.0","id":1,"method":"ping"}""", Encoding.UTF8, "application/json");
        return await server.Http.SendAsync(request);
    }

    public void Dispose() => Key.Dispose();
}
