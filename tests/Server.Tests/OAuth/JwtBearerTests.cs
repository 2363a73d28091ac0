using System.Net;
using System.Text.Json.Nodes;
using Postern.Identity.Users;

namespace Postern.Tests.OAuth;

/// <summary>
/// Assertions as grants (RFC 7523 §2.1): of an identity provider for a person, of another server, of a workload. None
/// is taken for another, and none reaches further than its issuer, its client and what it says itself.
/// </summary>
public sealed class JwtBearerTests(JwtBearerTests.House house) : IClassFixture<JwtBearerTests.House>
{
    private const string
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
        IdJag = "oauth-id-jag+jwt",
        Secret = "connector-secret-connector-secret-1";

    private static readonly Outside Idp = new(), Foreign = new();

    private static readonly string Yaml = $$"""
        demo: false
        users:
          - { email: {{Person.Ada}}, password: {{Person.AdasPassword}}, roles: [admin] }
          - { email: {{Person.Bob}}, password: {{Person.BobsPassword}} }
        clients:
          - { client_id: connector, client_secret: {{Secret}}, grant_types: ['{{JwtBearer}}'] }
          - { client_id: small, client_secret: {{Secret}}, grant_types: ['{{JwtBearer}}'], scope: mcp:read }
          - { client_id: shut, client_secret: {{Secret}}, grant_types: ['{{JwtBearer}}'] }
          - { client_id: native, redirect_uris: [http://127.0.0.1:8765/callback] }
          - client_id: watch
            client_secret: {{App.WatchSecret}}
            grant_types: [client_credentials]
            introspects: [echo, files]
        trusted_issuers:
          - issuer: https://idp.example
            kind: idp
            jwks: '{{Idp.Jwks}}'
            resources: [echo, files]
            scope: mcp:read mcp:write
            clients: [connector, small]
            email_domains: [example.test]
            makes_users: true
          - issuer: https://sure.example
            kind: idp
            jwks: '{{Idp.Jwks}}'
            resources: [echo]
            scope: mcp:read
            claims: { scope: '*' }
            email_domains: [example.test]
            verifies_addresses: true
          - { issuer: https://rival.example, kind: idp, jwks: '{{Idp.Jwks}}', resources: [echo], scope: mcp:read }
          - issuer: https://off.example
            kind: idp
            enabled: false
            jwks: '{{Idp.Jwks}}'
            resources: [echo]
            scope: mcp:read
          - issuer: https://as.example
            kind: authorization_server
            jwks: '{{Idp.Jwks}}'
            resources: [echo]
            scope: mcp:read
            email_domains: [example.test]
            takes_token_endpoint: true
          - issuer: https://platform.example
            kind: workload
            jwks: '{{Idp.Jwks}}'
            resources: [echo]
            scope: mcp:read
            claims: { sub: 'system:serviceaccount:agents:*', cluster: north }
          - issuer: https://cluster.example
            kind: workload
            jwks: '{{Idp.Jwks}}'
            resources: [echo]
            scope: mcp:read
            single_use: false
            lifetime: 1h
        servers:
          - { name: echo, http: http://127.0.0.1:9/mcp }
          - { name: files, http: http://127.0.0.1:9/mcp }
        """;

    private TestServer Server => house.Server;

    private string Echo => $"{Server.Issuer}/mcp/echo";

    [Fact, Rfc("ID-JAG", "4.4"), Rfc(7523, "2.1")]
    public async Task A_person_is_let_in_by_the_word_of_their_identity_provider()
    {
        var reply = await PresentAsync(Idp.Sign(Claims(), IdJag));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal("mcp:read mcp:write", reply.Scope);
        Assert.Equal(Echo, reply.Claims.GetProperty("aud").GetString());
        Assert.Equal("connector", reply.Claims.GetProperty("client_id").GetString());
        Assert.False(reply.Json.TryGetProperty("refresh_token", out _));
        Assert.True(await App.Watch(Server).IsAliveAsync(reply.AccessToken));
        var ada = await Server.Get<UserStore>().FindByEmailAsync(TenantId.Default, Person.Ada, default);
        Assert.Equal(ada!.Id.Value, reply.Claims.GetProperty("sub").GetString());
        var id = reply.Claims.GetProperty("grant_id").GetString();
        var grant = (await Grants.OfAsync(Server, Person.Ada)).Single(grant => grant.Id.Value == id);
        Assert.Equal("https://idp.example", grant.ApprovedBy);
    }

    [Theory, OnBoth, Rfc(9470, "4")]
    public async Task A_later_sign_in_is_told_by_the_grant_that_is_there_and_an_earlier_one_is_not(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var told = new List<Reply>();
        foreach (var time in new[] { now - 900, now - 10, now - 900 })
        {
            var claims = Claims(server);
            claims["auth_time"] = time;
            told.Add(await PresentAsync(server, Idp.Sign(claims, IdJag)));
        }

        Assert.Equal(
            [now - 900, now - 10, now - 10], told.Select(reply => reply.Claims.GetProperty("auth_time").GetInt64()));
        var kept = Assert.Single(await Grants.OfAsync(server, Person.Ada));
        Assert.Equal(now - 10, kept.AuthTime!.Value.ToUnixTimeSeconds());
        Assert.True(await App.Watch(server).IsAliveAsync(told[0].AccessToken));
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "typ JWT", "invalid_grant" },
        { "typ at+jwt", "invalid_grant" },
        { "typ missing", "invalid_grant" },
        { "iss unknown", "invalid_grant" },
        { "iss off", "invalid_grant" },
        { "iss of a workload platform", "invalid_grant" },
        { "iss of another server", "invalid_grant" },
        { "iss missing", "invalid_grant" },
        { "iss array", "invalid_grant" },
        { "aud another", "invalid_grant" },
        { "aud token endpoint", "invalid_grant" },
        { "aud two", "invalid_grant" },
        { "aud empty list", "invalid_grant" },
        { "aud missing", "invalid_grant" },
        { "client_id other", "invalid_grant" },
        { "client_id missing", "invalid_grant" },
        { "client_id array", "invalid_grant" },
        { "sub missing", "invalid_grant" },
        { "sub empty", "invalid_grant" },
        { "sub too long", "invalid_grant" },
        { "sub with a NUL", "invalid_grant" },
        { "sub with a zero-width space", "invalid_grant" },
        { "sub unknown without address", "invalid_grant" },
        { "sub unknown with a foreign address", "invalid_grant" },
        { "sub unknown with an unverified address", "invalid_grant" },
        { "sub unknown with an administrator's address of which nothing is said", "invalid_grant" },
        { "exp past", "invalid_grant" },
        { "exp missing", "invalid_grant" },
        { "exp in an hour", "invalid_grant" },
        { "iat missing", "invalid_grant" },
        { "iat 60 s ahead", "invalid_grant" },
        { "nbf 60 s ahead", "invalid_grant" },
        { "jti missing", "invalid_grant" },
        { "jti number", "invalid_grant" },
        { "resource elsewhere", "invalid_target" },
        { "resource number", "invalid_target" },
        { "resource two", "invalid_target" },
        { "resource missing", "invalid_target" },
        { "scope none of ours", "invalid_scope" },
        { "scope malformed", "invalid_scope" },
        { "cnf", "invalid_grant" },
        { "authorization_details", "invalid_grant" },
        { "act without sub", "invalid_grant" },
        { "act text", "invalid_grant" },
        { "act of this server", "invalid_grant" },
        { "act of another issuer", "invalid_grant" },
        { "act of another issuer inside", "invalid_grant" },
        { "act of a number", "invalid_grant" },
        { "act turned around", "invalid_grant" },
        { "act on two lines", "invalid_grant" },
        { "act with a long name", "invalid_grant" },
        { "act with an unseen profile", "invalid_grant" },
        { "act circular", "invalid_grant" },
        { "act too deep", "invalid_grant" },
        { "alg none", "invalid_grant" },
        { "kid unknown", "invalid_grant" },
        { "header jwk", "invalid_grant" },
        { "signed by another", "invalid_grant" },
        { "altered", "invalid_grant" },
        { "no token", "invalid_grant" },
        { "empty", "invalid_request" },
        { "endless", "invalid_grant" },
    };

    [Theory, MemberData(nameof(Wrong)), Rfc("ID-JAG", "4.4.1"), Rfc(7523, "3"), Rfc(8725, "3.11")]
    public async Task An_identity_assertion_that_is_wrong_in_one_thing_is_worth_nothing(string what, string error)
    {
        var refused = await PresentAsync(Make(what));

        TokenTests.Refused(refused, error);
    }

    [Theory]
    [InlineData("client_id", "native", "unauthorized_client")]
    [InlineData("client_id", "shut", "invalid_grant")]
    [InlineData("client_id", "small", "invalid_grant")]
    [InlineData("client_secret", "wrong", "invalid_client")]
    [InlineData("client_secret", null, "invalid_client")]
    [InlineData("assertion", null, "invalid_request")]
    [InlineData("resource", "https://elsewhere.example/mcp", "invalid_target")]
    [InlineData("resource", "x", "invalid_target")]
    [InlineData("scope", "mcp:destroy", "invalid_scope")]
    [InlineData("scope", "mcp:read  x", "invalid_scope")]
    public async Task A_wrong_request_is_refused_and_the_assertion_is_still_good(
        string parameter, string? value, string error)
    {
        var assertion = Idp.Sign(Claims(), IdJag);

        var refused = await PresentAsync(
            assertion, value is "native" ? [("client_id", value), ("client_secret", null)] : [(parameter, value)]);

        TokenTests.Refused(refused, error);
        Assert.Equal(HttpStatusCode.OK, (await PresentAsync(assertion)).Status);
    }

    [Fact]
    public async Task Without_its_client_the_assertion_about_a_person_is_worth_nothing() => TokenTests.Refused(
        await PresentAsync(Idp.Sign(Claims(), IdJag), ("client_id", null), ("client_secret", null)), "invalid_client");

    [Fact, Rfc("ID-JAG", "4.4.1"), Rfc(9449, "5")]
    public async Task An_assertion_that_is_bound_to_a_key_is_good_with_that_key_alone_and_brings_bound_tokens()
    {
        var app = new DpopApp(Server, "connector", "", Secret);
        var claims = Claims();
        claims["cnf"] = new JsonObject { ["jkt"] = app.Key.Thumbprint };
        var bound = Idp.Sign(claims, IdJag);
        var free = Idp.Sign(Claims(), IdJag);

        TokenTests.Refused(await PresentAsync(bound), "invalid_grant");
        var thief = app.WithAnotherKey();
        TokenTests.Refused(
            await thief.TokenAsync(("grant_type", JwtBearer), ("assertion", bound)), "invalid_grant");
        foreach (var assertion in (string[])[bound, free])
        {
            var reply = await app.TokenAsync(("grant_type", JwtBearer), ("assertion", assertion));

            Assert.Equal("DPoP", reply.Member("token_type"));
            Assert.Equal(
                app.Key.Thumbprint, reply.Claims.GetProperty("cnf").GetProperty("jkt").GetString());
        }
    }

    [Fact, Rfc("ID-JAG", "8.6.1.2.4")]
    public async Task An_assertion_for_a_server_that_requires_bound_tokens_is_no_grant_without_a_proof()
    {
        await using var server = await TestServer.StartAsync(
            Yaml.Replace("{ name: echo,", "{ name: echo, require_dpop: true,", StringComparison.Ordinal));
        using var app = new DpopApp(server, "connector", "", Secret);
        var assertion = Idp.Sign(Claims(server), IdJag);

        TokenTests.Refused(await PresentAsync(server, assertion), "invalid_grant");
        var proven = await app.TokenAsync(("grant_type", JwtBearer), ("assertion", assertion));

        Assert.Equal("DPoP", proven.Member("token_type"));
    }

    [Fact, Rfc("ID-JAG", "8.3")]
    public async Task A_server_does_not_take_its_own_word_for_a_person()
    {
        var issuer = $"http://127.0.0.1:{Postgres.FreePort()}";

        var refused = await Assert.ThrowsAsync<Postern.Platform.SetupException>(() => TestServer.StartAsync(
            $$"""
            trusted_issuers:
              - { issuer: '{{issuer}}', kind: idp, jwks: '{{Idp.Jwks}}', resources: [notes], scope: mcp:read }
            """,
            issuer: issuer));

        Assert.Contains("this server itself", refused.Message, StringComparison.Ordinal);
    }

    [Fact, Rfc("ID-JAG", "4.4.1")]
    public async Task Who_is_addressed_in_a_list_of_one_is_addressed()
    {
        var claims = Claims();
        claims["aud"] = new JsonArray(Server.Issuer);

        Assert.Equal(HttpStatusCode.OK, (await PresentAsync(Idp.Sign(claims, IdJag))).Status);
    }

    [Theory, OnBoth, Rfc("ID-JAG", "4.4.1")]
    public async Task An_assertion_is_good_once_also_when_fifty_race_for_it(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        var assertion = Idp.Sign(Claims(server), IdJag);

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => PresentAsync(server, assertion)));

        Assert.Single(replies, reply => reply.Status is HttpStatusCode.OK);
        Assert.Equal(49, replies.Count(reply => reply.Error is "invalid_grant"));
    }

    [Fact]
    public async Task A_client_has_no_more_of_an_assertion_than_it_is_registered_for()
    {
        var claims = Claims();
        claims["client_id"] = "small";

        var reply = await PresentAsync(Idp.Sign(claims, IdJag), ("client_id", "small"));

        Assert.Equal("mcp:read", reply.Scope);
    }

    [Fact, Rfc("ID-JAG", "4.4.2")]
    public async Task Who_asks_for_more_than_was_asserted_gets_what_was_and_is_told_so()
    {
        var reply = await PresentAsync(Idp.Sign(Claims(), IdJag), ("scope", "mcp:read mcp:destroy"));

        Assert.Equal("mcp:read", reply.Scope);
        Assert.Equal("mcp:read", reply.Claims.GetProperty("scope").GetString());
    }

    [Fact]
    public async Task An_assertion_may_name_several_resources_and_the_request_one_of_them()
    {
        var claims = Claims();
        claims["resource"] = new JsonArray(Echo, $"{Server.Issuer}/mcp/files");

        var reply = await PresentAsync(Idp.Sign(claims, IdJag), ("resource", $"{Server.Issuer}/mcp/files"));

        Assert.Equal($"{Server.Issuer}/mcp/files", reply.Claims.GetProperty("aud").GetString());
    }

    [Fact]
    public async Task Who_has_no_account_gets_one_where_the_domain_is_the_providers()
    {
        var first = Claims();
        (first["sub"], first["email"]) = ("u-new", "new@example.test");
        var second = Claims();
        (second["sub"], second["email"]) = ("u-new", "other@example.test");

        var reply = await PresentAsync(Idp.Sign(first, IdJag));
        var again = await PresentAsync(Idp.Sign(second, IdJag));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        // Its name for the person decides from then on, and not the address.
        Assert.Equal(
            reply.Claims.GetProperty("sub").GetString(), again.Claims.GetProperty("sub").GetString());
    }

    [Theory]
    [InlineData("https://idp.example", Person.Bob, null, false)]
    [InlineData("https://as.example", Person.Bob, null, false)]
    [InlineData("https://sure.example", Person.Bob, null, true)]
    [InlineData("https://sure.example", Person.Bob, "false", false)]
    [InlineData("https://sure.example", Person.Bob, "\"true\"", false)]
    [InlineData("https://sure.example", Person.Bob, "null", false)]
    [InlineData("https://sure.example", Person.Ada, null, false)]
    public async Task An_address_that_is_not_said_to_be_verified_is_so_where_an_operator_says_it_alone(
        string issuer, string email, string? verified, bool isTaken)
    {
        var claims = Claims();
        (claims["iss"], claims["sub"], claims["email"]) = (issuer, Guid.NewGuid().ToString(), email);
        claims.Remove("email_verified");
        if (verified is not null)
        {
            claims["email_verified"] = JsonNode.Parse(verified);
        }

        var reply = await PresentAsync(Idp.Sign(claims, issuer is "https://as.example" ? "JWT" : IdJag));

        Assert.Equal(isTaken ? null : "invalid_grant", reply.Error);
    }

    [Theory]
    [InlineData("bob\u200b@example.test"), InlineData("b\u043eb@example.test"), InlineData("bo\u0301b@example.test")]
    [InlineData("\u202ebob@example.test"), InlineData("b\uff4fb@example.test"), InlineData("bob\u0000@example.test")]
    [InlineData("bob\u00ad@example.test"), InlineData("(bob)@example.test")]
    public async Task Nobody_gets_an_account_whose_address_looks_like_anothers(string email)
    {
        var claims = Claims();
        (claims["sub"], claims["email"]) = (Guid.NewGuid().ToString(), email);
        var plain = Claims();
        (plain["sub"], plain["email"]) = (Guid.NewGuid().ToString(), "b.o+b_1@example.test");

        TokenTests.Refused(await PresentAsync(Idp.Sign(claims, IdJag)), "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, (await PresentAsync(Idp.Sign(plain, IdJag))).Status);
        Assert.Null(await Server.Get<UserStore>().FindByEmailAsync(TenantId.Default, email, default));
    }

    [Theory, Rfc("ID-JAG", "4.4"), InlineData("https://idp.example"), InlineData("https://sure.example")]
    public async Task An_assertion_without_scope_brings_what_the_operator_wrote_or_nothing_where_one_is_asked_for(
        string issuer)
    {
        var claims = Claims();
        (claims["iss"], claims["sub"], claims["email"]) = (issuer, Guid.NewGuid().ToString(), Person.Bob);
        var said = Idp.Sign(claims, IdJag);
        (claims["jti"], claims["scope"]) = (Guid.NewGuid().ToString(), null);
        claims.Remove("scope");

        var (with, without) = (await PresentAsync(said), await PresentAsync(Idp.Sign(claims, IdJag)));

        Assert.Equal(HttpStatusCode.OK, with.Status);
        Assert.Equal(issuer is "https://idp.example" ? "mcp:read mcp:write" : null, without.Scope);
        Assert.Equal(issuer is "https://idp.example" ? null : "invalid_grant", without.Error);
    }

    [Fact]
    public async Task Another_provider_with_the_same_address_or_name_means_nobody_here()
    {
        await PresentAsync(Idp.Sign(Claims(), IdJag));
        var claims = Claims();
        claims["iss"] = "https://rival.example";
        var realm = Claims();
        (realm["tenant"], realm["email"]) = ("another", "ada@elsewhere.example");

        TokenTests.Refused(await PresentAsync(Idp.Sign(claims, IdJag)), "invalid_grant");
        TokenTests.Refused(await PresentAsync(Idp.Sign(realm, IdJag)), "invalid_grant");
    }

    [Fact]
    public async Task Who_is_shut_out_is_not_let_in_by_a_provider()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        Assert.Equal(HttpStatusCode.OK, (await PresentAsync(server, Idp.Sign(Claims(server), IdJag))).Status);
        await Borough.OffAsync(server, Postern.Grants.Parties.PartyKind.User, Person.Ada);

        TokenTests.Refused(await PresentAsync(server, Idp.Sign(Claims(server), IdJag)), "invalid_grant");
    }

    [Fact]
    public async Task What_a_person_ended_is_not_brought_back_by_the_next_assertion()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        var reply = await PresentAsync(server, Idp.Sign(Claims(server), IdJag));
        var grant = (await Grants.OfAsync(server, Person.Ada)).Single();
        await server.Get<Postern.Grants.GrantBook>().RevokeAsync(
            grant, new() { Tenant = grant.Tenant, Kind = Postern.Audit.AuditKinds.GrantRevoked });

        Assert.False(await App.Watch(server).IsAliveAsync(reply.AccessToken));
        TokenTests.Refused(await PresentAsync(server, Idp.Sign(Claims(server), IdJag)), "invalid_grant");
        // As long as it would have lasted.
        server.Clock.Advance(TimeSpan.FromDays(181));
        Assert.Equal(HttpStatusCode.OK, (await PresentAsync(server, Idp.Sign(Claims(server), IdJag))).Status);
    }

    [Theory, Rfc("OAuth Identity and Authorization Chaining", "2.4.2")]
    [InlineData(null)]
    [InlineData("JWT")]
    [InlineData("authorization-grant+jwt")]
    public async Task Another_server_passes_on_what_was_granted_and_who_acts_behind_the_client_that_shows_it(
        string? typ)
    {
        var claims = Claims();
        (claims["iss"], claims["aud"]) = ("https://as.example", new JsonArray(Server.Issuer + "/token"));
        claims["act"] = new JsonObject { ["sub"] = "agent", ["sub_profile"] = "ai_agent" };

        var reply = await PresentAsync(Idp.Sign(claims, typ));

        Assert.Equal("mcp:read", reply.Scope);
        Assert.Equal(
            $$$"""
            {"iss":"{{{Server.Issuer}}}","sub":"connector",
            "act":{"iss":"https://as.example","sub":"agent","sub_profile":"ai_agent"}}
            """.ReplaceLineEndings(""),
            reply.Claims.GetProperty("act").GetRawText());
    }

    [Theory, Rfc("OAuth Identity and Authorization Chaining", "2.4.2")]
    [InlineData("aud", "https://elsewhere.example")]
    [InlineData("aud", null)]
    [InlineData("sub", null)]
    [InlineData("exp", null)]
    [InlineData("jti", null)]
    [InlineData("email", "ada@elsewhere.example")]
    [InlineData("email", null)]
    [InlineData("signature", null)]
    public async Task Another_servers_grant_that_is_wrong_in_one_thing_is_worth_nothing(string claim, string? value)
    {
        var claims = Claims();
        (claims["iss"], claims["sub"]) = ("https://as.example", Guid.NewGuid().ToString());
        var good = Idp.Sign(claims, "JWT");
        claims.Remove(claim);
        if (value is not null)
        {
            claims[claim] = value;
        }

        TokenTests.Refused(
            await PresentAsync((claim is "signature" ? Foreign : Idp).Sign(claims, "JWT")), "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, (await PresentAsync(good)).Status);
    }

    [Fact]
    public async Task A_workload_speaks_for_itself_without_being_registered()
    {
        var reply = await AloneAsync(Idp.Sign(Workload(), "JWT"), ("resource", Echo));
        var again = await AloneAsync(Idp.Sign(Workload(), "JWT"));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal("mcp:read", reply.Scope);
        Assert.StartsWith("wl_", reply.Claims.GetProperty("sub").GetString()!, StringComparison.Ordinal);
        Assert.False(reply.Claims.TryGetProperty("act", out _));
        Assert.Equal(
            reply.Claims.GetProperty("grant_id").GetString(), again.Claims.GetProperty("grant_id").GetString());
        Assert.True(await App.Watch(Server).IsAliveAsync(reply.AccessToken));
    }

    [Theory]
    [InlineData("sub", "system:serviceaccount:others:x", "invalid_grant")]
    [InlineData("cluster", "south", "invalid_grant")]
    [InlineData("cluster", null, "invalid_grant")]
    [InlineData("jti", null, "invalid_grant")]
    [InlineData("exp", null, "invalid_grant")]
    [InlineData("aud", "https://elsewhere.example", "invalid_grant")]
    [InlineData("iss", "https://unknown.example", "invalid_grant")]
    [InlineData("iss", "https://as.example", "invalid_client")]
    [InlineData("scope", "mcp:write", "invalid_scope")]
    [InlineData("resource", "https://elsewhere.example/mcp", "invalid_target")]
    public async Task A_workload_that_its_platform_or_the_rules_do_not_name_gets_nothing(
        string claim, string? value, string error)
    {
        var claims = Workload();
        claims.Remove(claim);
        if (value is not null)
        {
            claims[claim] = value;
        }

        TokenTests.Refused(await AloneAsync(Idp.Sign(claims, "JWT")), error);
    }

    [Fact]
    public async Task A_workloads_assertion_is_good_once_and_for_a_platform_without_jti_until_it_expires()
    {
        var once = Idp.Sign(Workload(), "JWT");
        var cluster = Workload();
        cluster.Remove("jti");
        cluster["iss"] = "https://cluster.example";
        cluster["aud"] = new JsonArray(Server.Issuer);
        cluster["exp"] = Server.Clock.GetUtcNow().ToUnixTimeSeconds() + 3000;
        var often = Idp.Sign(cluster, null);

        Assert.Equal(HttpStatusCode.OK, (await AloneAsync(once)).Status);
        TokenTests.Refused(await AloneAsync(once), "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, (await AloneAsync(often)).Status);
        Assert.Equal(HttpStatusCode.OK, (await AloneAsync(often)).Status);
    }

    [Fact]
    public async Task A_workloads_assertion_is_not_a_clients_to_show() => TokenTests.Refused(
        await PresentAsync(Idp.Sign(Workload(), "JWT")), "invalid_grant");

    [Theory, Rfc(8414, "3.3")]
    [InlineData("itself", HttpStatusCode.OK)]
    [InlineData("https://another.example", HttpStatusCode.BadRequest)]
    public async Task Keys_are_found_where_the_issuers_metadata_says_and_only_if_it_names_itself(
        string named, HttpStatusCode status)
    {
        await using var host = new DocumentHost();
        var issuer = host.At("/").TrimEnd('/');
        var name = named is "itself" ? issuer : named;
        host.Put("/.well-known/openid-configuration", $$"""{"issuer":"{{name}}","jwks_uri":"{{host.At("/keys")}}"}""");
        host.Put("/keys", Idp.Jwks);
        await using var server = await TestServer.StartAsync(host.Settings + $$"""
            demo: false
            trusted_issuers:
              - { issuer: '{{issuer}}', kind: workload, resources: [echo], scope: mcp:read }
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """);
        var claims = Workload(server);
        claims["iss"] = issuer;

        var reply = await AloneAsync(server, Idp.Sign(claims, null));

        Assert.Equal(status, reply.Status);
    }

    [Fact, Rfc("ID-JAG", "7.2")]
    public async Task The_metadata_says_what_is_taken_and_never_from_whom()
    {
        var text = await Server.Http.GetStringAsync(
            new Uri("/.well-known/oauth-authorization-server", UriKind.Relative));

        Assert.Contains(JwtBearer, text, StringComparison.Ordinal);
        Assert.Contains("urn:ietf:params:oauth:grant-profile:id-jag", text, StringComparison.Ordinal);
        Assert.DoesNotContain("idp.example", text, StringComparison.Ordinal);
    }

    private string Make(string what)
    {
        var claims = Claims();
        var now = Server.Clock.GetUtcNow().ToUnixTimeSeconds();
        switch (what)
        {
            case "typ JWT" or "typ at+jwt": return Idp.Sign(claims, what[4..]);
            case "typ missing": return Idp.Sign(claims, null);
            case "iss unknown": claims["iss"] = "https://idp.example/"; break;
            case "iss off": claims["iss"] = "https://off.example"; break;
            case "iss of a workload platform": claims["iss"] = "https://cluster.example"; break;
            case "iss of another server": claims["iss"] = "https://as.example"; break;
            case "iss array": claims["iss"] = new JsonArray("https://idp.example"); break;
            case "aud another": claims["aud"] = "https://elsewhere.example"; break;
            case "aud token endpoint": claims["aud"] = Server.Issuer + "/token"; break;
            case "aud two": claims["aud"] = new JsonArray(Server.Issuer, "https://elsewhere.example"); break;
            case "aud empty list": claims["aud"] = new JsonArray(); break;
            case "client_id other": claims["client_id"] = "small"; break;
            case "client_id array": claims["client_id"] = new JsonArray("connector"); break;
            case "sub empty": claims["sub"] = ""; break;
            case "sub too long": claims["sub"] = new string('x', 256); break;
            case "sub with a NUL": claims["sub"] = "u\0-1"; break;
            case "sub with a zero-width space": claims["sub"] = "u\u200b-1"; break;
            case "sub unknown without address": claims["sub"] = "u-9"; claims.Remove("email"); break;
            case "sub unknown with a foreign address":
                (claims["sub"], claims["email"]) = ("u-9", "ada@elsewhere.example");
                break;
            case "sub unknown with an unverified address":
                (claims["sub"], claims["email_verified"]) = ("u-9", false);
                break;
            case "sub unknown with an administrator's address of which nothing is said":
                claims["sub"] = "u-9";
                claims.Remove("email_verified");
                break;
            case "exp past": claims["exp"] = now - 1; break;
            case "exp in an hour": claims["exp"] = now + 3600; break;
            case "iat 60 s ahead" or "nbf 60 s ahead": claims[what[..3]] = now + 60; break;
            case "jti number": claims["jti"] = 7; break;
            case "resource elsewhere": claims["resource"] = "https://elsewhere.example/mcp"; break;
            case "resource number": claims["resource"] = 7; break;
            case "resource two": claims["resource"] = new JsonArray(Echo, $"{Server.Issuer}/mcp/files"); break;
            case "scope none of ours": claims["scope"] = "admin"; break;
            case "scope malformed": claims["scope"] = new JsonArray("mcp:read"); break;
            case "cnf": claims["cnf"] = new JsonObject { ["jkt"] = "x" }; break;
            case "authorization_details": claims["authorization_details"] = new JsonArray(); break;
            case "act without sub": claims["act"] = new JsonObject { ["iss"] = "https://idp.example" }; break;
            case "act text": claims["act"] = "agent"; break;
            case "act of this server": claims["act"] = Acting("connector", Server.Issuer); break;
            case "act of another issuer": claims["act"] = Acting("agent", "https://rival.example"); break;
            case "act of another issuer inside":
                claims["act"] = Acting("agent", "https://idp.example");
                claims["act"]!["act"] = Acting("small", Server.Issuer);
                break;
            case "act of a number": claims["act"] = new JsonObject { ["sub"] = "agent", ["iss"] = 7 }; break;
            case "act turned around": claims["act"] = Chain("a\u202eb"); break;
            case "act on two lines": claims["act"] = Chain("a\nb"); break;
            case "act with a long name": claims["act"] = Chain(new string('a', 256)); break;
            case "act with an unseen profile":
                claims["act"] = new JsonObject { ["sub"] = "agent", ["sub_profile"] = "ai\u200b" };
                break;
            case "act circular": claims["act"] = Chain("a", "a"); break;
            case "act too deep": claims["act"] = Chain("a", "b", "c"); break;
            case "alg none": return Idp.Sign(claims, IdJag, header => header["alg"] = "none");
            case "kid unknown": return Idp.Sign(claims, IdJag, header => header["kid"] = "k9");
            case "header jwk": return Idp.Sign(claims, IdJag, header => header["jwk"] = new JsonObject());
            case "signed by another": return Foreign.Sign(claims, IdJag);
            case "altered":
                var good = Idp.Sign(claims, IdJag).Split('.');
                claims["sub"] = "u-2";
                return $"{good[0]}.{Idp.Sign(claims, IdJag).Split('.')[1]}.{good[2]}";
            case "no token": return "x";
            case "empty": return "";
            case "endless": claims["pad"] = new string('x', 8000); break;
            case var missing when missing.EndsWith(" missing", StringComparison.Ordinal):
                claims.Remove(missing[..^8]);
                break;
            default: throw new InvalidOperationException(what);
        }

        return Idp.Sign(claims, IdJag);
    }

    private static JsonObject Acting(string name, string issuer) => new() { ["iss"] = issuer, ["sub"] = name };

    private static JsonObject Chain(params string[] actors) => actors.Reverse().Aggregate(
        (JsonObject?)null,
        (inner, actor) => inner is null
            ? new() { ["sub"] = actor }
            : new JsonObject { ["sub"] = actor, ["act"] = inner })!;

    private JsonObject Claims() => Claims(Server);

    private static JsonObject Claims(TestServer server)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        return new()
        {
            ["iss"] = "https://idp.example",
            ["sub"] = "u-1",
            ["email"] = Person.Ada,
            ["email_verified"] = true,
            ["aud"] = server.Issuer,
            ["client_id"] = "connector",
            ["resource"] = $"{server.Issuer}/mcp/echo",
            ["scope"] = "mcp:read mcp:write",
            ["iat"] = now,
            ["exp"] = now + 300,
            ["jti"] = Guid.NewGuid().ToString(),
        };
    }

    private JsonObject Workload() => Workload(Server);

    private static JsonObject Workload(TestServer server)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        return new()
        {
            ["iss"] = "https://platform.example",
            ["sub"] = "system:serviceaccount:agents:summary",
            ["cluster"] = "north",
            ["aud"] = server.Issuer,
            ["iat"] = now,
            ["exp"] = now + 300,
            ["jti"] = Guid.NewGuid().ToString(),
        };
    }

    private Task<Reply> PresentAsync(string assertion, params (string Name, string? Value)[] changes) =>
        PresentAsync(Server, assertion, changes);

    private static Task<Reply> PresentAsync(
        TestServer server, string assertion, params (string Name, string? Value)[] changes)
    {
        (string Name, string? Value)[] usual =
        [
            ("grant_type", JwtBearer),
            ("assertion", assertion),
            ("client_id", "connector"),
            ("client_secret", Secret),
        ];
        return new App(server, "", "").PostAsync(
            "/token", [.. usual.Where(field => !changes.Any(change => change.Name == field.Name)), .. changes]);
    }

    private Task<Reply> AloneAsync(string assertion, params (string Name, string? Value)[] more) =>
        AloneAsync(Server, assertion, more);

    private static Task<Reply> AloneAsync(
        TestServer server, string assertion, params (string Name, string? Value)[] more) =>
        PresentAsync(server, assertion, [("client_id", null), ("client_secret", null), .. more]);

    /// <summary>One server for everything that ends nothing.</summary>
    public sealed class House : IAsyncLifetime
    {
        internal TestServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await TestServer.StartAsync(Yaml);

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
