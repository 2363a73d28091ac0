using System.Net;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>
/// Services that are held to FAPI-CIBA, one that comes to ask and one that is told: each behaviour that the conformance
/// suite of the OpenID Foundation looks for.
/// </summary>
public sealed class FapiBackchannelTests : IAsyncLifetime
{
    private const string Profile = "FAPI-CIBA", Ciba = "OpenID CIBA Core";

    private const string Asks = "asks", Hears = "hears";

    private static readonly Signer One = new("k1"), Two = new("k2");

    private readonly DocumentHost host = new();
    private TestServer server = null!;
    private Person ada = null!;

    public async ValueTask InitializeAsync()
    {
        host.Put("/told", "");
        server = await TestServer.StartAsync(host.Settings + $$"""
            demo: false
            users:
              - { email: {{Person.Ada}}, password: {{Person.AdasPassword}} }
            clients:
              - client_id: {{Asks}}
                profile: fapi2
                jwks: '{{One.Jwks}}'
                grant_types: ["{{Butler.GrantType}}", refresh_token]
                backchannel_authentication_request_signing_alg: ES256
              - client_id: {{Hears}}
                profile: fapi2
                jwks: '{{Two.Jwks}}'
                grant_types: ["{{Butler.GrantType}}"]
                backchannel_authentication_request_signing_alg: PS256
                backchannel_token_delivery_mode: ping
                backchannel_client_notification_endpoint: {{host.At("/told")}}
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """);
        // After the minute in which it asks for nonces.
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        ada = new(server);
        await ada.SignInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
        await host.DisposeAsync();
    }

    [Theory, InlineData(Asks), InlineData(Hears), Rfc(Profile, "5.2.2"), Rfc(Profile, "7.10"), Rfc(Ciba, "10.2")]
    [Combines("private_key_jwt", "DPoP", "JAR", "CIBA", "FAPI 2.0")]
    public async Task A_service_of_the_profile_asks_by_its_key_and_gets_what_is_bound_to_it(string id)
    {
        using var app = Of(id);
        var asked = await AskAsync(app);

        Refused(await PollAsync(app, asked), "authorization_pending");
        await AnswerAsync("allow");
        if (id is Hears)
        {
            await Eventually.TrueAsync(() => !host.Heard.IsEmpty);
            var heard = Assert.Single(host.Heard);
            Assert.Contains($"Authorization: Bearer {Butler.Token}\r\n", heard, StringComparison.Ordinal);
            Assert.EndsWith($$"""{"auth_req_id":"{{Code(asked)}}"}""", heard, StringComparison.Ordinal);
        }

        server.Clock.Advance(TimeSpan.FromSeconds(5));
        var proof = app.Proof;
        app.Proof = _ => null;
        Assert.NotNull((await PollAsync(app, asked)).Error);
        app.Proof = proof;
        server.Clock.Advance(TimeSpan.FromSeconds(15));
        var reply = await PollAsync(app, asked);

        Assert.Equal(app.Key.Thumbprint, reply.Claims.GetProperty("cnf").GetProperty("jkt").GetString());
        var (header, claims) = await Jwt.ReadAsync(server, reply.Member("id_token")!);
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        Assert.Equal(id, claims.GetProperty("aud").GetString());
        using var called = await app.CallAsync(reply.AccessToken);
        Assert.NotEqual(HttpStatusCode.Unauthorized, called.StatusCode);
        Refused(await PollAsync(app, asked), "invalid_grant");
    }

    [Theory, InlineData(Asks), InlineData(Hears), Rfc(Ciba, "11")]
    public async Task A_no_a_hurry_and_silence_are_told_apart(string id)
    {
        using var app = Of(id);
        var silent = await AskAsync(app);
        var before = await Butler.WaitingAsync(ada);
        var denied = await AskAsync(app);
        var question = await ada.AskedAsync((await Butler.WaitingAsync(ada)).Except(before).Single());

        Refused(await PollAsync(app, silent), "authorization_pending");
        Refused(await PollAsync(app, silent), "slow_down");
        await ada.AnswerAsync(question, "deny");
        Refused(await PollAsync(app, denied), "access_denied");
        server.Clock.Advance(TimeSpan.FromMinutes(10));
        Refused(await PollAsync(app, silent), "expired_token");
    }

    [Theory, InlineData(Asks), InlineData(Hears), Rfc(Profile, "5.2.2"), Rfc(Ciba, "7.1")]
    public async Task Nothing_is_heard_without_an_assertion_and_nothing_is_asked_unsigned(string id)
    {
        using var app = Of(id);
        var asked = await AskAsync(app);
        var assertion = app.Assertion;
        app.Assertion = () => null;

        Refused(await AskAsync(app), "invalid_client");
        Refused(await PollAsync(app, asked, ("client_id", id)), "invalid_client");
        app.Assertion = assertion;
        Refused(
            await app.PostAsync(
                "/bc-authorize",
                [("scope", "openid"), ("login_hint", Person.Ada), ("client_notification_token", Butler.Token)]),
            "invalid_request");
        Refused(await PollAsync(app, asked), "authorization_pending");
        Assert.Single(await Butler.WaitingAsync(ada));
    }

    [Theory, Rfc(Profile, "5.2.2"), Rfc(Profile, "7.10"), Rfc(Ciba, "7.1.1")]
    [InlineData(Asks, "ES256", "own", null), InlineData(Hears, "PS256", "own", null)]
    [InlineData(Asks, "PS256", "own", "invalid_request"), InlineData(Hears, "ES256", "own", "invalid_request")]
    [InlineData(Asks, "RS256", "own", "invalid_request"), InlineData(Hears, "RS256", "own", "invalid_request")]
    [InlineData(Asks, "HS256", "own", "invalid_request"), InlineData(Asks, "none", "own", "invalid_request")]
    [InlineData(Asks, "ES256", "other", "invalid_request"), InlineData(Hears, "PS256", "other", "invalid_request")]
    public async Task A_request_is_signed_by_its_client_and_by_the_one_algorithm_it_registered(
        string id, string alg, string whose, string? error)
    {
        using var app = Of(id);
        var own = id is Asks ? One : Two;
        var signer = whose is "own" ? own : own == One ? Two : One;

        var reply = await AskAsync(app, signer: signer, alg: alg);

        Assert.Equal(error, reply.Error);
        Assert.Equal(error is null ? 1 : 0, (await Butler.WaitingAsync(ada)).Count);
    }

    [Theory, Rfc(Ciba, "7.1"), Rfc(Ciba, "7.2"), Rfc(Ciba, "13")]
    [InlineData("binding_message", "1234", null)]
    [InlineData("binding_message", "1234 \U0001F44D\U0001F3FF ", "invalid_binding_message")]
    [InlineData("binding_message", "one\ntwo", "invalid_binding_message")]
    [InlineData("requested_expiry", "30", null)]
    [InlineData("requested_expiry", "-1", "invalid_request")]
    [InlineData("id_token_hint", "a.b.c", "invalid_request")]
    [InlineData("login_hint_token", "a.b.c", "invalid_request")]
    [InlineData("login_hint", "nobody@example.test", "unknown_user_id")]
    [InlineData("scope", "mcp:read", "invalid_scope")]
    [InlineData("scope", null, "invalid_scope")]
    [InlineData("iss", "other", "invalid_request")]
    [InlineData("client_notification_token", null, "invalid_request")]
    [InlineData("unheard_of", "x", null)]
    public async Task What_stands_in_a_signed_request_is_judged_like_anything_else(
        string name, string? value, string? error)
    {
        using var app = Of(Hears);

        var reply = await AskAsync(app, claims => claims[name] = value);

        Assert.Equal(error, reply.Error);
        Assert.Equal(error is null ? HttpStatusCode.OK : HttpStatusCode.BadRequest, reply.Status);
    }

    [Theory, Rfc(Ciba, "7.1.1"), InlineData(true), InlineData(false)]
    public async Task How_long_it_may_take_is_said_as_a_number_or_as_a_text(bool isText)
    {
        using var app = Of(Asks);

        var reply = await AskAsync(app, claims => claims["requested_expiry"] = isText ? "45" : 45);

        Assert.Equal(45, reply.Json.GetProperty("expires_in").GetInt64());
    }

    [Fact, Rfc(Ciba, "10.1"), Rfc(Ciba, "11")]
    public async Task The_code_of_one_service_is_nothing_to_another_and_neither_is_its_name()
    {
        using var app = Of(Asks);
        using var other = Of(Hears);
        var asked = await AskAsync(app);
        await AnswerAsync("allow");

        Refused(await PollAsync(other, asked), "invalid_grant");
        Refused(await PollAsync(other, asked, ("client_id", Asks)), "invalid_client");
        Refused(await other.PostAsync("/bc-authorize", [("client_id", Asks), ("request", "a.b.c")]), "invalid_client");
        Assert.Equal(HttpStatusCode.OK, (await PollAsync(app, asked)).Status);
    }

    [Theory, Rfc(Ciba, "10.2")]
    [InlineData("200 OK", "text that nobody reads", 1)]
    [InlineData("401 Unauthorized", "", 1)]
    [InlineData("403 Forbidden", "", 1)]
    [InlineData("301 Moved Permanently\r\nLocation: /elsewhere", "", 1)]
    public async Task Whatever_is_said_to_the_news_the_answer_is_there(string status, string body, int times)
    {
        host.Put("/told", body, $"HTTP/1.1 {status}\r\nContent-Type: text/plain");
        using var app = Of(Hears);
        var asked = await AskAsync(app);

        await AnswerAsync("allow");
        await Eventually.TrueAsync(() => !host.Heard.IsEmpty);

        Assert.Equal(HttpStatusCode.OK, (await PollAsync(app, asked)).Status);
        Assert.Equal(times, host.Heard.Count);
        Assert.All(host.Heard, heard => Assert.StartsWith("POST /told ", heard, StringComparison.Ordinal));
    }

    private FapiApp Of(string id) => FapiApp.Of(server, id, id is Asks ? One : Two);

    private Task<Reply> AskAsync(
        FapiApp app, Action<JsonObject>? change = null, Signer? signer = null, string? alg = null)
    {
        var isTold = app.App.Id is Hears;
        var claims = new JsonObject
        {
            ["iss"] = app.App.Id,
            ["aud"] = server.Issuer,
            ["iat"] = app.Now,
            ["nbf"] = app.Now,
            ["exp"] = app.Now + 300,
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["scope"] = "openid mcp:read",
            ["resource"] = app.App.Resource,
            ["login_hint"] = Person.Ada,
            ["binding_message"] = Guid.NewGuid().ToString("N"),
        };
        if (isTold)
        {
            claims["client_notification_token"] = Butler.Token;
        }

        change?.Invoke(claims);
        foreach (var name in claims.Where(claim => claim.Value is null).Select(claim => claim.Key).ToList())
        {
            claims.Remove(name);
        }

        var request = (signer ?? (isTold ? Two : One)).Sign(claims, null, alg ?? (isTold ? "PS256" : "ES256"));
        return app.PostAsync("/bc-authorize", [("client_id", app.App.Id), ("request", request)]);
    }

    private static Task<Reply> PollAsync(FapiApp app, Reply asked, params (string, string?)[] more) => app.PostAsync(
        "/token", [("grant_type", Butler.GrantType), ("auth_req_id", Code(asked)), .. more]);

    private async Task AnswerAsync(string answer)
    {
        var address = (await Butler.WaitingAsync(ada))[0];
        await ada.AnswerAsync(await ada.AskedAsync(address), answer);
    }

    private static string Code(Reply asked) => asked.Member("auth_req_id")!;

    private static void Refused(Reply reply, string error) => TokenTests.Refused(reply, error);
}
