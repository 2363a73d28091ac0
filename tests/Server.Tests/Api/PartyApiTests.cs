using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Audit;
using Postern.Grants.Parties;
using Postern.Tests.Audit;
using Postern.Tests.OAuth;

namespace Postern.Tests.Api;

/// <summary>Switches, agents and organizations by the API: what is made, what is refused, what the log says.</summary>
public sealed class PartyApiTests : IAsyncLifetime
{
    private const string Assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private readonly Outside keys = new();
    private TestServer server = null!;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync(Borough.Yaml);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Theory]
    [InlineData("client", "web", "client", "web")]
    [InlineData("agent", Borough.Agent, "agent", Borough.Agent)]
    [InlineData("user", Person.Ada, "user", null)]
    public async Task A_switch_is_turned_told_and_written_down(string kind, string id, string member, string? said)
    {
        var off = await PostAsync("/api/switches", new { kind, id, off = true, reason = "lost laptop" });
        var again = await PostAsync("/api/switches", new { kind, id, off = true });
        var listed = await GetAsync("/api/switches");
        var on = await PostAsync("/api/switches", new { kind, id, off = false });

        Assert.True(off.Json.GetProperty("changed").GetBoolean());
        Assert.False(again.Json.GetProperty("changed").GetBoolean());
        Assert.True(on.Json.GetProperty("changed").GetBoolean());
        var row = Assert.Single(listed.Json.GetProperty("switches").EnumerateArray());
        Assert.Equal("lost laptop", row.GetProperty("reason").GetString());
        Assert.Equal(kind, row.GetProperty("kind").GetString());
        var entries = (await Chain.VerifiedAsync(server))
            .Where(entry => entry.GetProperty("kind").GetString()!.StartsWith("switched.", StringComparison.Ordinal))
            .ToList();
        Assert.Equal(
            [AuditKinds.SwitchedOff, AuditKinds.SwitchedOn],
            entries.Select(entry => entry.GetProperty("kind").GetString()));
        Assert.All(entries, entry =>
        {
            var name = entry.GetProperty("actor").GetProperty(member).GetString();
            Assert.True(said is null || said == name);
            // What an operator typed is theirs, and no part of the log; nor is anybody's address.
            Assert.DoesNotContain("laptop", entry.GetRawText());
            Assert.DoesNotContain(Person.Ada, entry.GetRawText());
        });
    }

    [Theory]
    [InlineData("""{"kind":"client","id":"web"}""", 400)]
    [InlineData("""{"kind":"client","id":"web","off":"true"}""", 400)]
    [InlineData("""{"kind":"client","id":"web","off":true,"off":false}""", 400)]
    [InlineData("""{"kind":"client","id":"web","off":true,"extra":1}""", 400)]
    [InlineData("""{"kind":"client","id":"web","off":false,"revoke":true}""", 400)]
    [InlineData("""{"kind":"server","id":"web","off":true}""", 400)]
    [InlineData("""{"kind":"Client","id":"web","off":true}""", 400)]
    [InlineData("""{"kind":"client","id":"nobody","off":true}""", 404)]
    [InlineData("""{"kind":"client","id":"","off":true}""", 404)]
    [InlineData("""{"kind":"client","id":"we\u0000b","off":true}""", 404)]
    [InlineData("""{"kind":"client","id":"wl_123","off":true}""", 404)]
    [InlineData("""{"kind":"user","id":"nobody@example.test","off":true}""", 404)]
    [InlineData("""{"kind":"user","id":"us_1","off":true}""", 404)]
    [InlineData("""{"kind":"agent","id":"nobody","off":true}""", 404)]
    [InlineData("""{"kind":"organization","id":"nobody","off":true}""", 404)]
    [InlineData("""{"kind":"identity_provider","id":"https://nobody.example","off":true}""", 404)]
    [InlineData("""{"kind":"client","id":"web","off":true,"reason":"a\u0000b"}""", 400)]
    [InlineData("[]", 400)]
    [InlineData("", 400)]
    public async Task What_is_mistyped_switches_nobody_off(string body, int status)
    {
        var answer = await SendAsync(HttpMethod.Post, "/api/switches", body);

        Assert.Equal(status, (int)answer.Status);
        Assert.Empty((await GetAsync("/api/switches")).Json.GetProperty("switches").EnumerateArray());
    }

    [Fact]
    public async Task To_revoke_besides_is_for_good()
    {
        using var ada = new Person(server);
        var tokens = await App.Web(server).LetInAsync(ada);
        var other = await App.Native(server).LetInAsync(ada);

        var off = await PostAsync("/api/switches", new { kind = "client", id = "web", off = true, revoke = true });
        await PostAsync("/api/switches", new { kind = "client", id = "web", off = false });

        Assert.Equal(1, off.Json.GetProperty("ended").GetInt32());
        Assert.False(await App.Watch(server).IsAliveAsync(tokens.AccessToken));
        Assert.Equal("invalid_grant", (await App.Web(server).RefreshAsync(tokens.RefreshToken)).Error);
        Assert.True(await App.Watch(server).IsAliveAsync(other.AccessToken));
    }

    public static MatrixTheoryData<On, (string Kind, string Id, int Ended)> Ends => new(
        [On.Sqlite, On.Postgres],
        [
            ("user", Person.Ada, 3), ("agent", Borough.Agent, 4), ("organization", "acme", 3),
            ("organization", "maker", 4), ("organization", "outside", 1), ("identity_provider", Borough.Idp, 1),
        ]);

    [Theory, MemberData(nameof(Ends))]
    public async Task Each_kind_ends_what_it_stands_in(On on, (string Kind, string Id, int Ended) whose)
    {
        await using var borough = await TestServer.StartAsync(Borough.Yaml, on);
        using var ada = new Person(borough);
        await App.Web(borough).LetInAsync(ada);
        await App.Native(borough).LetInAsync(ada);
        await App.Bench(borough).AsItselfAsync();
        await (await Borough.PrepareAsync(borough, ada, "identity assertion"))();

        var off = await PostAsync(
            borough.Http, "/api/switches", new { kind = whose.Kind, id = whose.Id, off = true, revoke = true },
            TokenOf(borough));

        Assert.Equal(whose.Ended, off.Json.GetProperty("ended").GetInt32());
    }

    [Fact, Rfc(7523, "2.2")]
    public async Task An_agent_that_was_added_proves_itself_by_its_keys_and_acts_by_its_name()
    {
        var made = await PostAsync("/api/agents", Good());
        var id = made.Json.GetProperty("id").GetString()!;

        var itself = await AsItselfAsync(id);
        var beyond = await new App(server, id, "").PostAsync(
            "/token",
            [("grant_type", "client_credentials"), ("resource", $"{server.Issuer}/mcp/files"), .. Proof(id)]);
        var shared = await new App(server, id, "").PostAsync(
            "/token", [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", "x")]);

        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Equal(HttpStatusCode.OK, itself.Status);
        Assert.Equal(id, itself.Claims.GetProperty("sub").GetString());
        Assert.Equal(id, itself.Claims.GetProperty("client_id").GetString());
        Assert.False(itself.Claims.TryGetProperty("act", out _));
        Assert.Equal("mcp:read", itself.Scope);
        Assert.Equal("invalid_target", beyond.Error);
        Assert.Equal("invalid_client", shared.Error);
    }

    [Fact]
    public async Task An_agent_ends_on_its_day_and_no_token_of_it_lasts_longer()
    {
        var ends = server.Clock.GetUtcNow().UtcDateTime.Date.AddDays(1);
        var id = (await PostAsync("/api/agents", Good(("ends", ends.ToString("yyyy-MM-dd", null)))))
            .Json.GetProperty("id").GetString()!;
        server.Clock.Advance(ends - server.Clock.GetUtcNow() - TimeSpan.FromMinutes(3));

        var last = await AsItselfAsync(id);
        var before = await App.Watch(server).IsAliveAsync(last.AccessToken);
        server.Clock.Advance(TimeSpan.FromMinutes(3));

        Assert.InRange(last.Json.GetProperty("expires_in").GetInt64(), 179, 180);
        Assert.True(before);
        Assert.False(await App.Watch(server).IsAliveAsync(last.AccessToken));
        Assert.Equal("invalid_client", (await AsItselfAsync(id)).Error);
    }

    [Fact]
    public async Task An_agent_that_was_removed_is_over_with_all_it_had_and_the_next_inherits_nothing()
    {
        var id = (await PostAsync("/api/agents", Good())).Json.GetProperty("id").GetString()!;
        var token = (await AsItselfAsync(id)).AccessToken;

        var removed = await SendAsync(HttpMethod.Delete, $"/api/agents/{id}", null);
        var again = await SendAsync(HttpMethod.Delete, $"/api/agents/{id}", null);
        var next = (await PostAsync("/api/agents", Good())).Json.GetProperty("id").GetString()!;

        Assert.Equal(HttpStatusCode.NoContent, removed.Status);
        Assert.Equal(HttpStatusCode.NotFound, again.Status);
        Assert.NotEqual(id, next);
        Assert.False(await App.Watch(server).IsAliveAsync(token));
        Assert.Equal("invalid_client", (await AsItselfAsync(id)).Error);
        Assert.Equal(HttpStatusCode.OK, (await AsItselfAsync(next)).Status);
        Assert.Equal(
            HttpStatusCode.Conflict,
            (await SendAsync(HttpMethod.Delete, $"/api/agents/{Borough.Agent}", null)).Status);
    }

    [Fact]
    public async Task What_came_as_an_agent_that_was_off_does_not_come_back_when_the_agent_is_removed()
    {
        var added = await PostAsync("/api/agents", Good(("clients", new[] { "peer" })));
        var id = added.Json.GetProperty("id").GetString()!;
        await PostAsync("/api/switches", new { kind = "agent", id, off = true });

        var removed = await SendAsync(HttpMethod.Delete, $"/api/agents/{id}", null);

        Assert.Equal(HttpStatusCode.NoContent, removed.Status);
        Assert.True(await IsOffAsync());
        await PostAsync("/api/switches", new { kind = "client", id = "peer", off = false });
        Assert.False(await IsOffAsync());

        async Task<bool> IsOffAsync() => (await GetAsync("/api/clients")).Json.GetProperty("clients").EnumerateArray()
            .Single(client => client.GetProperty("id").GetString() is "peer").TryGetProperty("off", out _);
    }

    public static TheoryData<string, object?> Wrong => new()
    {
        { "name", null },
        { "name", "" },
        { "name", "a\nb" },
        { "name", new string('x', 101) },
        { "owner", null },
        { "owner", "nobody@example.test" },
        { "owner", "us_1" },
        { "purpose", null },
        { "purpose", "" },
        { "purpose", new string('x', 301) },
        { "ends", null },
        { "ends", "tomorrow" },
        { "ends", "2020-01-01" },
        { "ends", "2027-13-01" },
        { "organization", "nobody" },
        { "organization", "a\0b" },
        { "jwks", "{}" },
        { "jwks", """{"keys":[]}""" },
        { "jwks", """{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}""" },
        { "jwks", """{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}]}""" },
        { "jwks", "x" },
        { "scope", "two  spaces" },
        { "servers", "notes" },
        { "servers", new[] { "../api" } },
        { "clients", new[] { "" } },
        { "extra", 1 },
    };

    [Theory, MemberData(nameof(Wrong))]
    public async Task An_agent_without_a_name_an_owner_a_purpose_and_an_end_is_not_made(string member, object? value)
    {
        var answer = await PostAsync("/api/agents", Good((member, value)));

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(2, (await GetAsync("/api/agents")).Json.GetProperty("agents").GetArrayLength());
    }

    [Fact]
    public async Task A_client_is_one_agents_alone()
    {
        var taken = await PostAsync("/api/agents", Good(("clients", new[] { "bench" })));
        var free = await PostAsync("/api/agents", Good(("clients", new[] { "peer" })));

        Assert.Equal(HttpStatusCode.Conflict, taken.Status);
        Assert.Equal(HttpStatusCode.Created, free.Status);
        Assert.Equal(Borough.Agent, server.Get<AgentBook>().Of(TenantId.Default, new("bench"))!.Id);
    }

    [Theory, OnBoth]
    public async Task Of_agents_made_at_once_with_one_client_one_is_made(On on)
    {
        await using var borough = await TestServer.StartAsync(Borough.Yaml, on);

        var made = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => PostAsync(
            borough.Http, "/api/agents", Good(("clients", new[] { "peer" })), TokenOf(borough))));

        Assert.Single(made, reply => reply.Status is HttpStatusCode.Created);
        Assert.Equal(19, made.Count(reply => reply.Status is HttpStatusCode.Conflict));
        Assert.Equal(3, borough.Get<AgentBook>().All(TenantId.Default).Count);
    }

    [Fact]
    public async Task An_agent_that_was_removed_belongs_to_no_organization()
    {
        var id = (await PostAsync("/api/agents", Good(("organization", "acme")))).Member("id")!;
        var members = await MembersAsync();

        await SendAsync(HttpMethod.Delete, $"/api/agents/{id}", null);

        Assert.Equal(members - 1, await MembersAsync());

        async Task<long> MembersAsync() => (await GetAsync("/api/organizations")).Json.GetProperty("organizations")
            .EnumerateArray().Single(one => one.GetProperty("id").GetString() is "acme")
            .GetProperty("members").GetInt64();
    }

    [Fact]
    public async Task What_an_agent_does_stands_in_the_log_by_its_name()
    {
        await App.Bench(server).AsItselfAsync();

        var issued = (await Chain.VerifiedAsync(server)).Last(entry =>
            entry.GetProperty("kind").GetString() is AuditKinds.TokenIssued);

        Assert.Equal(
            $$"""{"agent":"{{Borough.Agent}}","client":"bench"}""", issued.GetProperty("actor").GetRawText());
    }

    [Fact]
    public async Task Who_joins_an_organization_that_is_off_is_off_and_who_leaves_is_on()
    {
        using var ada = new Person(server);
        var token = (await App.Peer(server).LetInAsync(ada)).AccessToken;
        await PostAsync("/api/organizations", new { id = "later", name = "Later Ltd" });
        await PostAsync("/api/switches", new { kind = "organization", id = "later", off = true });

        var joined = await PostAsync("/api/organizations/later/members", new { kind = "user", id = Person.Ada });
        var isAlive = await App.Watch(server).IsAliveAsync(token);
        var left = await PostAsync(
            "/api/organizations/later/members", new { kind = "user", id = Person.Ada, leaves = true });
        var twice = await PostAsync(
            "/api/organizations/later/members", new { kind = "user", id = Person.Ada, leaves = true });

        Assert.Equal(HttpStatusCode.NoContent, joined.Status);
        Assert.False(isAlive);
        Assert.Equal(HttpStatusCode.NoContent, left.Status);
        Assert.Equal(HttpStatusCode.Conflict, twice.Status);
        Assert.True(await App.Watch(server).IsAliveAsync(token));
    }

    [Theory]
    [InlineData("/api/organizations", """{"id":"Big Name"}""", 400)]
    [InlineData("/api/organizations", """{"id":"acme"}""", 409)]
    [InlineData("/api/organizations", """{"name":"x"}""", 400)]
    [InlineData("/api/organizations/nobody/members", """{"kind":"user","id":"ada@example.test"}""", 404)]
    [InlineData("/api/organizations/acme/members", """{"kind":"client","id":"web"}""", 400)]
    [InlineData("/api/organizations/acme/members", """{"kind":"organization","id":"maker"}""", 400)]
    [InlineData("/api/organizations/acme/members", """{"kind":"user","id":"nobody@example.test"}""", 404)]
    public async Task A_wrong_word_about_organizations_changes_nothing(string path, string body, int status) =>
        Assert.Equal(status, (int)(await SendAsync(HttpMethod.Post, path, body)).Status);

    [Fact]
    public async Task Lists_say_who_may_do_nothing_and_why()
    {
        await PostAsync("/api/switches", new { kind = "organization", id = "outside", off = true });
        await PostAsync("/api/switches", new { kind = "user", id = Person.Bob, off = true });

        var issuers = (await GetAsync("/api/identity-providers")).Json.GetProperty("identity_providers");
        var clients = (await GetAsync("/api/clients")).Json.GetProperty("clients").EnumerateArray().ToList();
        var organizations = (await GetAsync("/api/organizations")).Json.GetProperty("organizations");
        var agent = (await GetAsync($"/api/agents/{Borough.Agent}")).Json;

        Assert.All(issuers.EnumerateArray(), issuer => Assert.True(issuer.GetProperty("off").GetBoolean()));
        var bench = clients.Single(client => client.GetProperty("id").GetString() is "bench");
        Assert.Equal("the agent's owner is switched off", bench.GetProperty("off").GetString());
        var peer = clients.Single(client => client.GetProperty("id").GetString() is "peer");
        Assert.False(peer.TryGetProperty("off", out _));
        Assert.Contains(
            organizations.EnumerateArray(),
            one => one.GetProperty("id").GetString() is "outside" && one.GetProperty("members").GetInt64() is 3);
        Assert.Equal("the agent's owner is switched off", agent.GetProperty("off").GetString());
    }

    [Fact]
    public async Task What_one_tenant_has_another_neither_sees_nor_switches()
    {
        using var estate = await Tenants.Estate.AddAsync(server, "acme");

        var agents = (await SendAsync(estate.Http, HttpMethod.Get, "/api/agents", null)).Json;
        var off = await PostAsync(estate.Http, "/api/switches", new { kind = "agent", id = "robot", off = true });
        var made = await PostAsync(estate.Http, "/api/agents", Good(("servers", new[] { "echo" })));
        var id = made.Json.GetProperty("id").GetString()!;
        var there = await AsItselfAsync(id, new App(estate.Http, estate.Tenant.Issuer, id, ""), estate.Tenant.Issuer);
        var here = await AsItselfAsync(id);

        Assert.Empty(agents.GetProperty("agents").EnumerateArray());
        Assert.Equal(HttpStatusCode.NotFound, off.Status);
        Assert.Equal(HttpStatusCode.OK, there.Status);
        Assert.Equal(estate.Tenant.Address("/mcp/echo"), there.Claims.GetProperty("aud").GetString());
        Assert.Equal("invalid_client", here.Error);
    }

    private Task<Reply> AsItselfAsync(string id) => AsItselfAsync(id, new App(server, id, ""), server.Issuer);

    private async Task<Reply> AsItselfAsync(string id, App app, string issuer) => await app.PostAsync(
        "/token", [("grant_type", "client_credentials"), .. Proof(id, issuer)]);

    private (string, string?)[] Proof(string id, string? issuer = null)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = id,
            ["sub"] = id,
            ["aud"] = issuer ?? server.Issuer,
            ["iat"] = now,
            ["exp"] = now + 60,
            ["jti"] = Guid.NewGuid().ToString(),
        };
        return
        [
            ("client_assertion_type", Assertion),
            ("client_assertion", keys.Sign(claims, "client-authentication+jwt")),
        ];
    }

    private JsonObject Good(params (string Member, object? Value)[] changes)
    {
        var body = new JsonObject
        {
            ["name"] = "The clerk",
            ["owner"] = Person.Bob,
            ["purpose"] = "Files what came in",
            ["ends"] = "2027-06-30",
            ["jwks"] = keys.Jwks,
            ["scope"] = "mcp:read",
            ["servers"] = new JsonArray("echo"),
        };
        foreach (var (member, value) in changes)
        {
            if (value is null)
            {
                body.Remove(member);
            }
            else
            {
                body[member] = JsonSerializer.SerializeToNode(value);
            }
        }

        return body;
    }

    private static string TokenOf(TestServer server) =>
        File.ReadAllText(Path.Combine(server.Folder, "admin.token")).Trim();

    private Task<Reply> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    private Task<Reply> PostAsync(string path, object body) => PostAsync(server.Http, path, body);

    private Task<Reply> PostAsync(HttpClient http, string path, object body, string? token = null) => SendAsync(
        http,
        HttpMethod.Post,
        path,
        body is JsonNode node ? node.ToJsonString() : JsonSerializer.Serialize(body),
        token);

    private Task<Reply> SendAsync(HttpMethod method, string path, string? body) =>
        SendAsync(server.Http, method, path, body);

    private async Task<Reply> SendAsync(
        HttpClient http, HttpMethod method, string path, string? body, string? token = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Authorization = new("Bearer", token ?? TokenOf(server));
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }
}
