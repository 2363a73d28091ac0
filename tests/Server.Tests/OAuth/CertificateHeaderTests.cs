using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Postern.Tests.OAuth;

/// <summary>The certificate that a proxy says was shown to it (RFC 9440): its word counts, and nobody else's.</summary>
public sealed class CertificateHeaderTests : IAsyncLifetime
{
    private const string Clients = """
          - client_id: agent
            token_endpoint_auth_method: tls_client_auth
            tls_client_auth_subject_dn: CN=agent
            tls_client_certificate_bound_access_tokens: true
            grant_types: [client_credentials]
            resources: [echo]
            scope: mcp:read
        """;

    private readonly Authority authority = new();
    private TestServer server = null!;

    public async ValueTask InitializeAsync() =>
        server = await HeaderServer.StartAsync(clients: Clients, authority: authority.File);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        authority.Dispose();
    }

    [Fact, Rfc(9440, "2.2"), Rfc(9440, "2.3")]
    public async Task A_proxy_that_is_named_says_which_certificate_was_shown_and_what_came_with_it()
    {
        using var branch = new Authority("CN=A branch", authority);
        using var twig = new Authority("CN=A twig", branch);
        using var certificate = authority.Issue("CN=agent");
        using var below = twig.Issue("CN=agent");

        var direct = await HeaderServer.AskAsync(server, "agent", certificate);
        var whole = await HeaderServer.AskAsync(server, "agent", below, branch.Certificate, twig.Certificate);
        var part = await HeaderServer.AskAsync(server, "agent", below, twig.Certificate);

        Assert.True(direct.Status is HttpStatusCode.OK, direct.Text);
        Assert.True(whole.Status is HttpStatusCode.OK, whole.Text);
        TokenTests.Refused(part, "invalid_client");
        Assert.Equal(
            $$"""{"x5t#S256":"{{Authority.Thumbprint(certificate)}}"}""", direct.Claims.GetProperty("cnf").ToString());
    }

    [Fact, Rfc(9440, "4")]
    public async Task From_anybody_else_the_header_is_as_if_it_were_not_there()
    {
        await using var other = await HeaderServer.StartAsync(
            clients: Clients, proxies: "192.0.2.1/32", authority: authority.File);
        using var certificate = authority.Issue("CN=agent");
        var token = (await HeaderServer.AskAsync(server, "agent", certificate)).AccessToken;
        using var forged = HeaderServer.Showing(other, certificate);
        using var broken = HeaderServer.Behind(other, ("Client-Cert", "x"), ("Client-Cert-Chain", "x"));

        var asked = await HeaderServer.AskAsync(other, "agent", certificate);
        using var ignored = await broken.GetAsync("/healthz");

        TokenTests.Refused(asked, "invalid_client");
        Assert.Equal(HttpStatusCode.OK, ignored.StatusCode);
        Assert.NotEqual("", token);
    }

    [Fact]
    public async Task Behind_a_proxy_a_bound_token_is_good_with_its_certificate_alone()
    {
        using var certificate = authority.Issue("CN=agent");
        using var another = authority.Issue("CN=agent");
        var token = (await HeaderServer.AskAsync(server, "agent", certificate)).AccessToken;

        Assert.NotEqual(HttpStatusCode.Unauthorized, await CallAsync(certificate, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(another, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(null, token));
    }

    public static TheoryData<string> Malformed =>
    [
        "twice", "in one line", "no colons", "one colon", "empty", "not base64", "blanks inside", "PEM inside",
        "something behind", "no certificate", "a parameter", "chain alone", "chain malformed", "chain empty",
        "chain too long",
    ];

    [Theory, MemberData(nameof(Malformed)), Rfc(9440, "2.1"), Rfc(9440, "2.2"), Rfc(9440, "2.3"), Rfc(9440, "2.4")]
    public async Task What_a_proxy_says_unclearly_is_refused(string what)
    {
        using var certificate = authority.Issue("CN=agent");
        var (good, raw) = (HeaderServer.Encoded(certificate), certificate.RawData);
        var pem = Encoding.ASCII.GetBytes(certificate.ExportCertificatePem());
        (string, string)[] headers = what switch
        {
            "twice" => [("Client-Cert", good), ("Client-Cert", good)],
            "in one line" => [("Client-Cert", $"{good}, {good}")],
            "no colons" => [("Client-Cert", good.Trim(':'))],
            "one colon" => [("Client-Cert", good[..^1])],
            "empty" => [("Client-Cert", "::")],
            "not base64" => [("Client-Cert", ":?" + good[1..])],
            "blanks inside" => [("Client-Cert", good[..60] + " " + good[60..])],
            "PEM inside" =>
                [("Client-Cert", $":{Convert.ToBase64String(pem)}:")],
            "something behind" => [("Client-Cert", $":{Convert.ToBase64String([.. raw, 0])}:")],
            "no certificate" => [("Client-Cert", $":{Convert.ToBase64String([1, 2, 3])}:")],
            "a parameter" => [("Client-Cert", good + ";a=1")],
            "chain alone" => [("Client-Cert-Chain", good)],
            "chain malformed" => [("Client-Cert", good), ("Client-Cert-Chain", $"{good}, x")],
            "chain empty" => [("Client-Cert", good), ("Client-Cert-Chain", ",")],
            _ => [("Client-Cert", good), ("Client-Cert-Chain", string.Join(',', Enumerable.Repeat(good, 9)))],
        };
        using var http = HeaderServer.Behind(server, headers);

        TokenTests.Refused(
            await new App(http, server.Issuer, "agent", "").AsItselfAsync(), "invalid_request");
    }

    [Theory, Rfc(9440, "2.2"), Rfc(9440, "2.4")]
    [InlineData("POST", "/token")]
    [InlineData("POST", "/introspect")]
    [InlineData("GET", "/userinfo")]
    [InlineData("POST", "/mcp/echo")]
    [InlineData("GET", "/mcp/echo")]
    public async Task What_a_certificate_decides_is_kept_by_no_cache(string verb, string path)
    {
        using var certificate = authority.Issue("CN=agent");
        var token = (await HeaderServer.AskAsync(server, "agent", certificate)).AccessToken;
        using var showing = HeaderServer.Showing(server, certificate);
        using var bare = HeaderServer.Behind(server);

        foreach (var http in (HttpClient[])[showing, bare])
        {
            using var request = new HttpRequestMessage(new(verb), path);
            request.Headers.Accept.ParseAdd("application/json, text/event-stream");
            request.Headers.Authorization = path is "/token" or "/introspect" ? null : new("Bearer", token);
            request.Content = (verb, path) switch
            {
                ("GET", _) => null,
                (_, "/mcp/echo") => new StringContent(
                    """{"jsonrpc":"2.0","id":1,"method":"ping"}""", Encoding.UTF8, "application/json"),
                _ => new FormUrlEncodedContent(
                    [new("grant_type", "client_credentials"), new("client_id", "agent"), new("token", token)]),
            };
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

            Assert.True(answer.Headers.CacheControl is { NoStore: true }, $"{answer.StatusCode}");
            Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Client-Cert"));
        }
    }

    [Fact]
    public async Task The_next_request_on_the_proxys_connection_is_another_clients()
    {
        using var certificate = authority.Issue("CN=agent");
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(server.Issuer).Port);
        await using var stream = socket.GetStream();

        var first = await AskAsync(stream, $"Client-Cert: {HeaderServer.Encoded(certificate)}\r\n");
        var second = await AskAsync(stream, "");
        var third = await AskAsync(stream, $"Client-Cert: {HeaderServer.Encoded(certificate)}\r\n");

        Assert.StartsWith("HTTP/1.1 200", first);
        Assert.StartsWith("HTTP/1.1 401", second);
        Assert.StartsWith("HTTP/1.1 200", third);
    }

    [Fact]
    public async Task The_proxys_own_certificate_is_nobodys()
    {
        var folder = Directory.CreateTempSubdirectory("postern-").FullName;
        var (file, key) = await MutualTlsHouse.WriteAsync(folder, "CN=127.0.0.1");
        await using var tls = await TestServer.StartAsync(
            $$"""
            demo: false
            tls: { certificate: {{file}}, key: {{key}}, client_certificates: allowed }
            mtls: { proxies: [127.0.0.1/32], authorities: [{{authority.File}}] }
            clients:
            {{Clients}}
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """,
            scheme: "https");
        using var certificate = authority.Issue("CN=agent");
        using var proxy = Authority.Connect(tls, certificate);

        var own = await new App(proxy, tls.Issuer, "agent", "").AsItselfAsync();
        proxy.DefaultRequestHeaders.TryAddWithoutValidation("Client-Cert", HeaderServer.Encoded(certificate));
        var shown = await new App(proxy, tls.Issuer, "agent", "").AsItselfAsync();

        TokenTests.Refused(own, "invalid_client");
        Assert.Equal(HttpStatusCode.OK, shown.Status);
        Directory.Delete(folder, recursive: true);
    }

    private async Task<string> AskAsync(Stream stream, string header)
    {
        const string body = "grant_type=client_credentials&client_id=agent";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /token HTTP/1.1\r\nHost: {new Uri(server.Issuer).Authority}\r\n{header}"
            + $"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        var text = "";
        var buffer = new byte[8192];
        while (!text.Contains("\r\n\r\n") || !IsWhole(text))
        {
            text += Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer));
        }

        return text;
    }

    // Errors come in chunks, tokens with their length.
    private static bool IsWhole(string text) => text.Contains("Transfer-Encoding: chunked")
        ? text.EndsWith("0\r\n\r\n", StringComparison.Ordinal)
        : text.EndsWith('}');

    private async Task<HttpStatusCode> CallAsync(X509Certificate2? shown, string token)
    {
        using var http = shown is null ? HeaderServer.Behind(server) : HeaderServer.Showing(server, shown);
        return await new App(http, server.Issuer, "", "").CallAsync(token);
    }
}
