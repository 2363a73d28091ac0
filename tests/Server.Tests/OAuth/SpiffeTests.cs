using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Outbound;

namespace Postern.Tests.OAuth;

/// <summary>Workloads that prove themselves by what SPIFFE gave them (draft-ietf-oauth-spiffe-client-auth).</summary>
public sealed class SpiffeTests : IAsyncLifetime
{
    private const string
        Draft = "OAuth SPIFFE Client Authentication",
        Type = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe",
        Agent = "spiffe://example.org/agent",
        Worker = "spiffe://example.org/workers/7";

    private readonly Authority authority = new("CN=example.org");
    private readonly Outside signer = new(), other = new();
    private readonly string bundle = Path.GetTempFileName(), others = Path.GetTempFileName();
    private TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(bundle, Bundle(signer, authority));
        await File.WriteAllTextAsync(others, Bundle(other));
        server = await HeaderServer.StartAsync(
            $$"""
            spiffe:
              - { trust_domain: example.org, bundle_file: {{bundle}} }
              - { trust_domain: other.example, bundle_file: {{others}} }
            """,
            $$"""
              - { client_id: '{{Agent}}', {{Rest}} }
              - { client_id: 'spiffe://other.example/agent', {{Rest}} }
              - { client_id: workers, spiffe_id: 'spiffe://example.org/workers/*', {{Rest}} }
              - { client_id: jwt, spiffe_id: 'spiffe://example.org/jwt', {{Rest}}, {{ByJwt}} }
            """,
            authority: authority.File);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        authority.Dispose();
        Array.ForEach([bundle, others], File.Delete);
    }

    [Theory, Rfc(Draft, "3.1")]
    [InlineData(Agent, null, Agent)]
    [InlineData(Agent, Agent, Agent)]
    [InlineData(Worker, null, "workers")]
    [InlineData(Worker, Worker, "workers")]
    [InlineData(Worker, "workers", "workers")]
    [Combines("SPIFFE", "client credentials")]
    public async Task An_svid_proves_the_client_that_its_workload_is(string workload, string? named, string client)
    {
        var reply = await ShowAsync(Svid(workload), named);

        Assert.True(reply.Status is HttpStatusCode.OK, reply.Text);
        Assert.Equal(client, reply.Claims.GetProperty("client_id").GetString());
    }

    [Fact, Rfc(Draft, "3.1")]
    public async Task An_svid_is_shown_again_while_it_lasts()
    {
        var svid = Svid(Agent, claims => claims["aud"] = new JsonArray(server.Issuer), typ: "JWT");

        Assert.Equal(HttpStatusCode.OK, (await ShowAsync(svid)).Status);
        Assert.Equal(HttpStatusCode.OK, (await ShowAsync(svid)).Status);
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        TokenTests.Refused(await ShowAsync(svid), "invalid_client");
    }

    [Fact]
    public async Task A_client_that_is_switched_off_is_off_by_every_name_of_its_workloads()
    {
        await Borough.OffAsync(server, PartyKind.Client, "workers");

        TokenTests.Refused(await ShowAsync(Svid(Worker)), "invalid_client");
        TokenTests.Refused(await ShowAsync(Svid(Worker), Worker), "invalid_client");
        TokenTests.Refused(await ShowAsync(Svid(Worker), "workers"), "invalid_client");
        TokenTests.Refused(await HeaderServer.AskAsync(server, Worker, Issue(Worker)), "invalid_client");
        Assert.Equal(HttpStatusCode.OK, (await ShowAsync(Svid(Agent))).Status);
    }

    public static TheoryData<string> Wrong =>
    [
        "another workload", "another domain's workload", "another domain's signature", "nobody's signature",
        "another audience", "two audiences", "no audience", "the token endpoint", "no end", "over", "for a day",
        "not yet", "no subject", "a name in another spelling", "another kind", "no kid", "a key in it", "named another",
        "named another workload of the client", "malformed", "no algorithm", "a shared key's algorithm",
        "an algorithm that its key has not", "more in its header",
    ];

    [Theory, MemberData(nameof(Wrong)), Rfc(Draft, "3.1"), Rfc(Draft, "5")]
    public async Task An_svid_that_is_wrong_in_one_thing_proves_nobody(string what)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var svid = what switch
        {
            "another workload" => Svid("spiffe://example.org/nobody"),
            "another domain's workload" => Svid("spiffe://other.example/agent", by: other),
            "another domain's signature" => Svid(Agent, by: other),
            "nobody's signature" => Svid(Agent, by: new()),
            "another audience" => Svid(Agent, c => c["aud"] = "https://other.example"),
            "two audiences" => Svid(Agent, c => c["aud"] = new JsonArray(server.Issuer, "https://other.example")),
            "no audience" => Svid(Agent, c => c.Remove("aud")),
            "the token endpoint" => Svid(Agent, c => c["aud"] = server.Issuer + "/token"),
            "no end" => Svid(Agent, c => c.Remove("exp")),
            "over" => Svid(Agent, c => c["exp"] = now - 1),
            "for a day" => Svid(Agent, c => c["exp"] = now + 86_400),
            "not yet" => Svid(Agent, c => c["iat"] = now + 60),
            "no subject" => Svid(Agent, c => c.Remove("sub")),
            "a name in another spelling" => Svid("spiffe://example.org/x/../agent"),
            "another kind" => Svid(Agent, typ: "at+jwt"),
            "no kid" => Svid(Agent, header: h => h.Remove("kid")),
            "more in its header" => Svid(Agent, header: h => h["cty"] = "JWT"),
            "a key in it" => Svid(Agent, header: h => h["jwk"] = new JsonObject()),
            "malformed" => "x.y.z",
            "no algorithm" => Svid(Agent, header: h => h["alg"] = "none"),
            "a shared key's algorithm" => Svid(Agent, header: h => h["alg"] = "HS256"),
            "an algorithm that its key has not" => Svid(Agent, header: h => h["alg"] = "ES384"),
            _ => Svid(Worker),
        };
        var named = what switch
        {
            "named another" => "native",
            "another domain's workload" => Agent,
            "named another workload of the client" => "spiffe://example.org/workers/8",
            _ => null,
        };

        TokenTests.Refused(await ShowAsync(svid, named), "invalid_client");
        Assert.Equal(HttpStatusCode.OK, (await ShowAsync(Svid(Agent))).Status);
    }

    [Fact, Rfc(Draft, "3.1")]
    public async Task Who_an_svid_says_it_is_from_is_nothing_to_us()
    {
        var own = await ShowAsync(Svid(Agent, claims => claims["iss"] = "https://oidc.elsewhere.example"));
        var others = await ShowAsync(Svid(Agent, claims => claims["iss"] = "spiffe://example.org", by: other));

        Assert.True(own.Status is HttpStatusCode.OK, own.Text);
        TokenTests.Refused(others, "invalid_client");
    }

    [Fact]
    public async Task A_workload_whose_bundle_there_is_no_room_to_fetch_is_told_to_come_back()
    {
        await using var site = new DocumentHost();
        site.Put("/bundle", Bundle(signer));
        await using var there = await TestServer.StartAsync(
            site.Settings
            + $$"""
            demo: false
            spiffe:
              - { trust_domain: example.org, bundle_endpoint: '{{site.At("/bundle")}}' }
            clients:
              - { client_id: '{{Agent}}', {{Rest}} }
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """);
        for (var i = 0; i < new OutboundOptions().HostBurst; i++)
        {
            await there.Get<SafeHttp>().GetAsync(site.At($"/{i}"), FetchRules.Json, default);
        }

        var full = await ShowAsync(there, Svid(Agent, at: there));
        there.Clock.Advance(TimeSpan.FromSeconds(1));
        var later = await ShowAsync(there, Svid(Agent, at: there));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "temporarily_unavailable"), (full.Status, full.Error));
        Assert.True(later.Status is HttpStatusCode.OK, later.Text);
    }

    [Fact]
    public async Task A_workload_whose_new_key_there_is_no_room_to_fetch_is_told_to_come_back()
    {
        var young = new Outside("k2");
        await using var site = new DocumentHost();
        site.Put("/bundle", Bundle(signer));
        await using var there = await TestServer.StartAsync(
            site.Settings
            + $$"""
            demo: false
            spiffe:
              - { trust_domain: example.org, bundle_endpoint: '{{site.At("/bundle")}}' }
            clients:
              - { client_id: '{{Agent}}', {{Rest}} }
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """);
        Assert.Equal(HttpStatusCode.OK, (await ShowAsync(there, Svid(Agent, at: there))).Status);
        site.Put("/bundle", Bundle(young));
        there.Clock.Advance(TimeSpan.FromSeconds(31));
        for (var i = 0; i < new OutboundOptions().HostBurst; i++)
        {
            await there.Get<SafeHttp>().GetAsync(site.At($"/{i}"), FetchRules.Json, default);
        }

        var full = await ShowAsync(there, Svid(Agent, by: young, at: there));
        var known = await ShowAsync(there, Svid(Agent, at: there));
        there.Clock.Advance(TimeSpan.FromSeconds(1));
        var later = await ShowAsync(there, Svid(Agent, by: young, at: there));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "temporarily_unavailable"), (full.Status, full.Error));
        Assert.True(known.Status is HttpStatusCode.OK, known.Text);
        Assert.True(later.Status is HttpStatusCode.OK, later.Text);
    }

    [Fact]
    public async Task An_svid_and_another_assertion_are_not_taken_for_each_other()
    {
        var svid = Svid(Agent);
        (string Name, string? Value)[] fields =
            [("grant_type", "client_credentials"), ("client_assertion", svid)];
        var app = new App(server, "", "");

        TokenTests.Refused(
            await app.PostAsync("/token", [.. fields, ("client_assertion_type", Type.Replace("spiffe", "bearer"))]),
            "invalid_client");
        TokenTests.Refused(await app.PostAsync("/token", fields), "invalid_request");
        TokenTests.Refused(
            await app.PostAsync("/token", [.. fields, ("client_assertion_type", Type), ("client_secret", "x")]),
            "invalid_client");
        TokenTests.Refused(await ShowAsync(svid, "web"), "invalid_client");
    }

    [Theory, Rfc(Draft, "3.2")]
    [InlineData(Agent, Agent)]
    [InlineData(Worker, "workers")]
    public async Task A_certificate_of_a_workload_proves_the_client_that_it_is(string workload, string client)
    {
        using var certificate = Issue(workload);

        var reply = await HeaderServer.AskAsync(server, workload, certificate);

        Assert.True(reply.Status is HttpStatusCode.OK, reply.Text);
        Assert.Equal(client, reply.Claims.GetProperty("client_id").GetString());
    }

    public static TheoryData<string> WrongCertificates =>
    [
        "none", "two names", "another workload", "no name", "a name in the subject", "another authority",
        "an authority", "for no signatures", "for signing others", "for anything", "for servers alone", "not yet",
        "over", "by its client's name", "by JWT alone", "of no path", "of another scheme",
        "another domain's, whose authority is one of the server's",
    ];

    [Theory, MemberData(nameof(WrongCertificates)), Rfc(Draft, "3.2"), Rfc(Draft, "5")]
    public async Task A_certificate_of_a_workload_that_is_wrong_in_one_thing_proves_nobody(string what)
    {
        using var stranger = new Authority("CN=example.org");
        var now = server.Clock.GetUtcNow();
        var shown = what switch
        {
            "none" => null,
            "two names" => authority.Issue("CN=x", names =>
            {
                names.AddUri(new(Agent));
                names.AddUri(new("https://agent.example"));
            }),
            "another workload" => Issue(Worker),
            "no name" => authority.Issue("CN=x"),
            "a name in the subject" => authority.Issue("CN=" + Agent),
            "another authority" => Issue(Agent, stranger),
            "an authority" => Issue(Agent, change: request =>
            {
                request.CertificateExtensions.Remove(
                    request.CertificateExtensions.OfType<X509BasicConstraintsExtension>().Single());
                request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            }),
            "for no signatures" => Issue(Agent, change: request => For(request, X509KeyUsageFlags.NonRepudiation)),
            "for signing others" => Issue(Agent, change: request => For(
                request, X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign)),
            "for anything" => Issue(Agent, change: request => For(request, null)),
            "for servers alone" => authority.Issue(
                "CN=x", names => names.AddUri(new(Agent)), usage: Authority.ForServers),
            "not yet" => Issue(Agent, good: (now.AddMinutes(1), now.AddDays(1))),
            "of no path" => Issue("spiffe://example.org"),
            "of another scheme" => Issue("https://example.org/agent"),
            "over" => Issue(Agent, good: (now.AddDays(-1), now.AddSeconds(-1))),
            "by JWT alone" => Issue("spiffe://example.org/jwt"),
            "another domain's, whose authority is one of the server's" => Issue("spiffe://other.example/agent"),
            _ => Issue(Worker),
        };
        var named = what switch
        {
            "by its client's name" => "workers",
            "by JWT alone" => "spiffe://example.org/jwt",
            "of no path" => "spiffe://example.org",
            "of another scheme" => "https://example.org/agent",
            "another domain's, whose authority is one of the server's" => "spiffe://other.example/agent",
            _ => Agent,
        };

        TokenTests.Refused(
            await HeaderServer.AskAsync(server, named, shown is null ? [] : [shown]), "invalid_client");
    }

    [Theory, Rfc("X.509-SVID", "4.2")]
    [InlineData("example.org", HttpStatusCode.OK)]
    [InlineData("other.example", HttpStatusCode.Unauthorized)]
    public async Task A_branch_of_a_domains_authority_names_no_workload_outside_its_constraints(
        string within, HttpStatusCode status)
    {
        using var branch = new Authority("CN=A branch", authority, request => request.CertificateExtensions.Add(
            new X509Extension("2.5.29.30", Within(within), critical: true)));
        using var certificate = Issue(Agent, branch);

        var reply = await HeaderServer.AskAsync(server, Agent, certificate, branch.Certificate);

        Assert.Equal(status, reply.Status);
    }

    [Fact, Rfc("SPIFFE Trust Domain and Bundle", "4.1.3")]
    public async Task A_domain_that_publishes_no_keys_has_taken_back_all_that_it_gave()
    {
        Assert.Equal(HttpStatusCode.OK, (await ShowAsync(Svid(Agent))).Status);
        Assert.Equal(HttpStatusCode.OK, (await HeaderServer.AskAsync(server, Agent, Issue(Agent))).Status);

        await File.WriteAllTextAsync(bundle, """{"keys":[]}""");
        server.Clock.Advance(TimeSpan.FromMinutes(5));

        TokenTests.Refused(await ShowAsync(Svid(Agent)), "invalid_client");
        TokenTests.Refused(await HeaderServer.AskAsync(server, Agent, Issue(Agent)), "invalid_client");
    }

    [Fact, Rfc("JWT-SVID", "6.2"), Rfc("X.509-SVID", "6.2"), Rfc("SPIFFE Trust Domain and Bundle", "4.2")]
    public async Task Of_a_bundle_what_is_for_something_else_proves_nobody()
    {
        using var hidden = new Authority("CN=example.org");
        using var unmarked = new Authority("CN=example.org");
        (Outside ForCertificates, Outside ForNothing, Outside Shouted) others = (new("k2"), new("k3"), new("k4"));
        var strange = Marked(Authority.Jwks(unmarked.Certificate), "x509-svid");
        strange["kty"] = "XYZ";
        var keys = JsonNode.Parse(Bundle(signer, authority))!["keys"]!.AsArray();
        keys[1]!["x5c"]!.AsArray().Add(Convert.ToBase64String(hidden.Certificate.RawData));
        keys.Add(Marked(Authority.Jwks(unmarked.Certificate), "jwt-svid"));
        keys.Add(Marked(Authority.Jwks(unmarked.Certificate), "sig"));
        keys.Add(Marked(Authority.Jwks(unmarked.Certificate, withCertificate: false), "x509-svid"));
        keys.Add(strange);
        keys.Add(Marked(others.ForCertificates.Jwks, "x509-svid"));
        keys.Add(Marked(others.ForNothing.Jwks, null));
        keys.Add(Marked(others.Shouted.Jwks, "JWT-SVID"));
        await File.WriteAllTextAsync(bundle, new JsonObject { ["keys"] = keys.DeepClone() }.ToJsonString());

        Assert.Equal(HttpStatusCode.OK, (await ShowAsync(Svid(Agent))).Status);
        foreach (var other in (Outside[])[others.ForCertificates, others.ForNothing, others.Shouted])
        {
            TokenTests.Refused(await ShowAsync(Svid(Agent, by: other)), "invalid_client");
        }

        Assert.Equal(HttpStatusCode.OK, (await HeaderServer.AskAsync(server, Agent, Issue(Agent))).Status);
        TokenTests.Refused(await HeaderServer.AskAsync(server, Agent, Issue(Agent, hidden)), "invalid_client");
        TokenTests.Refused(await HeaderServer.AskAsync(server, Agent, Issue(Agent, unmarked)), "invalid_client");
    }

    [Fact, Rfc(Draft, "5.1")]
    public async Task What_signs_is_asked_of_the_configured_place_alone()
    {
        await using var site = new DocumentHost();
        site.Put("/bundle", Bundle(signer, hint: 300));
        await using var fetching = await TestServer.StartAsync($$"""
            demo: false
            {{site.Settings}}
            spiffe:
              - { trust_domain: example.org, bundle_endpoint: '{{site.At("/bundle")}}' }
            clients:
              - { client_id: '{{Agent}}', {{Rest}} }
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """);
        var next = new Outside("k2");

        var first = await ShowAsync(fetching, Svid(Agent, at: fetching));
        var again = await ShowAsync(fetching, Svid(Agent, at: fetching));
        var asked = site.Requests;
        var strange = await ShowAsync(
            fetching, Svid(Agent, c => c["iss"] = site.At("/elsewhere"), by: other, at: fetching));
        site.Put("/bundle", Bundle(next));
        fetching.Clock.Advance(TimeSpan.FromSeconds(31));
        var changed = await ShowAsync(fetching, Svid(Agent, by: next, at: fetching));
        var former = await ShowAsync(fetching, Svid(Agent, at: fetching));
        site.Put("/bundle", "", "HTTP/1.1 500 Oh");
        fetching.Clock.Advance(TimeSpan.FromHours(2));
        var away = await ShowAsync(fetching, Svid(Agent, by: next, at: fetching));
        fetching.Clock.Advance(TimeSpan.FromHours(23));
        var gone = await ShowAsync(fetching, Svid(Agent, by: next, at: fetching));

        Assert.All([first, again, changed, away], reply => Assert.True(reply.Status is HttpStatusCode.OK, reply.Text));
        Assert.All([strange, former, gone], reply => TokenTests.Refused(reply, "invalid_client"));
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task Who_asks_and_hangs_up_does_not_use_up_the_look_of_others()
    {
        await using var site = new DocumentHost();
        site.Put("/bundle", Bundle(signer));
        await using var fetching = await TestServer.StartAsync($$"""
            demo: false
            {{site.Settings}}
            spiffe:
              - { trust_domain: example.org, bundle_endpoint: '{{site.At("/bundle")}}' }
            clients:
              - { client_id: '{{Agent}}', {{Rest}} }
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await fetching.Get<SpiffeBundles>().FindAsync("example.org", _ => true, new(canceled: true)));
        var next = await ShowAsync(fetching, Svid(Agent, at: fetching));

        Assert.True(next.Status is HttpStatusCode.OK, next.Text);
        Assert.Equal(1, site.Requests);
    }

    [Fact]
    public async Task The_metadata_says_so_where_a_trust_domain_is_named()
    {
        var here = JsonElement.Parse(await server.Http.GetStringAsync("/.well-known/oauth-authorization-server"));
        await using var plain = await TestServer.StartAsync(App.Town);
        var there = await plain.Http.GetStringAsync("/.well-known/oauth-authorization-server");

        var methods = here.GetProperty("token_endpoint_auth_methods_supported").ToString();
        Assert.Contains("spiffe_jwt", methods);
        Assert.Contains("spiffe_x509", methods);
        Assert.DoesNotContain("spiffe", there);
    }

    [Theory]
    [InlineData("spiffe_id: 'spiffe://nowhere.example/a'", "does not name the trust domain")]
    [InlineData("spiffe_id: 'spiffe://example.org/a*'", "is not spiffe://DOMAIN/PATH")]
    [InlineData("token_endpoint_auth_method: spiffe_jwt", "`spiffe_id` is missing")]
    [InlineData("token_endpoint_auth_method: spiffe_x509, spiffe_id: 'spiffe://example.org/a'", "is one of")]
    public async Task A_workload_that_contradicts_itself_stops_the_start(string members, string why)
    {
        var refused = await Assert.ThrowsAsync<Postern.Platform.SetupException>(() => TestServer.StartAsync($$"""
            spiffe: [{ trust_domain: example.org, bundle_file: {{bundle}} }]
            clients:
              - { client_id: a, grant_types: [client_credentials], {{members}} }
            """));

        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    private const string ByJwt = "token_endpoint_auth_method: spiffe_jwt";

    private const string Rest = "grant_types: [client_credentials], resources: [echo], scope: mcp:read";

    private static void For(CertificateRequest request, X509KeyUsageFlags? use)
    {
        request.CertificateExtensions.Remove(
            request.CertificateExtensions.OfType<X509KeyUsageExtension>().Single());
        if (use is { } flags)
        {
            request.CertificateExtensions.Add(new X509KeyUsageExtension(flags, true));
        }
    }

    // RFC 5280 §4.2.1.10: the one host whose names may stand below.
    private static byte[] Within(string host)
    {
        var der = new AsnWriter(AsnEncodingRules.DER);
        using (der.PushSequence())
        using (der.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        using (der.PushSequence())
        {
            der.WriteCharacterString(UniversalTagNumber.IA5String, host, new Asn1Tag(TagClass.ContextSpecific, 6));
        }

        return der.Encode();
    }

    private static JsonNode Marked(string jwks, string? use)
    {
        var key = JsonNode.Parse(jwks)!["keys"]![0]!.DeepClone();
        key["use"] = use;
        return key;
    }

    internal static string Bundle(Outside signer, Authority? authority = null, int? hint = null)
    {
        var keys = new JsonArray(Marked(signer.Jwks, "jwt-svid"));
        if (authority is not null)
        {
            keys.Add(Marked(Authority.Jwks(authority.Certificate), "x509-svid"));
        }

        var bundle = new JsonObject { ["keys"] = keys, ["spiffe_sequence"] = 1 };
        if (hint is not null)
        {
            bundle["spiffe_refresh_hint"] = hint;
        }

        return bundle.ToJsonString();
    }

    private X509Certificate2 Issue(
        string workload,
        Authority? by = null,
        Action<CertificateRequest>? change = null,
        (DateTimeOffset, DateTimeOffset)? good = null) =>
        (by ?? authority).Issue("C=US, O=SPIRE", names => names.AddUri(new(workload)), change, good: good);

    private string Svid(
        string workload,
        Action<JsonObject>? change = null,
        string? typ = null,
        Outside? by = null,
        Action<JsonObject>? header = null,
        TestServer? at = null)
    {
        var now = (at ?? server).Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["sub"] = workload,
            ["aud"] = (at ?? server).Issuer,
            ["iat"] = now,
            ["exp"] = now + 300,
        };
        change?.Invoke(claims);
        return (by ?? signer).Sign(claims, typ, header);
    }

    private Task<Reply> ShowAsync(string svid, string? named = null) => ShowAsync(server, svid, named);

    private static Task<Reply> ShowAsync(TestServer at, string svid, string? named = null) =>
        new App(at, "", "").PostAsync(
            "/token",
            [
                ("grant_type", "client_credentials"), ("client_assertion_type", Type), ("client_assertion", svid),
                ("client_id", named),
            ]);
}
