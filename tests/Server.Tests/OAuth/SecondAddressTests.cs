using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Postern.Platform.Tenants;
using Postern.Tests.Interop;

namespace Postern.Tests.OAuth;

/// <summary>Clients with certificates have their own address, and browsers are asked for none (RFC 8705 §5).</summary>
public sealed class SecondAddressTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-").FullName;
    private readonly Authority authority = new();
    private readonly int port = Postgres.FreePort();
    private TestServer server = null!;

    private string Second => $"https://127.0.0.1:{port}";

    private (string, string?)[] AsItself =>
        [("grant_type", "client_credentials"), ("client_id", "agent"), ("resource", $"{server.Issuer}/mcp/echo")];

    public async ValueTask InitializeAsync() => server = await StartAsync("client_certificates: allowed");

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact, Rfc(8705, "5")]
    public async Task The_metadata_names_the_second_address_for_all_that_a_client_proves_itself_at()
    {
        using var browser = Authority.Connect(server, null);
        using var second = At(Second, null);
        var below = await TenantAsync("acme", null);
        var apart = await TenantAsync("apart", "apart.example");
        (string Host, string Path, string Issuer, string Address)[] places =
        [
            ("127.0.0.1", "", server.Issuer, Second),
            ("127.0.0.1", below.Path, below.Issuer, Second + below.Path),
            ("apart.example", "", apart.Issuer, $"https://apart.example:{port}"),
        ];

        foreach (var (host, path, issuer, address) in places)
        {
            var metadata = await MetadataAsync(browser, host is "127.0.0.1" ? null : host, path);
            var aliases = metadata.GetProperty("mtls_endpoint_aliases");
            Assert.Equal(7, aliases.GetPropertyCount());
            Assert.Equal(issuer, metadata.GetProperty("issuer").GetString());
            Assert.All(aliases.EnumerateObject(), alias => Assert.Equal(
                metadata.GetProperty(alias.Name).GetString()!.Replace(issuer, address, StringComparison.Ordinal),
                alias.Value.GetString()));
            Assert.Equal(
                metadata.GetRawText(), (await MetadataAsync(second, $"{host}:{port}", path)).GetRawText());
        }

        async Task<Tenant> TenantAsync(string name, string? host) => (await server.Get<TenantBook>()
            .AddAsync(new() { Name = name, Host = host }, (_, _) => { }, default))!;
    }

    [Fact, Rfc(8705, "2.1"), Rfc(8705, "5")]
    public async Task A_certificate_is_asked_for_at_the_second_address_and_nowhere_else()
    {
        using var certificate = authority.Issue("CN=agent");
        using var first = Authority.Connect(server, certificate);
        using var second = At(Second, certificate);

        var unasked = await new App(first, server.Issuer, "agent", "").PostAsync("/token", AsItself);
        var asked = await new App(second, server.Issuer, "agent", "").PostAsync("/token", AsItself);

        TokenTests.Refused(unasked, "invalid_client");
        Assert.True(asked.Status is HttpStatusCode.OK, asked.Text);
        Assert.Equal(server.Issuer, asked.Claims.GetProperty("iss").GetString());
        Assert.Contains(Authority.Thumbprint(certificate), asked.Claims.GetProperty("cnf").ToString());
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(first, asked.AccessToken));
        Assert.NotEqual(HttpStatusCode.Unauthorized, await CallAsync(second, asked.AccessToken));
    }

    [Fact, Rfc(9449, "4.3")]
    public async Task A_proof_names_the_address_that_it_was_sent_to()
    {
        using var key = new DpopKey();
        using var second = At(Second, null);
        using var first = Authority.Connect(server, null);

        var wrong = await ProvenAsync(second, server.Issuer);
        var right = await ProvenAsync(second, Second);
        var elsewhere = await ProvenAsync(first, Second);

        TokenTests.Refused(wrong, "invalid_dpop_proof");
        Assert.True(right.Status is HttpStatusCode.OK, right.Text);
        TokenTests.Refused(elsewhere, "invalid_dpop_proof");

        async Task<Reply> ProvenAsync(HttpClient http, string address)
        {
            var app = new App(http, server.Issuer, "bench", "", App.BenchSecret);
            var (sent, nonce) = (default(Reply), default(string));
            for (var tries = 0; tries < 2; tries++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/token", UriKind.Relative));
                request.Headers.Add("DPoP", key.Proof(
                    new("POST", address + "/token", server.Clock.GetUtcNow().ToUnixTimeSeconds()), nonce: nonce));
                request.Content = new StringContent(
                    App.Encode([("grant_type", "client_credentials"), ("client_id", "bench"),
                        ("client_secret", App.BenchSecret), ("resource", $"{server.Issuer}/mcp/echo")]),
                    System.Text.Encoding.UTF8,
                    "application/x-www-form-urlencoded");
                using var answer = await http.SendAsync(request);
                sent = await Reply.ReadAsync(answer);
                if (sent.Error is not "use_dpop_nonce")
                {
                    break;
                }

                nonce = sent.Headers.GetValues("DPoP-Nonce").Single();
            }

            return sent!;
        }
    }

    [Fact, Rfc(8705, "5")]
    public async Task At_the_second_address_is_what_clients_prove_themselves_at_and_what_tells_of_it_alone()
    {
        using var second = At(Second, null);
        using var first = Authority.Connect(server, null);
        var served = new List<string>();
        foreach (var (verb, path) in Routes())
        {
            using var asked = new HttpRequestMessage(new(verb), path);
            using var answer = await second.SendAsync(asked);
            if (answer.StatusCode is not HttpStatusCode.NotFound)
            {
                served.Add($"{verb} {path}");
            }
        }

        using var page = await first.GetAsync(new Uri("/signin", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal(
            [
                "DELETE /mcp/echo", "GET /.well-known/oauth-authorization-server",
                "GET /.well-known/oauth-protected-resource", "GET /.well-known/oauth-protected-resource/mcp/echo",
                "GET /.well-known/openid-configuration", "GET /healthz", "GET /mcp/echo", "GET /readyz",
                "GET /userinfo",
                "OPTIONS /.well-known/oauth-protected-resource",
                "OPTIONS /.well-known/oauth-protected-resource/mcp/echo", "OPTIONS /mcp/echo", "POST /bc-authorize",
                "POST /device_authorization", "POST /introspect", "POST /mcp/echo", "POST /par",
                "POST /revoke", "POST /token", "POST /userinfo",
            ],
            served.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(true, "127.0.0.1:FIRST")]
    [InlineData(true, "evil.example:SECOND")]
    [InlineData(true, "localhost:SECOND")]
    [InlineData(true, "127.0.0.1")]
    [InlineData(false, "127.0.0.1:SECOND")]
    public async Task Each_address_is_asked_by_its_own_name_alone(bool isSecond, string host)
    {
        using var http = isSecond ? At(Second, null) : Authority.Connect(server, null);
        http.DefaultRequestHeaders.Host = host
            .Replace("FIRST", $"{new Uri(server.Issuer).Port}", StringComparison.Ordinal)
            .Replace("SECOND", $"{port}", StringComparison.Ordinal);

        using var answer = await http.GetAsync(new Uri("/jwks", UriKind.Relative));

        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
    }

    [Fact, Rfc(8705, "5")]
    public async Task Openid_client_goes_to_the_second_address_when_it_is_told_to_use_aliases()
    {
        var (file, key) = (Path.Combine(folder, "client.pem"), Path.Combine(folder, "client.key"));
        using var certificate = authority.Issue("CN=agent");
        await File.WriteAllTextAsync(file, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());

        var answer = await Node.RunAsync(
            "clients/openid-client-mtls.mjs", "--base", server.Issuer, "--client-id", "agent",
            "--resource", $"{server.Issuer}/mcp/echo", "--certificate", file, "--key", key,
            "--authority", Path.Combine(folder, "server.pem"), "--aliases", $"{Second}/mcp/echo");

        Assert.True(answer.Succeeded, answer.ToString());
        var payload = answer.Json.GetProperty("token").GetProperty("payload");
        Assert.Equal(
            Authority.Thumbprint(certificate), payload.GetProperty("cnf").GetProperty("x5t#S256").GetString());
        Assert.Equal(200, answer.Json.GetProperty("shown").GetInt32());
        Assert.Equal(401, answer.Json.GetProperty("hidden").GetInt32());
    }

    [Fact]
    public async Task An_address_for_certificates_where_none_are_taken_stops_the_start()
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync("client_certificates: none"));

        Assert.Contains("clients_listen", failure.Message, StringComparison.Ordinal);
    }

    private async Task<TestServer> StartAsync(string certificates)
    {
        var (certificate, key) = await MutualTlsHouse.WriteAsync(folder, "CN=127.0.0.1");
        return await TestServer.StartAsync(
            $$"""
            demo: false
            tls: { certificate: {{certificate}}, key: {{key}}, {{certificates}}, clients_listen: {{Second}} }
            mtls: { authorities: [{{authority.File}}] }
            clients:
              - client_id: agent
                token_endpoint_auth_method: tls_client_auth
                tls_client_auth_subject_dn: CN=agent
                tls_client_certificate_bound_access_tokens: true
                grant_types: [client_credentials]
                resources: [echo]
              - client_id: bench
                client_secret: {{App.BenchSecret}}
                grant_types: [client_credentials]
                resources: [echo]
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """,
            scheme: "https");
    }

    private IEnumerable<(string Verb, string Path)> Routes() =>
        from endpoint in server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let path = endpoint.RoutePattern.RawText!.Replace("{server}", "echo", StringComparison.Ordinal)
        from verb in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["POST"]
        select (verb, "/" + path.TrimStart('/'));

    private static HttpClient At(string address, X509Certificate2? shown) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        SslOptions = new()
        {
            RemoteCertificateValidationCallback = (_, theirs, _, _) => theirs is not null,
            ClientCertificateContext =
                shown is null ? null : SslStreamCertificateContext.Create(shown, null, offline: true),
        },
    })
    {
        BaseAddress = new(address),
    };

    private static async Task<JsonElement> MetadataAsync(HttpClient http, string? host, string path)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri($"/.well-known/oauth-authorization-server{path}", UriKind.Relative));
        request.Headers.Host = host;
        using var answer = await http.SendAsync(request);
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync());
    }

    private static async Task<HttpStatusCode> CallAsync(HttpClient http, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/mcp/echo", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        request.Content = new StringContent(
            """{"jsonrpc":"2.0","id":1,"method":"ping"}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }
}
