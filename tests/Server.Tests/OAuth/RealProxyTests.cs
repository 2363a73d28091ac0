using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Tests.OAuth;

/// <summary>HAProxy in front, which ends TLS and says in RFC 9440's words which certificate it was shown.</summary>
public sealed class RealProxyTests : IAsyncLifetime
{
    private readonly Authority authority = new();
    private readonly string folder = Directory.CreateTempSubdirectory("postern-").FullName;
    private readonly int port = Postgres.FreePort();
    private TestServer server = null!;
    private Process proxy = null!;

    public async ValueTask InitializeAsync()
    {
        server = await HeaderServer.StartAsync(
            clients: """
                  - client_id: agent
                    token_endpoint_auth_method: tls_client_auth
                    tls_client_auth_subject_dn: CN=agent
                    tls_client_certificate_bound_access_tokens: true
                    grant_types: [client_credentials]
                    resources: [echo]
                    scope: mcp:read
                """,
            authority: authority.File);
        var (certificate, key) = await MutualTlsHouse.WriteAsync(folder, "CN=127.0.0.1");
        var both = Path.Combine(folder, "both.pem");
        await File.WriteAllLinesAsync(
            both, [await File.ReadAllTextAsync(certificate), await File.ReadAllTextAsync(key)]);
        // As README.md says it. Which certificates are good is for the server to say, by the tests' own clock.
        var client = $"ca-file {authority.File} verify optional ca-ignore-err all crt-ignore-err all";
        await File.WriteAllTextAsync(Path.Combine(folder, "haproxy.cfg"), $$"""
            defaults
              mode http
              timeout connect 10s
              timeout client 60s
              timeout server 60s
            frontend people
              bind 127.0.0.1:{{port}} ssl crt {{both}} {{client}}
              http-request del-header Client-Cert
              http-request del-header Client-Cert-Chain
              http-request set-header Client-Cert :%[ssl_c_der,base64]: if { ssl_c_used }
              default_backend postern
            backend postern
              server one {{new Uri(server.Issuer).Authority}}

            """);
        proxy = Process.Start(new ProcessStartInfo("haproxy", ["-db", "-q", "-f", Path.Combine(folder, "haproxy.cfg")])
        {
            Environment = { ["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin" },
        })!;
        await Eventually.TrueAsync(IsListeningAsync);
    }

    public async ValueTask DisposeAsync()
    {
        proxy.Kill();
        await proxy.WaitForExitAsync();
        proxy.Dispose();
        await server.DisposeAsync();
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact, Rfc(9440, "2.1"), Rfc(9440, "2.2"), Rfc(8705, "3"), Combines("tls_client_auth", "certificate")]
    public async Task What_a_real_proxy_says_proves_the_client_and_binds_its_token()
    {
        using var certificate = authority.Issue("CN=agent");
        using var another = authority.Issue("CN=agent");

        var reply = await AskAsync(certificate);

        Assert.True(reply.Status is HttpStatusCode.OK, reply.Text);
        Assert.Contains(Authority.Thumbprint(certificate), reply.Claims.GetProperty("cnf").ToString());
        Assert.NotEqual(HttpStatusCode.Unauthorized, await CallAsync(certificate, reply.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(another, reply.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(null, reply.AccessToken));
    }

    [Fact, Rfc(9440, "4")]
    public async Task Through_it_nobody_says_of_himself_what_it_was_shown()
    {
        using var certificate = authority.Issue("CN=agent");
        using var stranger = Authority.SelfSigned("CN=agent");
        using var forged = Connect(null);
        forged.DefaultRequestHeaders.TryAddWithoutValidation("Client-Cert", HeaderServer.Encoded(certificate));
        using var replaced = Connect(stranger);
        replaced.DefaultRequestHeaders.TryAddWithoutValidation("Client-Cert", HeaderServer.Encoded(certificate));

        TokenTests.Refused(await new App(forged, server.Issuer, "agent", "").AsItselfAsync(), "invalid_client");
        TokenTests.Refused(await new App(replaced, server.Issuer, "agent", "").AsItselfAsync(), "invalid_client");
        TokenTests.Refused(await AskAsync(null), "invalid_client");
    }

    private async Task<Reply> AskAsync(X509Certificate2? shown)
    {
        using var http = Connect(shown);
        return await new App(http, server.Issuer, "agent", "").AsItselfAsync();
    }

    private async Task<HttpStatusCode> CallAsync(X509Certificate2? shown, string token)
    {
        using var http = Connect(shown);
        return await new App(http, server.Issuer, "", "").CallAsync(token);
    }

    private HttpClient Connect(X509Certificate2? shown)
    {
        var http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, theirs, _, _) => theirs is not null,
                ClientCertificateContext = shown is null
                    ? null
                    : SslStreamCertificateContext.Create(shown, null, offline: true),
            },
        })
        {
            BaseAddress = new($"https://127.0.0.1:{port}"),
        };
        http.DefaultRequestHeaders.Host = new Uri(server.Issuer).Authority;
        return http;
    }

    private async Task<bool> IsListeningAsync()
    {
        Assert.False(proxy.HasExited);
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
