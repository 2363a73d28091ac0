using System.Security.Cryptography.X509Certificates;

namespace Postern.Tests.OAuth;

/// <summary>A server behind a proxy that ends TLS and says which certificate was shown to it (RFC 9440).</summary>
internal static class HeaderServer
{
    public static Task<TestServer> StartAsync(
        string settings = "", string clients = "", string proxies = "127.0.0.1/32", string? authority = null) =>
        TestServer.StartAsync(
            $$"""
            demo: false
            mtls: { proxies: [{{proxies}}], authorities: [{{authority}}] }
            {{settings}}
            users:
              - { email: {{Person.Ada}}, password: {{Person.AdasPassword}} }
            clients:
              - client_id: native
                redirect_uris: [http://127.0.0.1:8765/callback]
                tls_client_certificate_bound_access_tokens: true
              - { client_id: web, client_secret: {{App.WebSecret}}, redirect_uris: [https://web.example/cb] }
            {{clients}}
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """);

    /// <summary>As the header has it: a byte sequence.</summary>
    public static string Encoded(X509Certificate2 certificate) => $":{Convert.ToBase64String(certificate.RawData)}:";

    /// <summary>A client whose requests all pass the proxy, which adds these headers.</summary>
    public static HttpClient Behind(TestServer server, params (string Name, string Value)[] headers)
    {
        var http = server.NewBrowser();
        http.DefaultRequestHeaders.Host = new Uri(server.Issuer).Authority;
        foreach (var (name, value) in headers)
        {
            http.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
        }

        return http;
    }

    public static HttpClient Showing(TestServer server, X509Certificate2 certificate) =>
        Behind(server, ("Client-Cert", Encoded(certificate)));

    public static async Task<Reply> AskAsync(
        TestServer server, string client, params X509Certificate2[] shownAndAbove)
    {
        (string, string)[] headers = shownAndAbove switch
        {
            [] => [],
            [var only] => [("Client-Cert", Encoded(only))],
            [var leaf, .. var above] =>
            [
                ("Client-Cert", Encoded(leaf)), ("Client-Cert-Chain", string.Join(", ", above.Select(Encoded))),
            ],
        };
        using var http = Behind(server, headers);
        return await new App(http, server.Issuer, client, "").AsItselfAsync();
    }
}
