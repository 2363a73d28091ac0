using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Postern.Tests.OAuth;

/// <summary>What stands around everything else: how connections are made, and what browsers are told of it.</summary>
public sealed class TlsTests(MutualTlsHouse house) : IClassFixture<MutualTlsHouse>
{
    private const string Profile = "FAPI 2.0 Security Profile";

    [Theory, Rfc(Profile, "5.2.1"), Rfc(Profile, "5.2.2"), Rfc(Profile, "5.2.3")]
    [InlineData(SslProtocols.Tls13, TlsCipherSuite.TLS_AES_128_GCM_SHA256, true)]
    [InlineData(SslProtocols.Tls12, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, true)]
    [InlineData(SslProtocols.Tls12, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, true)]
    [InlineData(SslProtocols.Tls12, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, false)]
    [InlineData(SslProtocols.Tls12, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, false)]
    public async Task What_is_not_recommended_makes_no_connection(
        SslProtocols protocol, TlsCipherSuite suite, bool isTaken)
    {
        Assert.True(OperatingSystem.IsLinux());
        using var client = await ConnectAsync();
        await using var tls = new SslStream(client.GetStream(), false, (_, shown, _, _) => shown is not null);

        var failure = await Record.ExceptionAsync(() => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "127.0.0.1",
            EnabledSslProtocols = protocol,
            CipherSuitesPolicy = new([suite]),
        }));

        Assert.True(isTaken == failure is null, failure?.ToString());
        Assert.True(isTaken ? tls.NegotiatedCipherSuite == suite : failure is AuthenticationException or IOException);
    }

    [Fact, Rfc(Profile, "5.2.1")]
    public async Task TLS_before_1_2_makes_no_connection()
    {
        using var client = await ConnectAsync();
        // A greeting that knows TLS 1.1 and no more: three suites of that time, P-256, points as they are.
        byte[] extensions = [0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0];
        byte[] body =
        [
            3, 2, .. new byte[32], 0, 0, 6, 0xc0, 0x0a, 0xc0, 0x14, 0, 0x2f, 1, 0,
            0, (byte)extensions.Length, .. extensions,
        ];
        byte[] hello = [22, 3, 1, 0, (byte)(body.Length + 4), 1, 0, 0, (byte)body.Length, .. body];
        await client.GetStream().WriteAsync(hello);
        var answer = new byte[1];

        var read = await client.GetStream().ReadAtLeastAsync(answer, 1, throwOnEndOfStream: false);

        // An alert, or nothing: never the server's own greeting.
        Assert.True(read is 0 || answer[0] is 21, $"{answer[0]}");
    }

    [Theory, Rfc(Profile, "5.2.3"), InlineData("/signin"), InlineData("/authorize?client_id=x"), InlineData("/me")]
    public async Task A_browser_that_was_here_once_does_not_come_without_TLS_again(string path)
    {
        using var http = Browser();
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal("max-age=31536000", answer.Headers.GetValues("Strict-Transport-Security").Single());
    }

    [Theory, Rfc(Profile, "5.2.3"), InlineData("GET"), InlineData("POST"), InlineData("OPTIONS")]
    public async Task The_authorization_endpoint_is_for_no_page_of_another_origin(string verb)
    {
        using var request = new HttpRequestMessage(
            new(verb), new Uri("/authorize?client_id=x&response_type=code", UriKind.Relative));
        request.Headers.Add("Origin", "https://elsewhere.example");
        if (verb is "OPTIONS")
        {
            request.Headers.Add("Access-Control-Request-Method", "GET");
        }

        using var http = Browser();
        using var answer = await http.SendAsync(request);

        Assert.DoesNotContain(
            answer.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.Ordinal));
        Assert.NotEqual(HttpStatusCode.NoContent, answer.StatusCode);
    }

    private HttpClient Browser() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null },
    })
    {
        BaseAddress = new(house.Server.Issuer),
    };

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(house.Server.Issuer).Port);
        return client;
    }
}
