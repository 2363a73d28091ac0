using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Postern.Platform;

namespace Postern.Tests.OAuth;

/// <summary>Every parameter of the back channel in every wrong form (CIBA Core §7, FAPI-CIBA §5.2.2).</summary>
public sealed class BackchannelInputTests(BackchannelInputTests.House house)
    : IClassFixture<BackchannelInputTests.House>
{
    private const string Ciba = "OpenID CIBA Core", Long = "long", Twice = "twice";

    private static readonly ECDsa Foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private readonly TestServer server = house.Server;
    private readonly Butler butler = Butler.Of(house.Server);

    public static TheoryData<string, string?, string> WrongRequests => new()
    {
        { "client_id", null, "invalid_client" },
        { "client_id", "nobody", "invalid_client" },
        { "client_id", "web", "invalid_client" },
        { "client_id", Twice, "invalid_request" },
        { "client_secret", null, "invalid_client" },
        { "client_secret", "wrong", "invalid_client" },
        { "client_secret", App.WebSecret, "invalid_client" },
        { "client_secret", Twice, "invalid_request" },
        { "scope", null, "invalid_scope" },
        { "scope", "mcp:read", "invalid_scope" },
        { "scope", "openid admin", "invalid_scope" },
        { "scope", "openid  mcp:read", "invalid_scope" },
        { "scope", Twice, "invalid_request" },
        { "scope", Long, "invalid_request" },
        { "resource", null, "invalid_target" },
        { "resource", "https://elsewhere.example/mcp", "invalid_target" },
        { "resource", "#", "invalid_target" },
        { "resource", Twice, "invalid_target" },
        { "authorization_details", "[]", "invalid_authorization_details" },
        { "login_hint", null, "invalid_request" },
        { "login_hint", "", "invalid_request" },
        { "login_hint", "nobody@example.test", "unknown_user_id" },
        { "login_hint", "ada", "unknown_user_id" },
        { "login_hint", "ada@example.test\0", "invalid_request" },
        { "login_hint", Twice, "invalid_request" },
        { "login_hint", Long, "invalid_request" },
        { "id_token_hint", "a.b.c", "invalid_request" },
        { "login_hint_token", "a.b.c", "invalid_request" },
        { "binding_message", "two\nlines", "invalid_binding_message" },
        { "binding_message", "<b>bold</b>", "invalid_binding_message" },
        { "binding_message", "turned \u202E round", "invalid_binding_message" },
        { "binding_message", "zero\u200Bwidth", "invalid_binding_message" },
        { "binding_message", " blank", "invalid_binding_message" },
        { "binding_message", Twice, "invalid_request" },
        { "requested_expiry", "0", "invalid_request" },
        { "requested_expiry", "-1", "invalid_request" },
        { "requested_expiry", "1.5", "invalid_request" },
        { "requested_expiry", "soon", "invalid_request" },
        { "requested_expiry", "99999999999999999999", "invalid_request" },
        { "request", "a.b.c", "invalid_request" },
    };

    [Theory, MemberData(nameof(WrongRequests)), Rfc(Ciba, "7.1"), Rfc(Ciba, "7.2"), Rfc(Ciba, "13")]
    public async Task A_wrong_request_is_refused_and_asks_nobody(string parameter, string? value, string error)
    {
        var before = await Gadget.WaitingAsync(server);

        Gadget.Refused(await butler.AskAsync(Wrong(parameter, value, "butler")), error);
        Assert.Equal(before, await Gadget.WaitingAsync(server));
    }

    [Fact, Rfc(Ciba, "13")]
    public async Task A_message_that_is_too_long_is_refused() => Gadget.Refused(
        await butler.AskAsync(("binding_message", new string('x', 101))), "invalid_binding_message");

    [Theory, Rfc(Ciba, "7.1")]
    [InlineData("login_hint", "id_token_hint")]
    [InlineData("login_hint", "login_hint_token")]
    [InlineData("id_token_hint", "login_hint_token")]
    public async Task Two_hints_are_one_too_many(string one, string two) => Gadget.Refused(
        await butler.AskAsync(("login_hint", null), (one, "a@b.c"), (two, "a@b.c")), "invalid_request");

    [Theory, Rfc(Ciba, "7.1")]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("too-short")]
    [InlineData("with blanks with blanks with blanks")]
    [InlineData(Long)]
    public async Task A_service_that_is_told_must_say_by_what_it_knows_us(string? token) => Gadget.Refused(
        await Butler.Bell(server).AskAsync(
            ("client_notification_token", token is Long ? new string('x', 1025) : token)),
        "invalid_request");

    [Theory]
    [InlineData("native", null)]
    [InlineData("web", App.WebSecret)]
    public async Task A_client_that_is_not_registered_for_it_asks_nobody(string client, string? secret) =>
        Gadget.Refused(
            await butler.AskAsync(("client_id", client), ("client_secret", secret)), "unauthorized_client");

    public static TheoryData<string, string?, string> WrongPolls => new()
    {
        { "auth_req_id", null, "invalid_request" },
        { "auth_req_id", "", "invalid_request" },
        { "auth_req_id", Twice, "invalid_request" },
        { "auth_req_id", Long, "invalid_request" },
        { "auth_req_id", "x", "invalid_grant" },
        { "auth_req_id", $"pba_{new string('0', 32)}.{new string('A', 43)}", "invalid_grant" },
        { "client_secret", null, "invalid_client" },
        { "client_id", "bell", "invalid_client" },
        { "scope", "mcp:destroy", "invalid_scope" },
        { "resource", "https://elsewhere.example/mcp", "invalid_target" },
        { "grant_type", Gadget.GrantType, "unauthorized_client" },
    };

    [Theory, MemberData(nameof(WrongPolls)), Rfc(Ciba, "10.1"), Rfc(Ciba, "11")]
    public async Task A_wrong_poll_is_refused_and_the_code_is_still_good(string parameter, string? value, string error)
    {
        var code = (await butler.AskAsync(("binding_message", $"{Guid.NewGuid()}"))).Member("auth_req_id")!;
        foreach (var address in await Butler.WaitingAsync(house.Ada))
        {
            await house.Ada.AnswerAsync(await house.Ada.AskedAsync(address), "allow");
        }

        Gadget.Refused(await butler.PollAsync(code, Wrong(parameter, value, code)), error);
        Gadget.Refused(await Butler.Bell(server).PollAsync(code), "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, (await butler.PollAsync(code)).Status);
    }

    public static TheoryData<string, bool> SignedRequests => new()
    {
        { "as it should be", true },
        { "requested_expiry text", true },
        { "aud list", true },
        { "nbf 8 s ahead", true },
        { "typ JWT", true },
        { "with unheard_of", true },
        { "typ oauth-authz-req+jwt", false },
        { "with response_type", false },
        { "with redirect_uri", false },
        { "with code_challenge", false },
        { "iss other", false },
        { "iss", false },
        { "aud", false },
        { "aud other", false },
        { "exp", false },
        { "exp past", false },
        { "exp in two hours", false },
        { "iat", false },
        { "nbf", false },
        { "nbf 11 min ahead", false },
        { "nbf 61 min ago", false },
        { "jti", false },
        { "jti number", false },
        { "alg none", false },
        { "alg RS256", false },
        { "signed by another", false },
        { "login_hint", false },
        { "scope number", false },
    };

    [Theory, MemberData(nameof(SignedRequests)), Rfc(Ciba, "7.1.1"), Rfc("FAPI-CIBA", "5.2.2")]
    [Combines("JAR", "CIBA")]
    public async Task A_signed_request_counts_only_when_everything_in_it_is_right(string what, bool counts)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var reply = await Butler.Notary(server).SignAsync(
            server,
            what is "signed by another" ? Foreign : null,
            what switch { "alg none" => "none", "alg RS256" => "RS256", _ => "ES256" },
            claims =>
            {
                claims["binding_message"] = what;
                if (!what.StartsWith("typ ", StringComparison.Ordinal))
                {
                    Spoil(claims, what, now);
                }
            },
            what.StartsWith("typ ", StringComparison.Ordinal) ? what[4..] : null);

        Assert.Equal(counts ? HttpStatusCode.OK : HttpStatusCode.BadRequest, reply.Status);
        await AnswerAllAsync();
    }

    [Fact, Rfc(Ciba, "7.1.1")]
    public async Task Who_signs_requests_is_not_heard_without_and_says_nothing_beside()
    {
        var notary = Butler.Notary(server);

        Gadget.Refused(await notary.AskAsync(), "invalid_request");
        Gadget.Refused(await notary.AskAsync(("request", "a.b.c")), "invalid_request");
    }

    [Fact, Rfc(Ciba, "7.1.1")]
    public async Task A_signed_request_is_good_once()
    {
        var notary = Butler.Notary(server);
        static void Same(JsonObject claims) => (claims["jti"], claims["binding_message"]) = ("the same", "once");

        Assert.Equal(HttpStatusCode.OK, (await notary.SignAsync(server, change: Same)).Status);
        Gadget.Refused(await notary.SignAsync(server, change: Same), "invalid_request");
        await AnswerAllAsync();
    }

    [Theory]
    [InlineData("token_endpoint_auth_method: none", "cannot prove itself")]
    [InlineData("backchannel_token_delivery_mode: ping", "`backchannel_client_notification_endpoint` is missing")]
    [InlineData("backchannel_client_notification_endpoint: http://a.example/x", "is an https URL")]
    [InlineData("backchannel_authentication_request_signing_alg: ES256", "`jwks` or `jwks_uri` is missing")]
    [InlineData("backchannel_authentication_request_signing_alg: RS256", "ES256 or PS256")]
    [InlineData("backchannel_token_delivery_mode: push", "poll or ping")]
    public async Task A_client_that_contradicts_itself_stops_the_start(string member, string says)
    {
        var secret = member.Contains("none", StringComparison.Ordinal) ? "" : $"client_secret: {Butler.Secret}, ";
        var refused = await Assert.ThrowsAsync<SetupException>(() => TestServer.StartAsync(
            $$"""
            clients:
              - { client_id: x, {{secret}}grant_types: ["{{Butler.GrantType}}"], {{member}} }
            """));

        Assert.Contains(says, refused.Message);
    }

    private async Task AnswerAllAsync()
    {
        foreach (var address in await Butler.WaitingAsync(house.Ada))
        {
            await house.Ada.AnswerAsync(await house.Ada.AskedAsync(address), "allow");
        }
    }

    private static void Spoil(JsonObject claims, string what, long now)
    {
        Action change = what switch
        {
            _ when what.StartsWith("with ", StringComparison.Ordinal) => () => claims[what[5..]] = "x",
            "requested_expiry text" => () => claims["requested_expiry"] = "300",
            "aud list" => () => claims["aud"] = new JsonArray(claims["aud"]!.GetValue<string>()),
            "nbf 8 s ahead" => () => claims["nbf"] = now + 8,
            "iss other" => () => claims["iss"] = "butler",
            "aud other" => () => claims["aud"] = "https://elsewhere.example",
            "exp past" => () => claims["exp"] = now - 1,
            "exp in two hours" => () => claims["exp"] = now + 7200,
            "nbf 11 min ahead" => () => claims["nbf"] = now + 660,
            "nbf 61 min ago" => () => claims["nbf"] = now - 3660,
            "jti number" => () => claims["jti"] = 7,
            "scope number" => () => claims["scope"] = 7,
            _ => () => claims.Remove(what),
        };
        change();
    }

    private static (string Name, string? Value)[] Wrong(string parameter, string? value, string right) => value switch
    {
        Twice => [(parameter, right), (parameter, right)],
        Long => [(parameter, new string('x', 17_000))],
        _ => [(parameter, value)],
    };

    /// <summary>A server with services, and a person who has signed in.</summary>
    public sealed class House : IAsyncLifetime
    {
        internal TestServer Server { get; private set; } = null!;

        internal Person Ada { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Server = await TestServer.StartAsync(Butler.Town());
            Ada = new(Server);
            await Ada.SignInAsync();
        }

        public async ValueTask DisposeAsync()
        {
            Ada.Dispose();
            await Server.DisposeAsync();
        }
    }
}
