using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Postern.Tests.Platform;

namespace Postern.Tests.OAuth;

/// <summary>Clients that prove themselves by the certificate of their connection (RFC 8705 §2), over TLS.</summary>
public sealed class MutualTlsTests(MutualTlsHouse house) : IClassFixture<MutualTlsHouse>
{
    private static readonly DateTimeOffset Now = new FakeClock().GetUtcNow();

    private TestServer Server => house.Server;

    [Theory, Rfc(8705, "2.1"), Rfc(8705, "2.1.2"), Rfc(8705, "2.2"), Rfc(8705, "2.2.2")]
    [InlineData("dn")]
    [InlineData("dns")]
    [InlineData("uri")]
    [InlineData("ip")]
    [InlineData("ip6")]
    [InlineData("email")]
    [InlineData("own")]
    [InlineData("keyed")]
    public async Task A_certificate_proves_the_client_that_registered_it(string client)
    {
        var reply = await AskAsync(client, house.Of(client));

        Assert.True(reply.Status is HttpStatusCode.OK, reply.Text);
    }

    [Fact, Rfc(8705, "2.1")]
    public async Task A_certificate_that_a_branch_of_the_authority_issued_comes_with_that_of_the_branch()
    {
        using var certificate = house.Of("dn", house.Branch);

        var alone = await AskAsync("dn", certificate);
        var whole = await AskAsync("dn", certificate, house.Branch.Certificate);

        TokenTests.Refused(alone, "invalid_client");
        Assert.True(whole.Status is HttpStatusCode.OK, whole.Text);
    }

    public static TheoryData<string> Wrong =>
    [
        "none", "another name", "the name in another step", "the name in one step", "the name and more",
        "another authority of that name", "self-signed", "over", "not yet", "for servers", "another client's",
        "the authority's own",
    ];

    [Theory, MemberData(nameof(Wrong)), Rfc(8705, "2.1")]
    public async Task A_certificate_that_is_wrong_in_one_thing_proves_nobody(string what)
    {
        using var other = new Authority();
        const string name = "CN=agent, O=Example";
        var shown = what switch
        {
            "another name" => house.Authority.Issue("CN=agent2, O=Example"),
            "the name in another step" => house.Authority.Issue("O=Example, CN=agent"),
            "the name in one step" => house.Authority.Issue("CN=\"agent,O=Example\""),
            "the name and more" => house.Authority.Issue(name + ", C=DE"),
            "another authority of that name" => other.Issue(name),
            "self-signed" => Authority.SelfSigned(name),
            "over" => house.Authority.Issue(name, good: (Now.AddDays(-2), Now.AddMinutes(-1))),
            "not yet" => house.Authority.Issue(name, good: (Now.AddMinutes(1), Now.AddDays(2))),
            "for servers" => house.Authority.Issue(name, usage: Authority.ForServers),
            "another client's" => house.Of("dns"),
            "the authority's own" => house.Authority.Certificate,
            _ => null,
        };

        var reply = await AskAsync("dn", shown);
        var right = await AskAsync("dn", house.Of("dn"));

        TokenTests.Refused(reply, "invalid_client");
        Assert.Equal(HttpStatusCode.OK, right.Status);
    }

    [Theory, Rfc(8705, "2.1.2")]
    [InlineData("dns")]
    [InlineData("uri")]
    [InlineData("ip")]
    [InlineData("email")]
    public async Task A_name_counts_where_it_was_registered_and_nowhere_else(string client)
    {
        using var elsewhere = house.Authority.Issue("CN=agent.example", names =>
        {
            names.AddDnsName(client is "dns" ? "other.example" : "agent.example");
            names.AddUri(new(client is "uri" ? "https://agent.example/12" : "https://agent.example/1"));
            names.AddIpAddress(IPAddress.Parse(client is "ip" ? "192.0.2.77" : "192.0.2.7"));
            names.AddEmailAddress(client is "email" ? "other@example.test" : "agent@example.test");
        });
        using var wide = house.Authority.Issue("CN=x", names => names.AddDnsName("*.example"));

        TokenTests.Refused(await AskAsync(client, elsewhere), "invalid_client");
        TokenTests.Refused(await AskAsync(client, wide), "invalid_client");
    }

    [Fact, Rfc(8705, "2.2")]
    public async Task A_registered_certificate_is_that_one_and_a_registered_key_any_certificate_of_it()
    {
        using var renewedOwn = Authority.SelfSigned("CN=own", house.Own.GetECDsaPrivateKey());
        using var renewedKeyed = Authority.SelfSigned("CN=renamed", house.Keyed.GetECDsaPrivateKey());
        using var strange = Authority.SelfSigned("CN=own");
        using var over = Authority.SelfSigned(
            "CN=keyed", house.Keyed.GetECDsaPrivateKey(), (Now.AddDays(-3), Now.AddMinutes(-1)));

        TokenTests.Refused(await AskAsync("own", renewedOwn), "invalid_client");
        TokenTests.Refused(await AskAsync("own", strange), "invalid_client");
        TokenTests.Refused(await AskAsync("own", house.Keyed), "invalid_client");
        TokenTests.Refused(await AskAsync("keyed", over), "invalid_client");
        TokenTests.Refused(await AskAsync("keyed", null), "invalid_client");
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("keyed", renewedKeyed)).Status);
    }

    [Fact, Rfc(8705, "2.2.2")]
    public async Task Published_certificates_are_looked_at_again_when_an_unknown_one_is_shown()
    {
        await using var site = new DocumentHost();
        using var first = Authority.SelfSigned("CN=first");
        using var second = Authority.SelfSigned("CN=second");
        site.Put("/keys", Authority.Jwks(first));
        await using var server = await HeaderServer.StartAsync(
            site.Settings,
            $"""
              - client_id: agent
                token_endpoint_auth_method: self_signed_tls_client_auth
                jwks_uri: {site.At("/keys")}
                grant_types: [client_credentials]
                resources: [echo]
            """);

        var before = await HeaderServer.AskAsync(server, "agent", first);
        var early = await HeaderServer.AskAsync(server, "agent", second);
        site.Put("/keys", Authority.Jwks(second));
        var soon = await HeaderServer.AskAsync(server, "agent", second);
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        var later = await HeaderServer.AskAsync(server, "agent", second);
        var gone = await HeaderServer.AskAsync(server, "agent", first);

        Assert.Equal(HttpStatusCode.OK, before.Status);
        TokenTests.Refused(early, "invalid_client");
        TokenTests.Refused(soon, "invalid_client");
        Assert.Equal(HttpStatusCode.OK, later.Status);
        TokenTests.Refused(gone, "invalid_client");
        Assert.Equal(2, site.Requests);
    }

    [Theory, Rfc(6749, "2.3")]
    [InlineData("/token")]
    [InlineData("/par")]
    [InlineData("/revoke")]
    [InlineData("/introspect")]
    public async Task Every_endpoint_asks_for_the_certificate_and_for_nothing_in_its_place(string path)
    {
        (string Name, string? Value)[] fields =
            [("token", "x"), ("grant_type", "client_credentials"), ("client_id", "dn"), ("resource", Echo)];
        using var http = Authority.Connect(Server, house.Of("dn"));
        var nobody = new App(Server, "dn", "");

        var shown = await new App(http, Server.Issuer, "dn", "").PostAsync(path, fields);
        var alone = await PostAsync(null, path, fields);
        var secret = await PostAsync(null, path, [.. fields, ("client_secret", App.BenchSecret)]);
        var basic = await PostAsync(house.Of("dn"), path, fields, App.Basic("dn", "x"));
        var other = await PostAsync(house.Of("dns"), path, fields);

        Assert.NotEqual("invalid_client", shown.Error);
        Assert.All([alone, secret, basic, other], reply => Assert.Equal("invalid_client", reply.Error));
    }

    [Fact]
    public async Task A_certificate_is_no_proof_of_a_client_with_a_secret()
    {
        TokenTests.Refused(await AskAsync("secret", house.Of("dn")), "invalid_client");
        TokenTests.Refused(await AskAsync("watch", house.Of("dn")), "invalid_client");
        TokenTests.Refused(await AskAsync("nobody", house.Of("dn")), "invalid_client");
    }

    [Fact]
    public async Task Nothing_is_fetched_for_a_strangers_certificate()
    {
        await using var lure = OutboundPeer.Saying("HTTP/1.1 200 OK", "");
        using var branch = new Authority("CN=Elsewhere", new Authority("CN=Nowhere"));
        using var certificate = branch.Issue("CN=agent, O=Example", change: request =>
        {
            request.CertificateExtensions.Add(
                new X509AuthorityInformationAccessExtension([lure.At("/ocsp")], [lure.At("/ca")]));
            request.CertificateExtensions.Add(
                CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([lure.At("/crl")]));
        });

        TokenTests.Refused(await AskAsync("dn", certificate), "invalid_client");

        Assert.Equal(0, lure.Connections);
    }

    [Fact, Rfc(8705, "3.3"), Rfc(8705, "2.1.1"), Rfc(8705, "2.2.1")]
    public async Task The_metadata_says_what_a_certificate_is_good_for_where_one_can_be_shown()
    {
        using var http = Authority.Connect(Server, null);
        var here = JsonElement.Parse(await http.GetStringAsync("/.well-known/oauth-authorization-server"));
        var server = JsonElement.Parse(await http.GetStringAsync("/.well-known/oauth-protected-resource/mcp/echo"));
        await using var plain = await TestServer.StartAsync(App.Town);
        var there = JsonElement.Parse(
            await plain.Http.GetStringAsync("/.well-known/oauth-authorization-server"));

        Assert.True(here.GetProperty("tls_client_certificate_bound_access_tokens").GetBoolean());
        Assert.True(server.GetProperty("tls_client_certificate_bound_access_tokens").GetBoolean());
        Assert.Contains("tls_client_auth", here.GetProperty("token_endpoint_auth_methods_supported").ToString());
        Assert.Contains(
            "self_signed_tls_client_auth",
            here.GetProperty("introspection_endpoint_auth_methods_supported").ToString());
        Assert.DoesNotContain("tls_client", there.ToString());
    }

    [Fact]
    public async Task A_renewed_certificate_of_the_server_needs_no_restart_and_a_broken_one_changes_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("postern-").FullName;
        var (certificate, key) = await MutualTlsHouse.WriteAsync(folder, "CN=first");
        await using var server = await TestServer.StartAsync(
            $"tls: {{ certificate: {certificate}, key: {key} }}", scheme: "https");

        var before = await SubjectAsync(server);
        await MutualTlsHouse.WriteAsync(folder, "CN=second");
        var soon = await SubjectAsync(server);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        var later = await SubjectAsync(server);
        await File.WriteAllTextAsync(certificate, "broken");
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        var broken = await SubjectAsync(server);

        Assert.Equal(("CN=first", "CN=first", "CN=second", "CN=second"), (before, soon, later, broken));
        Assert.Contains(server.Log.All, line => line.Contains("The renewed certificate is not used"));
        Directory.Delete(folder, recursive: true);
    }

    [Theory, Rfc(8414, "6.1"), Rfc(7662, "4")]
    [InlineData(SslProtocols.Tls12), InlineData(SslProtocols.Tls13)]
    public async Task A_client_speaks_TLS_of_either_age_that_is_good(SslProtocols age)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", new Uri(house.Server.Issuer).Port);
        await using var connection = new SslStream(socket.GetStream());

        await connection.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "127.0.0.1",
            EnabledSslProtocols = age,
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.Subject is "CN=127.0.0.1",
        });

        Assert.Equal(age, connection.SslProtocol);
    }

    public static TheoryData<string, string> Contradictions => new()
    {
        { "token_endpoint_auth_method: tls_client_auth", "tls_client_auth needs one of" },
        {
            "token_endpoint_auth_method: tls_client_auth, tls_client_auth_san_dns: a, tls_client_auth_san_uri: 'b:c'",
            "and not several"
        },
        {
            "token_endpoint_auth_method: tls_client_auth, tls_client_auth_subject_dn: agent",
            "tls_client_auth_subject_dn is not the name"
        },
        {
            "token_endpoint_auth_method: tls_client_auth, tls_client_auth_san_ip: agent",
            "tls_client_auth_san_ip is not the name"
        },
        { "token_endpoint_auth_method: self_signed_tls_client_auth", "needs jwks or jwks_uri" },
        {
            "redirect_uris: ['https://a.example/cb'], dpop_bound_access_tokens: true, "
                + "tls_client_certificate_bound_access_tokens: true",
            "a token is bound to one of the two"
        },
    };

    [Theory, MemberData(nameof(Contradictions)), Rfc(8705, "2.1.2")]
    public async Task A_registration_that_contradicts_itself_stops_the_start(string members, string why)
    {
        var refused = await Assert.ThrowsAsync<Postern.Platform.SetupException>(() => TestServer.StartAsync(
            $$"""
            mtls: { proxies: [127.0.0.1/32], authorities: [{{house.Authority.File}}] }
            clients:
              - { client_id: a, grant_types: [client_credentials], {{members}} }
            """));

        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("token_endpoint_auth_method: self_signed_tls_client_auth, jwks: '{}'")]
    [InlineData("redirect_uris: ['https://a.example/cb'], tls_client_certificate_bound_access_tokens: true")]
    public async Task Where_no_certificate_can_be_shown_no_client_is_registered_for_one(string members)
    {
        var refused = await Assert.ThrowsAsync<Postern.Platform.SetupException>(() => TestServer.StartAsync(
            $$"""
            clients:
              - { client_id: a, {{members}} }
            """));

        Assert.Contains("`tls.client_certificates` or `mtls.proxies`", refused.Message, StringComparison.Ordinal);
    }

    private string Echo => $"{Server.Issuer}/mcp/echo";

    private Task<Reply> AskAsync(string client, X509Certificate2? shown, params X509Certificate2[] above) => PostAsync(
        shown,
        "/token",
        [("grant_type", "client_credentials"), ("client_id", client), ("resource", Echo)],
        above: above);

    private async Task<Reply> PostAsync(
        X509Certificate2? shown,
        string path,
        (string Name, string? Value)[] fields,
        string? authorization = null,
        params X509Certificate2[] above)
    {
        using var http = Authority.Connect(Server, shown, above);
        return await new App(http, Server.Issuer, "", "").PostAsync(path, fields, authorization);
    }

    private static async Task<string?> SubjectAsync(TestServer server)
    {
        var subject = (string?)null;
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
        {
            subject = shown?.Subject;
            return subject is not null;
        };
        using var http = new HttpClient(handler);
        using var answer = await http.GetAsync($"{server.Issuer}/healthz");
        return subject;
    }
}
