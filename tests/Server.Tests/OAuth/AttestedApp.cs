using System.Text;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>
/// One copy of a client that its attester vouches for: brings the attestation with each request, and a proof of its key
/// with the server's challenge.
/// </summary>
internal sealed class AttestedApp(HttpClient http, string issuer, FakeClock clock, string id, string redirect = "")
    : IDisposable
{
    public static readonly Signer Attester = new("a1");

    private readonly App app = new(http, issuer, id, redirect);

    public AttestedApp(TestServer server, string id, string redirect = "")
        : this(server.Http, server.Issuer, server.Clock, id, redirect)
    {
    }

    public DpopKey Key { get; private init; } = new();

    public App App => app;

    public string? Challenge { get; set; }

    /// <summary>Proves its key by the DPoP proof of the request.</summary>
    public bool IsCombined => id.EndsWith("dpop", StringComparison.Ordinal);

    /// <summary>Brings a DPoP proof of a key of its own beside.</summary>
    public DpopKey? Beside { get; set; }

    /// <summary>Proves itself by this, and brings the attestation beside.</summary>
    public string? Secret { get; set; }

    /// <summary>By what else it proves itself.</summary>
    public (string, string?)[] Named => Secret is null ? [] : [("client_secret", Secret)];

    public long Now => clock.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>A copy at a tenant.</summary>
    public static AttestedApp At(TestServer server, Tenants.Estate estate, string id) =>
        new(estate.Http, estate.Tenant.Issuer, server.Clock, id, "https://desk.example/cb");

    /// <summary>Another copy of the same client.</summary>
    public AttestedApp Copy() => new(http, issuer, clock, id, redirect) { Challenge = Challenge };

    /// <summary>What its attester says of it.</summary>
    public string Attestation(Action<JsonObject>? change = null, Signer? by = null, string alg = "ES256",
        string? typ = "oauth-client-attestation+jwt")
    {
        var claims = new JsonObject
        {
            ["iss"] = "https://attester.example",
            ["sub"] = id,
            ["iat"] = Now,
            ["exp"] = Now + 3600,
            ["cnf"] = new JsonObject { ["jwk"] = Key.Jwk },
            ["more"] = "is passed over",
        };
        change?.Invoke(claims);
        return (by ?? Attester).Sign(claims, typ, alg);
    }

    /// <summary>That it holds the key.</summary>
    public string Proof(Action<JsonObject>? change = null, Action<JsonObject>? header = null, DpopKey? by = null)
    {
        var (head, claims) = (
            new JsonObject { ["alg"] = "ES256", ["typ"] = "oauth-client-attestation-pop+jwt" },
            new JsonObject
            {
                ["aud"] = issuer,
                ["jti"] = Guid.NewGuid().ToString("N"),
                ["iat"] = Now,
                ["challenge"] = Challenge,
                ["more"] = "is passed over",
            });
        header?.Invoke(head);
        change?.Invoke(claims);
        return (by ?? Key).Sign(head.ToJsonString(), claims.ToJsonString());
    }

    /// <summary>Gets a challenge, as a client does that has none.</summary>
    public async Task MeetAsync()
    {
        using var answer = await http.PostAsync(new Uri("/challenge", UriKind.Relative), null);
        Challenge = (await Reply.ReadAsync(answer)).Member("attestation_challenge");
    }

    public Task<Reply> AsItselfAsync() => SendAsync("/token", ("grant_type", "client_credentials"));

    public Task<Reply> RedeemAsync(string code, string? verifier = null) => SendAsync(
        "/token",
        ("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier ?? app.Verifier));

    public Task<Reply> RefreshAsync(string token) =>
        SendAsync("/token", ("grant_type", "refresh_token"), ("refresh_token", token));

    /// <summary>Sends a request as it should be sent.</summary>
    public Task<Reply> SendAsync(string path, params (string Name, string? Value)[] fields) => PostAsync(
        path,
        [.. Named, .. fields],
        [
            ("OAuth-Client-Attestation", Attestation()),
            IsCombined
                ? ("DPoP", Key.Proof(new("POST", issuer + path, Now), nonce: Challenge))
                : ("OAuth-Client-Attestation-PoP", Proof()),
            .. Beside is null
                ? ((string, string)[])[]
                : [("DPoP", Beside.Proof(new("POST", issuer + path, Now), nonce: Challenge))],
        ]);

    /// <summary>Sends a request with these headers.</summary>
    public async Task<Reply> PostAsync(
        string path,
        IEnumerable<(string Name, string? Value)> fields,
        params IEnumerable<(string Name, string Value)> headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Content = new StringContent(
            App.Encode(App.With([.. fields], ("client_id", id))), Encoding.UTF8, "application/x-www-form-urlencoded");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }

    public void Dispose() => Key.Dispose();
}
