using System.Net;
using System.Text;

namespace Postern.Tests.OAuth;

/// <summary>
/// A client with a key: each request carries a proof of it, made again with the server's nonce when it asks for one.
/// </summary>
internal sealed class DpopApp(TestServer server, string id, string redirect = "", string? secret = null) : IDisposable
{
    private readonly App app = new(server, id, redirect, secret);

    public DpopKey Key { get; private init; } = new();

    public App App => app;

    public string? Nonce { get; set; }

    public static DpopApp Native(TestServer server) => new(server, "native", "http://127.0.0.1:8765/callback");

    public static DpopApp Web(TestServer server) => new(server, "web", "https://web.example/cb", App.WebSecret);

    public static DpopApp Bench(TestServer server) => new(server, "bench", "", App.BenchSecret);

    /// <summary>The same client with another key, as a thief of everything but the key would be.</summary>
    public DpopApp WithAnotherKey() => new(server, id, redirect, secret) { Nonce = Nonce };

    public async Task<Reply> LetInAsync(Person person, params (string Name, string? Value)[] changes)
    {
        var reply = await RedeemAsync((await person.AllowAsync(app.Authorize(changes))).Code);
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        return reply;
    }

    public Task<Reply> RedeemAsync(string code, string? verifier = null) => TokenAsync(
        ("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier ?? app.Verifier));

    public Task<Reply> RefreshAsync(string token) =>
        TokenAsync(("grant_type", "refresh_token"), ("refresh_token", token));

    public Task<Reply> AsItselfAsync() => TokenAsync(("grant_type", "client_credentials"));

    /// <summary>Asks for a token with a proof.</summary>
    public async Task<Reply> TokenAsync(params (string Name, string? Value)[] fields)
    {
        var reply = await SendAsync(fields, Key.Proof(Ask(), nonce: Nonce));
        if (reply.Error is not "use_dpop_nonce")
        {
            return reply;
        }

        Nonce = reply.Headers.GetValues("DPoP-Nonce").Single();
        return await SendAsync(fields, Key.Proof(Ask(), nonce: Nonce));
    }

    /// <summary>Asks for a token with these proofs, once.</summary>
    public Task<Reply> SendAsync((string Name, string? Value)[] fields, params string[] proofs) =>
        PostAsync("/token", fields, proofs);

    /// <summary>Pushes a request with a proof.</summary>
    public Task<Reply> PushAsync(params (string Name, string? Value)[] changes) =>
        PushAsync([Key.Proof(Ask("/par"), nonce: Nonce)], changes);

    /// <summary>Pushes a request with these proofs.</summary>
    public Task<Reply> PushAsync(string[] proofs, params (string Name, string? Value)[] changes)
    {
        var query = app.Authorize([("client_id", null), .. changes]).Split('?')[1];
        var fields = query.Split('&').Select(field => field.Split('=', 2)).Select(field =>
            (Uri.UnescapeDataString(field[0]), (string?)Uri.UnescapeDataString(field[1])));
        return PostAsync("/par", [.. fields], proofs);
    }

    /// <summary>Sends a form with these proofs, once.</summary>
    public async Task<Reply> PostAsync(string path, (string Name, string? Value)[] fields, params string[] proofs)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Content = new StringContent(
            App.Encode([.. fields, ("client_id", id), ("client_secret", secret)]),
            Encoding.UTF8,
            "application/x-www-form-urlencoded");
        Array.ForEach(proofs, proof => request.Headers.TryAddWithoutValidation("DPoP", proof));
        using var answer = await server.Http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }

    public ProofAsk Ask(string path = "/token") => new(
        "POST", server.Issuer + path, server.Clock.GetUtcNow().ToUnixTimeSeconds());

    /// <summary>Knocks at the MCP server with a token and a proof.</summary>
    public async Task<HttpResponseMessage> CallAsync(string token)
    {
        var ask = new ProofAsk(
            "POST", $"{server.Issuer}/mcp/echo", server.Clock.GetUtcNow().ToUnixTimeSeconds(), token);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/mcp/echo", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", $"DPoP {token}");
        request.Headers.TryAddWithoutValidation("DPoP", Key.Proof(ask, nonce: Nonce));
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        request.Content = new StringContent(
            """{"jsonrpc":"2.0","id":1,"method":"ping"}""", Encoding.UTF8, "application/json");
        return await server.Http.SendAsync(request);
    }

    public void Dispose() => Key.Dispose();
}
