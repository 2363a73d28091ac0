using System.Security.Cryptography.X509Certificates;

namespace Postern.Tests.OAuth;

/// <summary>A server that ends TLS itself and whose clients prove themselves by certificates.</summary>
public sealed class MutualTlsHouse : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-").FullName;

    internal Authority Authority { get; } = new();

    /// <summary>Below the authority, and known to nobody else.</summary>
    internal Authority Branch { get; }

    internal X509Certificate2 Own { get; } = Authority.SelfSigned("CN=own");

    internal X509Certificate2 Keyed { get; } = Authority.SelfSigned("CN=keyed");

    internal TestServer Server { get; private set; } = null!;

    /// <summary>What a client must trust to speak with the server.</summary>
    internal string ServerAuthority => Path.Combine(folder, "server.pem");

    public MutualTlsHouse() => Branch = new("CN=A branch", Authority);

    /// <summary>The certificate that belongs to each client.</summary>
    internal X509Certificate2 Of(string client, Authority? by = null) => client switch
    {
        "own" => Own,
        "keyed" => Keyed,
        "dns" => (by ?? Authority).Issue("CN=x", names => names.AddDnsName("agent.example")),
        "uri" => (by ?? Authority).Issue("CN=x", names => names.AddUri(new("https://agent.example/1"))),
        "ip" => (by ?? Authority).Issue("CN=x", names => names.AddIpAddress(System.Net.IPAddress.Parse("192.0.2.7"))),
        "ip6" => (by ?? Authority).Issue(
            "CN=x", names => names.AddIpAddress(System.Net.IPAddress.Parse("2001:db8::7"))),
        "email" => (by ?? Authority).Issue("CN=x", names => names.AddEmailAddress("agent@example.test")),
        "loose" => (by ?? Authority).Issue("CN=loose"),
        _ => (by ?? Authority).Issue("CN=agent, O=Example"),
    };

    public async ValueTask InitializeAsync()
    {
        var (certificate, key) = await WriteAsync(folder, "CN=127.0.0.1");
        Server = await TestServer.StartAsync(
            $$"""
            demo: false
            tls: { certificate: {{certificate}}, key: {{key}}, client_certificates: allowed }
            mtls: { authorities: [{{Authority.File}}] }
            clients:
              - { {{Client("dn", "tls_client_auth")}}, tls_client_auth_subject_dn: 'CN=agent,O=Example', {{Bound}} }
              - { {{Client("dns", "tls_client_auth")}}, tls_client_auth_san_dns: Agent.example }
              - { {{Client("uri", "tls_client_auth")}}, tls_client_auth_san_uri: 'https://agent.example/1' }
              - { {{Client("ip", "tls_client_auth")}}, tls_client_auth_san_ip: 192.0.2.7 }
              - { {{Client("ip6", "tls_client_auth")}}, tls_client_auth_san_ip: '2001:DB8:0:0:0:0:0:7' }
              - { {{Client("email", "tls_client_auth")}}, tls_client_auth_san_email: agent@example.test }
              - { {{Client("loose", "tls_client_auth")}}, tls_client_auth_subject_dn: 'CN=loose' }
              - { {{Client("own", "self_signed_tls_client_auth")}}, jwks: '{{Authority.Jwks(Own)}}', {{Bound}} }
              - { {{Client("keyed", "self_signed_tls_client_auth")}}, jwks: '{{Authority.Jwks(Keyed, false)}}' }
              - { {{Client("secret", "client_secret_post")}}, client_secret: {{App.BenchSecret}} }
              - client_id: watch
                client_secret: {{App.WatchSecret}}
                grant_types: [client_credentials]
                introspects: [echo]
              - client_id: swap
                token_endpoint_auth_method: tls_client_auth
                tls_client_auth_subject_dn: CN=swap
                {{Bound}}
                grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange']
                resources: [echo]
                introspects: [echo]
                actor: service
                exchanges_bound_tokens: true
              - client_id: plainswap
                client_secret: {{App.SwapSecret}}
                exchanges_bound_tokens: true
                grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange']
                resources: [echo]
                introspects: [echo]
                actor: service
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
              - { name: shown, http: http://127.0.0.1:9/mcp, require_certificate: true }
              - { name: proven, http: http://127.0.0.1:9/mcp, require_dpop: true }
            """,
            scheme: "https");
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Array.ForEach([Authority, Branch], authority => authority.Dispose());
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Writes a certificate of a server and its key.</summary>
    internal static async Task<(string Certificate, string Key)> WriteAsync(string folder, string subject)
    {
        using var certificate = Authority.OfServer(subject);
        var (file, key) = (Path.Combine(folder, "server.pem"), Path.Combine(folder, "server.key"));
        await File.WriteAllTextAsync(file, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return (file, key);
    }

    private const string Bound = "tls_client_certificate_bound_access_tokens: true";

    private static string Client(string id, string method) =>
        $"client_id: {id}, token_endpoint_auth_method: {method}, grant_types: [client_credentials], "
        + "resources: [echo, shown, proven], scope: 'mcp:read mcp:write'";
}
