using System.Buffers.Text;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Postern.Platform;

namespace Postern.Tests.OAuth;

/// <summary>
/// ID-JAG from both sides: one server says who a person is, another lets them in by its word. And transaction tokens,
/// which stay inside.
/// </summary>
public sealed class IdentityAssertionTests(IdentityAssertionTests.Two two) : IClassFixture<IdentityAssertionTests.Two>
{
    private const string
        Exchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
        IdJag = "urn:ietf:params:oauth:token-type:id-jag",
        TxnToken = "urn:ietf:params:oauth:token-type:txn_token",
        RefreshToken = "urn:ietf:params:oauth:token-type:refresh_token",
        AccessToken = "urn:ietf:params:oauth:token-type:access_token",
        IdToken = "urn:ietf:params:oauth:token-type:id_token",
        Secret = "desk-secret-desk-secret-desk-secret";

    private App Desk => new(two.Idp, "desk", "https://desk.example/cb", Secret);

    [Fact, Rfc("ID-JAG", "4.3.4"), Rfc("ID-JAG", "3"), Rfc(8693, "2.2.1")]
    [Combines("secret", "refresh", "ID-JAG issued")]
    public async Task One_server_says_who_a_person_is_and_another_lets_them_in()
    {
        var tokens = await Desk.LetInAsync(two.Ada);

        var told = await AskAsync(tokens.RefreshToken);
        var letIn = await PresentAsync(told.AccessToken);

        Assert.Equal(HttpStatusCode.OK, told.Status);
        Assert.Equal("no-store", told.Headers.CacheControl!.ToString());
        Assert.Equal(IdJag, told.Member("issued_token_type"));
        Assert.Equal("N_A", told.Member("token_type"));
        Assert.Equal(300, told.Json.GetProperty("expires_in").GetInt64());
        Assert.False(told.Json.TryGetProperty("refresh_token", out _));
        Assert.Equal("oauth-id-jag+jwt", Header(told).GetProperty("typ").GetString());
        Assert.Equal("connector", told.Claims.GetProperty("client_id").GetString());
        Assert.Equal(two.Elsewhere.Issuer, told.Claims.GetProperty("aud").GetString());
        Assert.Equal(
            tokens.Claims.GetProperty("sub").GetString(), told.Claims.GetProperty("sub").GetString());
        Assert.True(told.Claims.GetProperty("email_verified").GetBoolean());
        Assert.Equal(HttpStatusCode.OK, letIn.Status);
        Assert.Equal("mcp:read", letIn.Scope);
        // What was shown is not used up.
        Assert.Equal(HttpStatusCode.OK, (await Desk.RefreshAsync(tokens.RefreshToken)).Status);
    }

    [Fact, Rfc("ID-JAG", "4.3.1")]
    public async Task An_ID_token_says_who_signed_in_as_long_as_the_client_is_let_in()
    {
        var tokens = await Desk.LetInAsync(two.Ada, ("scope", "openid email mcp:read offline_access"));
        var idToken = tokens.Member("id_token")!;

        var told = await AskAsync(idToken, ("subject_token_type", IdToken));
        var others = await AskAsync(idToken, ("subject_token_type", IdToken), ("client_id", "other"));

        Assert.Equal(HttpStatusCode.OK, (await PresentAsync(told.AccessToken)).Status);
        TokenTests.Refused(others, "invalid_grant");
    }

    [Fact]
    public async Task Who_knows_a_person_by_a_name_of_its_own_makes_no_other_name_known()
    {
        var veiled = new App(two.Idp, "veiled", "https://veiled.example/cb", Secret);
        var tokens = await veiled.LetInAsync(two.Ada, ("scope", "openid mcp:read offline_access"));

        var told = await AskAsync(tokens.RefreshToken, ("client_id", "veiled"));

        var byIdToken = await AskAsync(
            tokens.Member("id_token")!, ("subject_token_type", IdToken), ("client_id", "veiled"));

        var known = Jwt.Claims(tokens.Member("id_token")!).GetProperty("sub").GetString();
        Assert.Equal(known, told.Claims.GetProperty("sub").GetString());
        Assert.True(byIdToken.Status is HttpStatusCode.OK, byIdToken.Text);
        Assert.Equal(known, byIdToken.Claims.GetProperty("sub").GetString());
    }

    [Fact, Rfc("ID-JAG", "4.3.1")]
    public async Task An_ID_token_speaks_for_its_own_sign_in_and_for_no_later_one()
    {
        using var ada = new Person(two.Idp);
        const string Scope = "openid mcp:read offline_access";
        var first = await Desk.LetInAsync(ada, ("scope", Scope));
        two.Idp.Clock.Advance(TimeSpan.FromMinutes(1));
        var second = await Desk.LetInAsync(ada, ("scope", Scope), ("prompt", "login"));

        var (old, young) = (await ShowAsync(first), await ShowAsync(second));
        await Desk.RevokeAsync(first.RefreshToken);

        Assert.Equal(AuthTime(Jwt.Claims(first.Member("id_token")!)), AuthTime(old.Claims));
        Assert.Equal(AuthTime(old.Claims) + 60, AuthTime(young.Claims));
        TokenTests.Refused(await ShowAsync(first), "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, (await ShowAsync(second)).Status);

        Task<Reply> ShowAsync(Reply tokens) =>
            AskAsync(tokens.Member("id_token")!, ("subject_token_type", IdToken));

        static long AuthTime(JsonElement claims) => claims.GetProperty("auth_time").GetInt64();
    }

    [Fact, Rfc("OAuth Transaction Tokens", "9.2")]
    public async Task What_a_server_demands_of_its_tokens_is_not_asked_of_a_word_for_elsewhere()
    {
        await using var server = await TestServer.StartAsync(Two.People("http://127.0.0.1:9")
            .Replace("{ name: echo,", "{ name: echo, require_dpop: true,", StringComparison.Ordinal));
        using var ada = new Person(server);
        using var desk = new DpopApp(server, "desk", "https://desk.example/cb", Secret);
        var tokens = await desk.LetInAsync(ada, ("scope", "openid mcp:read"));

        var told = await SendAsync(
            "desk",
            tokens.Member("id_token")!,
            IdToken,
            ("requested_token_type", IdJag),
            ("audience", "http://127.0.0.1:9"));
        var handedOn = await TransactAsync("back");
        // What the client itself registered holds all the same.
        var keyed = await TransactAsync("keyed");

        Assert.True(told.Status is HttpStatusCode.OK, told.Text);
        Assert.True(handedOn.Status is HttpStatusCode.OK, handedOn.Text);
        TokenTests.Refused(keyed, "invalid_dpop_proof");

        Task<Reply> TransactAsync(string client) => SendAsync(
            client,
            tokens.AccessToken,
            AccessToken,
            ("requested_token_type", TxnToken),
            ("audience", "inside.example"),
            ("scope", "mcp:read"));

        Task<Reply> SendAsync(
            string client, string subject, string type, params (string Name, string? Value)[] more) =>
            desk.App.PostAsync(
                "/token",
                With(
                    more,
                    ("grant_type", Exchange),
                    ("subject_token", subject),
                    ("subject_token_type", type),
                    ("client_id", client),
                    ("client_secret", Secret)));
    }

    public static TheoryData<string, string?, string> Wrong => new()
    {
        { "subject_token", null, "invalid_request" },
        { "subject_token", "x", "invalid_grant" },
        { "subject_token", "access", "invalid_grant" },
        { "subject_token", "older", "invalid_grant" },
        { "subject_token_type", null, "invalid_request" },
        { "subject_token_type", AccessToken, "invalid_request" },
        { "subject_token_type", IdToken, "invalid_grant" },
        { "subject_token_type", "urn:ietf:params:oauth:token-type:saml2", "invalid_request" },
        { "actor_token", "x", "invalid_request" },
        { "audience", null, "invalid_target" },
        { "audience", "https://unknown.example", "invalid_target" },
        { "audience", "twice", "invalid_target" },
        { "resource", "https://unknown.example/mcp", "invalid_target" },
        { "scope", "mcp:write", "invalid_scope" },
        { "authorization_details", "[]", "invalid_authorization_details" },
        { "authorization_details", """[{"type":"unheard_of"}]""", "invalid_authorization_details" },
        {
            "authorization_details",
            """[{"type":"spend","currency":"EUR","max_total":1}]""",
            "invalid_authorization_details"
        },
        { "client_id", "web", "invalid_client" },
        { "client_id", "other", "invalid_grant" },
        { "client_id", "unasked", "invalid_target" },
        { "client_secret", null, "invalid_client" },
    };

    [Theory, MemberData(nameof(Wrong)), Rfc("ID-JAG", "4.3.3")]
    public async Task Who_asks_wrongly_is_told_nothing(string parameter, string? value, string error)
    {
        var tokens = await Desk.LetInAsync(two.Ada);
        var newest = parameter is "subject_token" ? await Desk.RefreshAsync(tokens.RefreshToken) : tokens;

        var refused = await AskAsync(newest.RefreshToken, value switch
        {
            "twice" => [(parameter, two.Elsewhere.Issuer), (parameter, "https://unknown.example")],
            "access" => [(parameter, newest.AccessToken)],
            "older" => [(parameter, tokens.RefreshToken)],
            _ => [(parameter, value)],
        });

        TokenTests.Refused(refused, error);
    }

    [Fact, Rfc("ID-JAG", "8.6.1.1"), Rfc("ID-JAG", "8.6.1.2.1")]
    public async Task Who_proves_a_key_here_must_prove_it_there()
    {
        using var desk = new DpopApp(two.Idp, "desk", "https://desk.example/cb", Secret);
        using var connector = new DpopApp(two.Elsewhere, "connector", "", Secret);
        var tokens = await Desk.LetInAsync(two.Ada);

        var told = await desk.TokenAsync(
            ("grant_type", Exchange),
            ("requested_token_type", IdJag),
            ("subject_token", tokens.RefreshToken),
            ("subject_token_type", RefreshToken),
            ("audience", two.Elsewhere.Issuer));
        var bare = await PresentAsync(told.AccessToken);
        var another = await ShowAsync(connector.Key);
        var own = await ShowAsync(desk.Key);

        Assert.Equal($$"""{"jkt":"{{desk.Key.Thumbprint}}"}""", told.Claims.GetProperty("cnf").ToString());
        TokenTests.Refused(bare, "invalid_grant");
        TokenTests.Refused(another, "invalid_grant");
        Assert.Equal(desk.Key.Thumbprint, own.Claims.GetProperty("cnf").GetProperty("jkt").GetString());

        async Task<Reply> ShowAsync(DpopKey key)
        {
            // Both servers go by the clock of the first.
            var ask = connector.Ask() with { Now = two.Idp.Clock.GetUtcNow().ToUnixTimeSeconds() };
            (string, string?)[] shown = [("grant_type", JwtBearer), ("assertion", told.AccessToken)];
            var first = await connector.SendAsync(shown, key.Proof(ask, nonce: connector.Nonce));
            if (first.Error is not "use_dpop_nonce")
            {
                return first;
            }

            connector.Nonce = first.Headers.GetValues("DPoP-Nonce").Single();
            return await connector.SendAsync(shown, key.Proof(ask, nonce: connector.Nonce));
        }
    }

    [Fact]
    public async Task When_the_grant_has_ended_nothing_more_is_said_of_the_person()
    {
        var tokens = await Desk.LetInAsync(two.Ada, ("scope", "mcp:read offline_access"));
        await Desk.RevokeAsync(tokens.RefreshToken);

        TokenTests.Refused(await AskAsync(tokens.RefreshToken), "invalid_grant");
    }

    [Fact]
    public async Task What_is_said_ends_with_the_agent_and_with_the_grant_that_it_rests_on()
    {
        await using var server = await TestServer.StartAsync(Two.People("https://else.example").Replace(
            "trust_domain:",
            $"""
            agents:
              - id: scribe
                owner: {Person.Bob}
                purpose: Writes down what was said
                ends: 2026-11-23
                clients: [desk]
            trust_domain:
            """,
            StringComparison.Ordinal));
        using var ada = new Person(server);
        var (desk, veiled) = (
            new App(server, "desk", "https://desk.example/cb", Secret),
            new App(server, "veiled", "https://veiled.example/cb", Secret));
        var (agents, persons) = (await desk.LetInAsync(ada), await veiled.LetInAsync(ada));
        var ends = new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);
        var over = server.Clock.GetUtcNow().ToUnixTimeSeconds()
            + persons.Json.GetProperty("authorization_expires_in").GetInt64();

        server.Clock.Advance(ends - server.Clock.GetUtcNow() - TimeSpan.FromMinutes(3));
        var byAgent = await SayAsync("desk", agents.RefreshToken);
        // A line that rests too long is over before its grant.
        for (var day = TimeSpan.FromDays(5); server.Clock.GetUtcNow().Add(day).ToUnixTimeSeconds() < over;)
        {
            server.Clock.Advance(day);
            persons = await veiled.RefreshAsync(persons.RefreshToken);
        }

        server.Clock.Advance(DateTimeOffset.FromUnixTimeSeconds(over - 120) - server.Clock.GetUtcNow());
        var byPerson = await SayAsync("veiled", persons.RefreshToken);

        Assert.Equal(ends.ToUnixTimeSeconds(), byAgent.Claims.GetProperty("exp").GetInt64());
        Assert.Equal(180, byAgent.Json.GetProperty("expires_in").GetInt64());
        Assert.Equal(over, byPerson.Claims.GetProperty("exp").GetInt64());
        Assert.Equal(120, byPerson.Json.GetProperty("expires_in").GetInt64());

        Task<Reply> SayAsync(string client, string token) => desk.PostAsync(
            "/token",
            [
                ("grant_type", Exchange), ("requested_token_type", IdJag), ("subject_token", token),
                ("subject_token_type", RefreshToken), ("audience", "https://else.example"),
                ("client_id", client), ("client_secret", Secret),
            ]);
    }

    [Fact]
    public async Task What_is_said_is_counted_like_a_token()
    {
        var tokens = await Desk.LetInAsync(two.Ada);
        var counted = 0L;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (ReferenceEquals(instrument, Telemetry.Tokens))
            {
                all.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            if (tags.Contains(new("grant_type", Exchange)))
            {
                Interlocked.Add(ref counted, count);
            }
        });
        listener.Start();

        await AskAsync(tokens.RefreshToken);

        Assert.True(Interlocked.Read(ref counted) > 0);
    }

    [Fact, Rfc(8725, "3.11")]
    public async Task What_is_said_to_another_server_opens_nothing_here()
    {
        var tokens = await Desk.LetInAsync(two.Ada);
        var told = (await AskAsync(tokens.RefreshToken)).AccessToken;

        Assert.False(await App.Watch(two.Idp).IsAliveAsync(told));
        Assert.Equal(HttpStatusCode.Unauthorized, await Desk.CallAsync(told));
        TokenTests.Refused(await AskAsync(told), "invalid_grant");
        TokenTests.Refused(await AskAsync(told, ("subject_token_type", IdToken)), "invalid_grant");
        TokenTests.Refused(
            await AskAsync(told, ("subject_token_type", AccessToken), ("requested_token_type", null)),
            "invalid_request");
    }

    [Fact, Rfc("ID-JAG", "7.1")]
    public async Task The_metadata_says_that_it_may_be_asked()
    {
        const string Place = "/.well-known/oauth-authorization-server";

        Assert.Contains(IdJag, await two.Idp.Http.GetStringAsync(new Uri(Place, UriKind.Relative)));
        Assert.DoesNotContain(IdJag, await two.Elsewhere.Http.GetStringAsync(new Uri(Place, UriKind.Relative)));
    }

    [Fact, Rfc("OAuth Transaction Tokens", "11.3"), Rfc("OAuth Transaction Tokens", "6")]
    public async Task A_token_that_was_handed_back_or_is_over_brings_no_transaction_token()
    {
        var (back, over) = (await Desk.LetInAsync(two.Ada), await Desk.LetInAsync(two.Ada));
        Assert.Equal(HttpStatusCode.OK, (await TransactAsync(over.AccessToken)).Status);

        await Desk.RevokeAsync(back.AccessToken);
        TokenTests.Refused(await TransactAsync(back.AccessToken), "invalid_request");
        two.Idp.Clock.Advance(TimeSpan.FromMinutes(10));
        TokenTests.Refused(await TransactAsync(over.AccessToken), "invalid_request");
    }

    [Fact, Rfc("OAuth Transaction Tokens", "11.4"), Rfc("OAuth Transaction Tokens", "9.2")]
    public async Task A_resource_server_hands_on_what_a_transaction_is_for_and_not_the_token_it_was_sent()
    {
        var tokens = await Desk.LetInAsync(two.Ada);

        var reply = await TransactAsync(
            tokens.AccessToken,
            ("request_details", """{"tool":"send"}"""),
            ("request_context", """{"req_ip":"::1"}"""));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal(TxnToken, reply.Member("issued_token_type"));
        Assert.Equal("N_A", reply.Member("token_type"));
        Assert.Equal(60, reply.Json.GetProperty("expires_in").GetInt64());
        Assert.Equal("txntoken+jwt", Header(reply).GetProperty("typ").GetString());
        Assert.Equal("inside.example", reply.Claims.GetProperty("aud").GetString());
        Assert.Equal("back", reply.Claims.GetProperty("req_wl").GetString());
        Assert.Equal("mcp:read", reply.Claims.GetProperty("scope").GetString());
        Assert.Equal("send", reply.Claims.GetProperty("tctx").GetProperty("tool").GetString());
        Assert.NotEmpty(reply.Claims.GetProperty("txn").GetString()!);
        Assert.Equal(tokens.Claims.GetProperty("sub").GetString(), reply.Claims.GetProperty("sub").GetString());
        var now = two.Idp.Clock.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal(now, reply.Claims.GetProperty("iat").GetInt64());
        Assert.Equal(now + 60, reply.Claims.GetProperty("exp").GetInt64());
        Assert.False(reply.Json.TryGetProperty("refresh_token", out _));
        Assert.False(reply.Claims.TryGetProperty("grant_id", out _));
        Assert.False(await App.Watch(two.Idp).IsAliveAsync(reply.AccessToken));
        TokenTests.Refused(await TransactAsync(reply.AccessToken), "invalid_request");
    }

    [Theory, Rfc("OAuth Transaction Tokens", "11.1")]
    [InlineData("audience", "elsewhere.example", "invalid_target")]
    [InlineData("audience", null, "invalid_target")]
    [InlineData("resource", "https://elsewhere.example/mcp", "invalid_target")]
    [InlineData("scope", null, "invalid_scope")]
    [InlineData("scope", "mcp:read admin", "invalid_scope")]
    [InlineData("request_details", "7", "invalid_request")]
    [InlineData("request_details", "{", "invalid_request")]
    [InlineData("request_context", """{"a":1,"a":2}""", "invalid_request")]
    [InlineData("request_context", """{"\ud800":1}""", "invalid_request")]
    [InlineData("request_details", """{"a":["\ud800"]}""", "invalid_request")]
    [InlineData("subject_token", "x", "invalid_request")]
    [InlineData("subject_token_type", RefreshToken, "invalid_request")]
    [InlineData("actor_token", "x", "invalid_request")]
    [InlineData("client_id", "desk", "invalid_request")]
    public async Task A_wrong_request_for_a_transaction_token_is_refused(string parameter, string? value, string error)
    {
        var tokens = await Desk.LetInAsync(two.Ada);

        TokenTests.Refused(await TransactAsync(tokens.AccessToken, (parameter, value)), error);
    }

    private Task<Reply> AskAsync(string subject, params (string Name, string? Value)[] changes) => Desk.PostAsync(
        "/token",
        With(
            changes,
            ("grant_type", Exchange),
            ("requested_token_type", IdJag),
            ("subject_token", subject),
            ("subject_token_type", RefreshToken),
            ("audience", two.Elsewhere.Issuer),
            ("client_id", "desk"),
            ("client_secret", Secret)));

    private Task<Reply> TransactAsync(string subject, params (string Name, string? Value)[] changes) => Desk.PostAsync(
        "/token",
        With(
            changes,
            ("grant_type", Exchange),
            ("requested_token_type", TxnToken),
            ("subject_token", subject),
            ("subject_token_type", AccessToken),
            ("audience", "inside.example"),
            ("scope", "mcp:read"),
            ("client_id", "back"),
            ("client_secret", Secret)));

    private Task<Reply> PresentAsync(string assertion) => new App(two.Elsewhere, "", "").PostAsync(
        "/token",
        [
            ("grant_type", JwtBearer),
            ("assertion", assertion),
            ("client_id", "connector"),
            ("client_secret", Secret),
        ]);

    private static (string Name, string? Value)[] With(
        (string Name, string? Value)[] changes, params (string Name, string? Value)[] usual) =>
        [.. usual.Where(field => !changes.Any(change => change.Name == field.Name)), .. changes];

    private static JsonElement Header(Reply reply) =>
        JsonElement.Parse(Base64Url.DecodeFromChars(reply.AccessToken.Split('.')[0]));

    /// <summary>A server whose people these are, and another that takes its word.</summary>
    public sealed class Two : IAsyncLifetime
    {
        internal TestServer Idp { get; private set; } = null!;

        internal TestServer Elsewhere { get; private set; } = null!;

        internal Person Ada { get; private set; } = null!;

        /// <summary>Whose people these are.</summary>
        internal static string People(string elsewhere) => App.Town.Replace("servers:", $$"""
              - client_id: desk
                client_secret: {{Secret}}
                redirect_uris: [https://desk.example/cb]
                grant_types: [authorization_code, refresh_token, '{{Exchange}}']
              - client_id: veiled
                client_secret: {{Secret}}
                redirect_uris: [https://veiled.example/cb]
                grant_types: [authorization_code, refresh_token, '{{Exchange}}']
                subject_type: pairwise
              - { client_id: other, client_secret: {{Secret}}, grant_types: ['{{Exchange}}'] }
              - { client_id: unasked, client_secret: {{Secret}}, grant_types: ['{{Exchange}}'] }
              - client_id: back
                client_secret: {{Secret}}
                grant_types: ['{{Exchange}}']
                introspects: [echo]
                exchanges_bound_tokens: true
              - client_id: keyed
                client_secret: {{Secret}}
                grant_types: ['{{Exchange}}']
                introspects: [echo]
                exchanges_bound_tokens: true
                dpop_bound_access_tokens: true
            trust_domain: inside.example
            asserts_to:
              - issuer: {{elsewhere}}
                resources: [{{elsewhere}}/mcp/echo]
                scope: mcp:read
                clients: { desk: connector, other: connector, veiled: connector }
            servers:
            """, StringComparison.Ordinal)
            .Replace($"email: {Person.Ada},", $"email: {Person.Ada}, email_verified: true,", StringComparison.Ordinal);

        public async ValueTask InitializeAsync()
        {
            // Each must know the other's address before it starts; the keys are there once the first one runs.
            var elsewhere = $"http://127.0.0.1:{Postgres.FreePort()}";
            Idp = await TestServer.StartAsync(People(elsewhere));
            var keys = await Idp.Http.GetStringAsync(new Uri("/jwks", UriKind.Relative));
            Elsewhere = await TestServer.StartAsync($$"""
                demo: false
                clients:
                  - { client_id: connector, client_secret: {{Secret}}, grant_types: ['{{JwtBearer}}'] }
                trusted_issuers:
                  - issuer: {{Idp.Issuer}}
                    kind: idp
                    jwks: '{{keys}}'
                    resources: [echo]
                    scope: mcp:read mcp:write
                    email_domains: [example.test]
                    makes_users: true
                servers:
                  - { name: echo, http: http://127.0.0.1:9/mcp }
                """, replace: services => services.AddSingleton<TimeProvider>(Idp.Clock), issuer: elsewhere);
            Ada = new(Idp);
            await Ada.SignInAsync();
        }

        public async ValueTask DisposeAsync()
        {
            Ada.Dispose();
            await Elsewhere.DisposeAsync();
            await Idp.DisposeAsync();
        }
    }
}
