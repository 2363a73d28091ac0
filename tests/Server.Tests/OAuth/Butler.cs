using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>A service that asks a person by name and comes back for the answer (CIBA).</summary>
internal sealed class Butler(App app)
{
    public const string
        GrantType = "urn:openid:params:grant-type:ciba", Deferred = "urn:ietf:params:oauth:grant-type:deferred";

    public const string
        Secret = "butler-secret-butler-secret-butler-secret",
        BellSecret = "bell-secret-bell-secret-bell-secret-bell",
        NightSecret = "night-secret-night-secret-night-secret-n",
        NotarySecret = "notary-secret-notary-secret-notary-secret",
        Token = "notify-me-notify-me-notify-me";

    public static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public App App => app;

    /// <summary>The usual town with one that asks, one that wants to be told, and one that signs.</summary>
    public static string Town(string bell = "https://bell.example/told") => Gadget.Town.Replace(
        "servers:",
        $$"""
          - { client_id: butler, client_secret: {{Secret}}, grant_types: ["{{GrantType}}", refresh_token] }
          - client_id: bell
            client_name: The bell
            client_secret: {{BellSecret}}
            grant_types: ["{{GrantType}}"]
            backchannel_token_delivery_mode: ping
            backchannel_client_notification_endpoint: {{bell}}
          - client_id: night
            client_secret: {{NightSecret}}
            grant_types: [client_credentials, refresh_token, "{{Deferred}}"]
            resources: [echo]
            approval: {{Person.Ada}}
            deferred_client_notification_endpoint: {{bell}}
          - client_id: notary
            client_secret: {{NotarySecret}}
            grant_types: ["{{GrantType}}"]
            backchannel_authentication_request_signing_alg: ES256
            jwks: '{{Keys()}}'
        servers:
        """,
        StringComparison.Ordinal);

    public static Butler Of(TestServer server) => new(new(server, "butler", "", Secret));

    public static Butler Bell(TestServer server) => new(new(server, "bell", "", BellSecret));

    public static Butler Notary(TestServer server) => new(new(server, "notary", "", NotarySecret));

    public Task<Reply> AskAsync(params (string Name, string? Value)[] changes) => app.PostAsync(
        "/bc-authorize",
        App.With(
            changes,
            ("client_id", app.Id),
            ("client_secret", app.Secret),
            ("scope", "openid mcp:read mcp:write"),
            ("resource", app.Resource),
            ("login_hint", Person.Ada),
            ("client_notification_token", app.Id is "bell" ? Token : null)));

    /// <summary>Asks by a request that the service has signed, with some claims other ones or left out.</summary>
    public Task<Reply> SignAsync(
        TestServer server, ECDsa? key = null, string alg = "ES256", Action<JsonObject>? change = null,
        string? typ = null)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = app.Id,
            ["aud"] = server.Issuer,
            ["iat"] = now,
            ["nbf"] = now,
            ["exp"] = now + 300,
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["scope"] = "openid mcp:read",
            ["resource"] = app.Resource,
            ["login_hint"] = Person.Ada,
            ["requested_expiry"] = 300,
        };
        change?.Invoke(claims);
        var body = typ is null ? $$"""{"alg":"{{alg}}"}""" : $$"""{"alg":"{{alg}}","typ":"{{typ}}"}""";
        var signed = $"{Encoded(body)}.{Encoded(claims.ToJsonString())}";
        var signature = (key ?? Key).SignData(System.Text.Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return app.PostAsync(
            "/bc-authorize",
            [
                ("client_id", app.Id),
                ("client_secret", app.Secret),
                ("request", $"{signed}.{(alg is "none" ? "" : Base64Url.EncodeToString(signature))}"),
            ]);
    }

    public Task<Reply> PollAsync(string code, params (string Name, string? Value)[] changes) => app.PostAsync(
        "/token",
        App.With(
            changes,
            ("grant_type", GrantType),
            ("auth_req_id", code),
            ("client_id", app.Id),
            ("client_secret", app.Secret)));

    /// <summary>What waits on a person's page: the addresses of the questions.</summary>
    public static async Task<List<string>> WaitingAsync(Person person) =>
        [.. (await person.OpenAsync("/me")).Page!.QuerySelectorAll("a.button")
            .Select(link => link.GetAttribute("href")!)
            .Where(address => address.StartsWith("/i/", StringComparison.Ordinal))];

    private static string Encoded(string text) => Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(text));

    private static string Keys()
    {
        var point = Key.ExportParameters(false).Q;
        var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        return $$"""{"keys":[{"kty":"EC","crv":"P-256","x":"{{x}}","y":"{{y}}"}]}""";
    }
}
