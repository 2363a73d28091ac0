using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Audit;
using Postern.Identity.Users;

namespace Postern.Tests.OAuth;

/// <summary>All that a person, a client or a copy of one was let in for ends at once.</summary>
public sealed class GlobalRevocationTests
{
    private const string Draft = "Global Token Revocation", GuardSecret = "guard-secret-guard-secret-guard-secret-";

    private static readonly Signer Key = new("guard-key");

    private static readonly string Yaml = App.Town.Replace(
        "servers:",
        $$"""
          - client_id: guard
            client_secret: {{GuardSecret}}
            grant_types: [refresh_token]
            global_revocation: true
          - { client_id: signer, jwks: '{{Key.Jwks}}', grant_types: [refresh_token], global_revocation: true }
        servers:
        """,
        StringComparison.Ordinal);

    private static string Guard => App.Basic("guard", GuardSecret);

    [Fact, Rfc(Draft, "3")]
    public async Task All_that_is_an_agents_ends_by_its_name()
    {
        const string Agents =
            """
            agents:
              - { id: robot, owner: bob@example.test, purpose: Books, ends: 2027-06-30, clients: [bench, web] }
            servers:
            """;
        await using var server = await TestServer.StartAsync(
            Yaml.Replace("servers:", Agents, StringComparison.Ordinal));
        using var ada = new Person(server);
        Reply[] robots = [await App.Bench(server).AsItselfAsync(), await App.Web(server).LetInAsync(ada)];
        var other = await App.Native(server).LetInAsync(ada);

        var reply = await RevokeAsync(
            server,
            Guard,
            $$"""{"sub_id":{"format":"iss_sub","iss":"{{server.Issuer}}","sub":"robot"} }""");

        Assert.Equal(HttpStatusCode.NoContent, reply.Status);
        foreach (var over in robots)
        {
            Assert.False(await App.Watch(server).IsAliveAsync(over.AccessToken));
        }

        Assert.True(await App.Watch(server).IsAliveAsync(other.AccessToken));
    }

    [Theory, OnBoth, Rfc(Draft, "3"), Rfc(Draft, "5")]
    public async Task Everything_of_a_person_ends_and_nothing_of_another(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        using var ada = new Person(server);
        using var bob = new Person(server, Person.Bob);
        var (web, native) = (App.Web(server), App.Native(server));
        Reply[] adas = [await web.LetInAsync(ada), await native.LetInAsync(ada)];
        var bobs = await web.LetInAsync(bob);
        var code = (await ada.AllowAsync(native.Authorize(("resource", $"{server.Issuer}/mcp/files")))).Code;

        var first = await RevokeAsync(server, Guard, Email(Person.Ada));
        var again = await RevokeAsync(server, Guard, Email(Person.Ada));

        Assert.Equal((HttpStatusCode.NoContent, ""), (first.Status, first.Text));
        Assert.Equal("no-store", first.Headers.CacheControl!.ToString());
        Assert.Equal(HttpStatusCode.NoContent, again.Status);
        foreach (var tokens in adas)
        {
            Assert.False(await App.Watch(server).IsAliveAsync(tokens.AccessToken));
            Assert.Equal(HttpStatusCode.Unauthorized, await web.CallAsync(tokens.AccessToken));
        }

        Assert.Equal("invalid_grant", (await web.RefreshAsync(adas[0].RefreshToken)).Error);
        Assert.Equal("invalid_grant", (await native.RefreshAsync(adas[1].RefreshToken)).Error);
        Assert.Equal(
            "invalid_grant",
            (await native.RedeemAsync(code, ("resource", $"{server.Issuer}/mcp/files"))).Error);
        Assert.True(await App.Watch(server).IsAliveAsync(bobs.AccessToken));

        // Whoever goes on signs in again.
        using var page = await ada.GetAsync("/me");
        Assert.Equal("/signin", page.Headers.Location?.OriginalString);
        using var others = await bob.GetAsync("/me");
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
        Assert.True(await App.Watch(server).IsAliveAsync((await web.LetInAsync(ada)).AccessToken));
        var entries = await server.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
        Assert.Equal(
            [
                "global token revocation: 3 grants and 1 sessions ended",
                "global token revocation: 0 grants and 0 sessions ended",
            ],
            entries.Where(entry => entry.Kind is AuditKinds.GrantAllRevoked).Select(entry =>
                JsonElement.Parse(entry.Record).GetProperty("decision").GetProperty("reason").GetString()));
    }

    [Fact, Rfc(9493, "3.2"), Rfc(9493, "3.2.4"), Rfc(9493, "3.2.3")]
    public async Task A_person_is_known_by_address_by_our_name_and_by_that_of_an_issuer_that_has_meant_them()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        var user = (await server.Get<UserStore>().FindByEmailAsync(TenantId.Default, Person.Ada, default))!;
        await server.Get<ForeignSubjects>().MeetAsync(
            TenantId.Default, new("https://idp.example", "", "00u1"), new(Person.Ada, IsVerified: true),
            makes: false, default);
        JsonObject[] ids =
        [
            new() { ["format"] = "email", ["email"] = "ADA@example.test" },
            new() { ["format"] = "opaque", ["id"] = user.Id.Value },
            new() { ["format"] = "iss_sub", ["iss"] = server.Issuer, ["sub"] = user.Id.Value },
            new() { ["format"] = "iss_sub", ["iss"] = "https://idp.example", ["sub"] = "00u1" },
        ];

        foreach (var id in ids)
        {
            var tokens = await App.Native(server).LetInAsync(ada);
            Assert.Equal(HttpStatusCode.NoContent, (await RevokeAsync(server, Guard, Body(id))).Status);
            Assert.False(await App.Watch(server).IsAliveAsync(tokens.AccessToken), id.ToJsonString());
        }
    }

    [Theory, Rfc(Draft, "3"), Rfc(9493, "3")]
    [InlineData("""{"sub_id":{"format":"email","email":"nobody@example.test"}}""", 404)]
    [InlineData("""{"sub_id":{"format":"opaque","id":"us_nobody"}}""", 404)]
    [InlineData("""{"sub_id":{"format":"iss_sub","iss":"https://elsewhere.example","sub":"ada"}}""", 404)]
    [InlineData("""{"sub_id":{"format":"opaque","id":"web"}}""", 404)]
    [InlineData("""{"sub_id":{"format":"phone_number","phone_number":"+12065550100"}}""", 400)]
    [InlineData("""{"sub_id":{"format":"email","email":"ada@example.test","id":"x"}}""", 400)]
    [InlineData("""{"sub_id":{"format":"email","id":"ada@example.test"}}""", 400)]
    [InlineData("""{"sub_id":{"format":"email","email":""}}""", 400)]
    [InlineData("""{"sub_id":{"format":"email","email":["ada@example.test"]}}""", 400)]
    [InlineData("""{"sub_id":{"format":"opaque","id":"a\u0000b"}}""", 400)]
    [InlineData("""{"sub_id":{"format":"opaque","id":"\ud800"}}""", 400)]
    [InlineData("""{"sub_id":{"email":"ada@example.test"}}""", 400)]
    [InlineData("""{"sub_id":{"format":"email","email":"ada@example.test"},"sub_id":{}}""", 400)]
    [InlineData("""{"sub_id":"ada@example.test"}""", 400)]
    [InlineData("""{}""", 400)]
    [InlineData("""[]""", 400)]
    [InlineData("""{"sub_id":""", 400)]
    [InlineData("long", 400)]
    [InlineData("form", 400)]
    public async Task Whoever_names_nobody_or_names_them_wrongly_ends_nothing(string body, int status)
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        var tokens = await App.Native(server).LetInAsync(ada);
        var text = body switch
        {
            "long" => new string(' ', 10_000) + Email(Person.Ada),
            "form" => Email(Person.Ada),
            _ => body,
        };

        var reply = await RevokeAsync(server, Guard, text, body is "form" ? "text/plain" : "application/json");

        Assert.Equal(status, (int)reply.Status);
        Assert.True(await App.Watch(server).IsAliveAsync(tokens.AccessToken));
    }

    [Fact, Rfc(Draft, "4"), Rfc(7523, "3")]
    public async Task Only_a_client_that_an_operator_lets_ends_anything_and_by_its_own_proof()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        var tokens = await App.Native(server).LetInAsync(ada);
        var used = Assertion(server);
        (string? Authorization, HttpStatusCode Status)[] tries =
        [
            (null, HttpStatusCode.Unauthorized),
            (App.Basic("guard", "wrong"), HttpStatusCode.Unauthorized),
            (App.Basic("signer", GuardSecret), HttpStatusCode.Unauthorized),
            (App.Basic("native", ""), HttpStatusCode.Unauthorized),
            ($"Bearer {tokens.AccessToken}", HttpStatusCode.Unauthorized),
            ($"Bearer {Assertion(server, audience: "https://elsewhere.example")}", HttpStatusCode.Unauthorized),
            ($"Bearer {Assertion(server, client: "guard")}", HttpStatusCode.Unauthorized),
            ("Bearer " + new string('a', 20_000), HttpStatusCode.Unauthorized),
            (App.Basic("web", App.WebSecret), HttpStatusCode.Forbidden),
            (App.Basic("watch", App.WatchSecret), HttpStatusCode.Forbidden),
        ];
        foreach (var (authorization, status) in tries)
        {
            Assert.Equal(status, (await RevokeAsync(server, authorization, Email(Person.Ada))).Status);
        }

        Assert.True(await App.Watch(server).IsAliveAsync(tokens.AccessToken));
        Assert.Equal(
            HttpStatusCode.NoContent, (await RevokeAsync(server, $"Bearer {used}", Email(Person.Ada))).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized, (await RevokeAsync(server, $"Bearer {used}", Email(Person.Ada))).Status);
        Assert.False(await App.Watch(server).IsAliveAsync(tokens.AccessToken));
    }

    [Fact]
    public async Task At_another_tenant_neither_the_caller_nor_the_person_is_known()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var acme = await Tenants.Estate.AddAsync(server, "acme");
        using var ada = acme.Visit();
        var tokens = await acme.LetInAsync(ada);

        var there = await RevokeAsync(server, Guard, Email(Person.Ada), path: $"{acme.Tenant.Path}/revoke/person");
        var here = await RevokeAsync(server, Guard, Email(Person.Ada));
        var refreshed = await acme.App.RefreshAsync(tokens.RefreshToken);

        Assert.Equal(HttpStatusCode.Unauthorized, there.Status);
        Assert.Equal(HttpStatusCode.NoContent, here.Status);
        Assert.Equal(HttpStatusCode.OK, refreshed.Status);
    }

    [Fact]
    public async Task What_ends_at_one_node_opens_nothing_at_the_other_within_a_second()
    {
        await using var one = await TestServer.StartAsync(Yaml, On.Postgres);
        await using var two = await TestServer.StartAsync(Yaml, like: one);
        using var ada = new Person(two);
        var took = await Eventually.AtBestAsync(async () =>
        {
            var tokens = await App.Native(two).LetInAsync(ada);
            Assert.True(await App.Watch(two).IsAliveAsync(tokens.AccessToken));
            Assert.Equal(HttpStatusCode.NoContent, (await RevokeAsync(one, Guard, Email(Person.Ada))).Status);
            await Eventually.TrueAsync(async () => !await App.Watch(two).IsAliveAsync(tokens.AccessToken));
            using var page = await ada.GetAsync("/me");
            Assert.Equal(HttpStatusCode.SeeOther, page.StatusCode);
        });

        // Signing in again, which hashes a password, is part of what was measured.
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task Fifty_at_once_end_it_once()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        await App.Native(server).LetInAsync(ada);

        var replies = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => RevokeAsync(server, Guard, Email(Person.Ada))));

        Assert.All(replies, reply => Assert.Equal(HttpStatusCode.NoContent, reply.Status));
        var entries = await server.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
        Assert.Single(entries, entry => entry.Kind is AuditKinds.GrantRevoked);
    }

    [Theory, OnBoth]
    public async Task An_administrator_ends_all_of_a_client_or_of_one_copy_of_it(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        using var ada = new Person(server);
        using var bob = new Person(server, Person.Bob);
        var web = App.Web(server);
        var desk = await web.LetInAsync(ada);
        var bobs = await web.LetInAsync(bob);
        var other = await App.Peer(server).LetInAsync(ada);
        var copy = (await Grants.OfAsync(server, Person.Ada)).Single(grant => grant.Client.Value is "web").Installation;

        var one = await AdministerAsync(server, new JsonObject { ["installation"] = copy!.Value.Value });
        Assert.Equal((1, 0), (Count(one, "grants"), Count(one, "sessions")));
        Assert.False(await App.Watch(server).IsAliveAsync(desk.AccessToken));
        Assert.True(await App.Watch(server).IsAliveAsync(bobs.AccessToken));

        var all = await AdministerAsync(server, new JsonObject { ["client"] = "web" });
        Assert.Equal((1, 0), (Count(all, "grants"), Count(all, "sessions")));
        Assert.False(await App.Watch(server).IsAliveAsync(bobs.AccessToken));
        Assert.True(await App.Watch(server).IsAliveAsync(other.AccessToken));

        var person = await AdministerAsync(server, new JsonObject { ["user"] = Person.Ada });
        Assert.Equal((1, 1), (Count(person, "grants"), Count(person, "sessions")));
        Assert.False(await App.Watch(server).IsAliveAsync(other.AccessToken));
        static int Count(Reply reply, string what) => reply.Json.GetProperty(what).GetInt32();
    }

    [Theory]
    [InlineData("""{}""", 400)]
    [InlineData("""{"user":"ada@example.test","client":"web"}""", 400)]
    [InlineData("""{"user":""}""", 400)]
    [InlineData("""{"everybody":true}""", 400)]
    [InlineData("""{"user":"nobody@example.test"}""", 404)]
    public async Task An_administrator_names_exactly_one(string body, int status)
    {
        await using var server = await TestServer.StartAsync(Yaml);

        var reply = await AdministerAsync(server, JsonNode.Parse(body)!);

        Assert.Equal(status, (int)reply.Status);
    }

    [Fact]
    public async Task More_grants_than_fit_a_page_end_as_well()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        await App.Web(server).LetInAsync(ada);
        var grant = (await Grants.OfAsync(server, Person.Ada)).Single();
        await server.Db.WriteAsync(async unit =>
        {
            for (var i = 0; i < 450; i++)
            {
                await Postern.Grants.GrantStore.InsertAsync(unit, grant with { Id = new($"gr_{i:x32}") });
            }
        });

        var reply = await AdministerAsync(server, new JsonObject { ["user"] = Person.Ada });

        Assert.Equal(451, reply.Json.GetProperty("grants").GetInt32());
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    private static string Email(string email) => Body(new() { ["format"] = "email", ["email"] = email });

    private static string Body(JsonObject id) => new JsonObject { ["sub_id"] = id.DeepClone() }.ToJsonString();

    private static string Assertion(TestServer server, string client = "signer", string? audience = null)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = client,
            ["sub"] = client,
            ["aud"] = audience ?? server.Issuer,
            ["iat"] = now,
            ["exp"] = now + 60,
            ["jti"] = Guid.NewGuid().ToString("N"),
        };
        return Key.Sign(claims, typ: null);
    }

    private static async Task<Reply> RevokeAsync(
        TestServer server,
        string? authorization,
        string body,
        string type = "application/json",
        string path = "/revoke/person")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        request.Content = new StringContent(body, Encoding.UTF8, type);
        using var answer = await server.Http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }

    private static async Task<Reply> AdministerAsync(TestServer server, JsonNode body)
    {
        var token = await File.ReadAllTextAsync(Path.Combine(server.Folder, "admin.token"));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/revoke", UriKind.Relative));
        request.Headers.Authorization = new("Bearer", token.Trim());
        request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await server.Http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }
}
