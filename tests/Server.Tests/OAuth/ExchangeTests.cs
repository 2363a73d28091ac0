using System.Net;
using System.Text.Json;
using Postern.Audit;

namespace Postern.Tests.OAuth;

/// <summary>Token exchange (RFC 8693): who acts for whom, through whom, and how it ends.</summary>
public sealed class ExchangeTests(ExchangeTests.House house) : IClassFixture<ExchangeTests.House>
{
    private const string
        Exchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        AccessToken = "urn:ietf:params:oauth:token-type:access_token",
        Secret = "secret-secret-secret-secret-secret-";

    // The web client names desk, desk names sub, sub names helper, helper names last: a chain of four. The agent is no
    // actor by its authentication alone. The echo server may pass on what was sent to it.
    private static readonly string Yaml = App.Town.Replace(
        $"  - {{ client_id: web, client_secret: {App.WebSecret}, redirect_uris: [https://web.example/cb] }}",
        $"""
          - client_id: web
            client_secret: {App.WebSecret}
            redirect_uris: [https://web.example/cb]
            may_act: desk
        {Actor("desk", "may_act: sub, actor: ai_agent")}
        {Actor("sub", "may_act: helper, actor: ai_agent")}
        {Actor("helper", "may_act: last, actor: service")}
        {Actor("last", "actor: service")}
        {Actor("back", "introspects: [echo], actor: service, scope: mcp:read")}
        {Actor("agent", "introspects: [echo], scope: 'mcp:read mcp:write'")}
        {Actor("ring", "may_act: ring, introspects: [echo], actor: service")}
          - client_id: stranger
            client_secret: {Secret}stranger
            grant_types: ['{Exchange}']
            actor: service
            resources: [echo]
        """,
        StringComparison.Ordinal);

    private TestServer Server => house.Server;

    private static string Actor(string id, string more) =>
        $"  - {{ client_id: {id}, client_secret: {Secret}{id}, resources: [echo], "
        + $"grant_types: [client_credentials, '{Exchange}'], {more} }}";

    [Fact, Rfc(8693, "2.1"), Rfc(8693, "2.2.1"), Rfc(8693, "4.1"), Rfc(8693, "4.4")]
    [Combines("code", "exchange")]
    public async Task The_one_whom_a_token_names_goes_on_in_the_name_of_the_person()
    {
        var first = await App.Web(Server).LetInAsync(house.Ada);

        var reply = await ExchangeAsync("desk", first.AccessToken);

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal("no-store", reply.Headers.CacheControl!.ToString());
        Assert.Equal(AccessToken, reply.Member("issued_token_type"));
        Assert.Equal("Bearer", reply.Member("token_type"));
        Assert.False(reply.Json.TryGetProperty("refresh_token", out _));
        Assert.Equal("mcp:read mcp:write", reply.Scope);
        Assert.Equal(first.Claims.GetProperty("sub").GetString(), reply.Claims.GetProperty("sub").GetString());
        Assert.Equal("desk", reply.Claims.GetProperty("client_id").GetString());
        Assert.Equal(
            $$"""{"iss":"{{Server.Issuer}}","sub":"desk","sub_profile":"ai_agent"}""", Act(reply).GetRawText());
        Assert.Equal("sub", reply.Claims.GetProperty("may_act").GetProperty("sub").GetString());
        Assert.NotEqual(HttpStatusCode.Unauthorized, await App.Web(Server).CallAsync(reply.AccessToken));
    }

    [Fact, Rfc(8693, "4.1"), Rfc(7662, "2.2")]
    public async Task Who_acts_stands_outside_who_acted_before_inside_and_the_resource_server_is_told()
    {
        var first = await App.Web(Server).LetInAsync(house.Ada);

        var second = await ExchangeAsync("desk", first.AccessToken);
        var third = await ExchangeAsync("sub", second.AccessToken);
        var known = (await App.Watch(Server).IntrospectAsync(third.AccessToken)).Json;

        foreach (var act in (JsonElement[])[Act(third), known.GetProperty("act")])
        {
            Assert.Equal("sub", act.GetProperty("sub").GetString());
            Assert.Equal("desk", act.GetProperty("act").GetProperty("sub").GetString());
            Assert.False(act.GetProperty("act").TryGetProperty("act", out _));
        }
    }

    [Fact, Rfc(8693, "4.1")]
    public async Task Who_acted_before_has_no_say_over_a_token()
    {
        var first = await App.Web(Server).LetInAsync(house.Ada);
        var second = await ExchangeAsync("desk", first.AccessToken);
        var third = await ExchangeAsync("sub", second.AccessToken);

        await As("desk").RevokeAsync(third.AccessToken);
        await App.Web(Server).RevokeAsync(third.AccessToken);
        var before = await App.Watch(Server).IsAliveAsync(third.AccessToken);
        await As("sub").RevokeAsync(third.AccessToken);

        Assert.True(before);
        Assert.False(await App.Watch(Server).IsAliveAsync(third.AccessToken));
    }

    [Fact, Rfc(8693, "4.1")]
    public async Task A_chain_has_three_actors_at_most()
    {
        var first = await App.Web(Server).LetInAsync(house.Ada);
        var second = await ExchangeAsync("desk", first.AccessToken);
        var third = await ExchangeAsync("sub", second.AccessToken);
        var fourth = await ExchangeAsync("helper", third.AccessToken);

        Assert.Equal(HttpStatusCode.OK, fourth.Status);
        TokenTests.Refused(await ExchangeAsync("last", fourth.AccessToken), "invalid_request");
    }

    [Fact]
    public async Task Nobody_stands_in_a_chain_twice_or_acts_for_itself()
    {
        var first = await App.Native(Server).LetInAsync(house.Ada);
        var second = await ExchangeAsync("ring", first.AccessToken);
        var own = await As("desk").AsItselfAsync();

        Assert.Equal(HttpStatusCode.OK, second.Status);
        TokenTests.Refused(await ExchangeAsync("ring", second.AccessToken), "invalid_request");
        TokenTests.Refused(await ExchangeAsync("desk", own.AccessToken), "invalid_request");
    }

    [Fact, Rfc(8693, "1.1")]
    public async Task A_client_that_acts_as_itself_may_be_acted_for_too()
    {
        var own = await As("desk").AsItselfAsync();

        var reply = await ExchangeAsync("sub", own.AccessToken);

        Assert.Equal("desk", reply.Claims.GetProperty("sub").GetString());
        Assert.Equal("sub", Act(reply).GetProperty("sub").GetString());
    }

    [Fact, Rfc(8693, "2.1")]
    public async Task A_token_of_ones_own_says_who_acts_where_the_configuration_does_not()
    {
        var first = await App.Native(Server).LetInAsync(house.Ada);
        var own = await As("agent").AsItselfAsync();

        var reply = await ExchangeAsync("agent", first.AccessToken, Proof(own.AccessToken));

        Assert.Equal($$"""{"iss":"{{Server.Issuer}}","sub":"agent"}""", Act(reply).GetRawText());
        Assert.Equal("mcp:read mcp:write", reply.Scope);
        TokenTests.Refused(await ExchangeAsync("agent", first.AccessToken), "invalid_request");
    }

    [Fact, Rfc(8693, "2.1")]
    public async Task An_actor_token_is_the_callers_own_and_for_itself()
    {
        var first = await App.Native(Server).LetInAsync(house.Ada);
        var others = await As("desk").AsItselfAsync();
        var persons = await App.Web(Server).LetInAsync(house.Ada);
        var acting = await ExchangeAsync("back", first.AccessToken);
        var own = await As("agent").AsItselfAsync();
        await As("agent").RevokeAsync(own.AccessToken);

        foreach (var token in (Reply[])[others, persons, acting, own, first])
        {
            TokenTests.Refused(
                await ExchangeAsync("agent", first.AccessToken, Proof(token.AccessToken)), "invalid_request");
        }
    }

    [Fact, Rfc(8693, "2.2.2")]
    public async Task A_token_is_exchanged_by_whom_it_was_given_to_sent_to_or_whom_it_names()
    {
        var named = await App.Web(Server).LetInAsync(house.Ada);
        var unnamed = await App.Native(Server).LetInAsync(house.Ada);

        TokenTests.Refused(await ExchangeAsync("stranger", named.AccessToken), "invalid_request");
        TokenTests.Refused(await ExchangeAsync("stranger", unnamed.AccessToken), "invalid_request");
        TokenTests.Refused(await ExchangeAsync("desk", unnamed.AccessToken), "invalid_request");
        // The resource server, but the token names another.
        TokenTests.Refused(await ExchangeAsync("back", named.AccessToken), "invalid_request");
        Assert.Equal(HttpStatusCode.OK, (await ExchangeAsync("back", unnamed.AccessToken)).Status);
    }

    public static TheoryData<string, string?, string> WrongExchanges => new()
    {
        { "grant_type", null, "invalid_request" },
        { "grant_type", "urn:ietf:params:oauth:grant-type:Token-Exchange", "unsupported_grant_type" },
        { "subject_token", null, "invalid_request" },
        { "subject_token", "", "invalid_request" },
        { "subject_token", "twice", "invalid_request" },
        { "subject_token", "long", "invalid_request" },
        { "subject_token", "x", "invalid_request" },
        { "subject_token", "a.b.c", "invalid_request" },
        { "subject_token", "eyJhbGciOiJub25lIn0.e30.", "invalid_request" },
        { "subject_token_type", null, "invalid_request" },
        { "subject_token_type", "", "invalid_request" },
        { "subject_token_type", "twice", "invalid_request" },
        { "subject_token_type", "urn:ietf:params:oauth:token-type:saml2", "invalid_request" },
        { "subject_token_type", "urn:ietf:params:oauth:token-type:unsigned_json", "invalid_request" },
        { "subject_token_type", "access_token", "invalid_request" },
        { "actor_token", "x", "invalid_request" },
        { "actor_token", "twice", "invalid_request" },
        { "actor_token_type", AccessToken, "invalid_request" },
        { "requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token", "invalid_request" },
        { "requested_token_type", "twice", "invalid_request" },
        { "audience", "https://elsewhere.example/mcp", "invalid_target" },
        { "audience", "files", "invalid_target" },
        { "audience", "twice", "invalid_target" },
        { "resource", "https://elsewhere.example/mcp", "invalid_target" },
        { "resource", "files", "invalid_target" },
        { "resource", "x", "invalid_target" },
        { "resource", "fragment", "invalid_target" },
        { "resource", "twice", "invalid_target" },
        { "resource", "long", "invalid_request" },
        { "scope", "mcp:read admin", "invalid_scope" },
        { "scope", "offline_access", "invalid_scope" },
        { "scope", "mcp:read  mcp:write", "invalid_scope" },
        { "scope", "twice", "invalid_request" },
        { "client_secret", null, "invalid_client" },
        { "client_secret", "wrong", "invalid_client" },
        { "client_id", "peer", "invalid_client" },
        { "client_id", "native", "invalid_client" },
        { "authorization_details", "[]", "invalid_authorization_details" },
    };

    [Theory, MemberData(nameof(WrongExchanges)), Rfc(8693, "2.2.2")]
    public async Task A_wrong_exchange_is_refused_with_its_own_error(string parameter, string? value, string error)
    {
        var first = await App.Web(Server).LetInAsync(house.Ada);
        var right = parameter switch
        {
            "subject_token" => first.AccessToken,
            "subject_token_type" => AccessToken,
            "scope" => "mcp:read",
            _ => App.Web(Server).Resource,
        };

        var refused = await ExchangeAsync("desk", first.AccessToken, value switch
        {
            "twice" => [(parameter, right), (parameter, right)],
            "long" => [(parameter, right + new string('a', 17_000))],
            "fragment" => [(parameter, right + "#part")],
            "files" => [(parameter, $"{Server.Issuer}/mcp/files")],
            _ => [(parameter, value)],
        });

        TokenTests.Refused(refused, error);
        Assert.Equal(HttpStatusCode.OK, (await ExchangeAsync("desk", first.AccessToken)).Status);
    }

    [Theory, Rfc(8693, "2.1")]
    [InlineData("web", App.WebSecret, "unauthorized_client")]
    [InlineData("native", null, "unauthorized_client")]
    [InlineData("bench", App.BenchSecret, "unauthorized_client")]
    public async Task Only_a_client_that_an_operator_registered_for_it_exchanges_tokens(
        string id, string? secret, string error)
    {
        var first = await App.Web(Server).LetInAsync(house.Ada);

        TokenTests.Refused(
            await ExchangeAsync(id, first.AccessToken, ("client_secret", secret)), error);
    }

    [Fact]
    public async Task Nothing_that_a_client_says_of_actors_is_believed()
    {
        var first = await App.Web(Server).LetInAsync(house.Ada);

        var reply = await ExchangeAsync(
            "desk",
            first.AccessToken,
            ("act", """{"sub":"boss"}"""),
            ("may_act", """{"sub":"stranger"}"""),
            ("sub", "bob"),
            ("sub_profile", "user"));

        Assert.Equal("desk", Act(reply).GetProperty("sub").GetString());
        Assert.Equal("ai_agent", Act(reply).GetProperty("sub_profile").GetString());
        Assert.Equal(first.Claims.GetProperty("sub").GetString(), reply.Claims.GetProperty("sub").GetString());
    }

    [Fact]
    public async Task A_token_that_was_narrowed_is_passed_on_as_narrow_as_it_is()
    {
        var app = App.Web(Server);
        var first = await app.LetInAsync(house.Ada);
        var narrow = await app.RefreshAsync(first.RefreshToken, ("scope", "mcp:read"));

        var reply = await ExchangeAsync("desk", narrow.AccessToken);

        Assert.Equal("mcp:read", reply.Scope);
        TokenTests.Refused(
            await ExchangeAsync("desk", narrow.AccessToken, ("scope", "mcp:write")), "invalid_scope");
    }

    [Fact]
    public async Task A_client_has_no_more_than_it_is_registered_for()
    {
        var first = await App.Native(Server).LetInAsync(house.Ada);

        Assert.Equal("mcp:read", (await ExchangeAsync("back", first.AccessToken)).Scope);
        TokenTests.Refused(await ExchangeAsync("back", first.AccessToken, ("scope", "mcp:write")), "invalid_scope");
    }

    [Fact]
    public async Task The_same_exchange_is_the_same_grant_also_when_fifty_race()
    {
        var first = await App.Web(Server).LetInAsync(house.Ada);

        var replies = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => ExchangeAsync("desk", first.AccessToken)));

        Assert.Single(replies.Select(reply => reply.Claims.GetProperty("grant_id").GetString()).Distinct());
        Assert.Equal(50, replies.Select(reply => reply.Claims.GetProperty("jti").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task The_person_sees_who_acts_through_whom()
    {
        var first = await App.Web(Server).LetInAsync(house.Ada);
        var second = await ExchangeAsync("desk", first.AccessToken);
        await ExchangeAsync("sub", second.AccessToken);

        var page = (await house.Ada.OpenAsync("/me")).Page!.Body!.TextContent;

        Assert.Contains("acts through “desk”, through “web”", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_names_who_acts_and_who_acted_before()
    {
        var first = await App.Web(Server).LetInAsync(house.Ada);
        var second = await ExchangeAsync("desk", first.AccessToken);
        await ExchangeAsync("sub", second.AccessToken);

        var log = Server.Get<AuditLog>();
        var last = await log.LastAsync(TenantId.Default, default);
        var entry = (await log.AfterAsync(TenantId.Default, last - 1, 1, default)).Single();

        Assert.Contains(
            $"\"chain\":\"sub@{Server.Issuer} desk@{Server.Issuer}\"",
            entry.Record,
            StringComparison.Ordinal);
        Assert.Equal(AuditKinds.TokenExchanged, entry.Kind);
    }

    private static (string, string?)[] Proof(string token) =>
        [("actor_token", token), ("actor_token_type", AccessToken)];

    private static JsonElement Act(Reply reply) => reply.Claims.GetProperty("act");

    private App As(string id) => As(Server, id);

    private static App As(TestServer server, string id) => new(server, id, "", Secret + id);

    private Task<Reply> ExchangeAsync(
        string id, string token, params (string Name, string? Value)[] changes) =>
        ExchangeAsync(Server, id, token, changes);

    internal static Task<Reply> ExchangeAsync(
        TestServer server, string id, string token, params (string Name, string? Value)[] changes)
    {
        (string Name, string? Value)[] usual =
        [
            ("grant_type", Exchange),
            ("subject_token", token),
            ("subject_token_type", AccessToken),
            ("client_id", id),
            ("client_secret", Secret + id),
        ];
        return As(server, id).PostAsync(
            "/token", [.. usual.Where(field => !changes.Any(change => change.Name == field.Name)), .. changes]);
    }

    /// <summary>One server for everything that ends nothing.</summary>
    public sealed class House : IAsyncLifetime
    {
        internal static string Yaml => ExchangeTests.Yaml;

        internal TestServer Server { get; private set; } = null!;

        internal Person Ada { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Server = await TestServer.StartAsync(Yaml);
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
