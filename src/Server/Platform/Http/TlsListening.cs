using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Postern.Platform.Configuration;

namespace Postern.Platform.Http;

/// <summary>
/// TLS of our own. A client may show a certificate, which is kept and not judged here: whether it is worth anything is
/// for whoever asks who the client is.
/// </summary>
internal static class TlsListening
{
    // BCP 195 (RFC 9325 §4.2): of TLS 1.2 what is recommended, and all of TLS 1.3. Elsewhere the system decides.
    private static readonly CipherSuitesPolicy? Suites = OperatingSystem.IsLinux()
        ? new(
        [
            TlsCipherSuite.TLS_AES_128_GCM_SHA256,
            TlsCipherSuite.TLS_AES_256_GCM_SHA384,
            TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ])
        : null;

    public static void On(ListenOptions listen, TlsSeed seed, bool asksClients)
    {
        var services = listen.ApplicationServices;
        var certificate = new ServerCertificate(
            seed,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<ServerCertificate>>());
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = arriving => new(OptionsOf(certificate, asksClients, arriving.Connection)),
        });
    }

    private static SslServerAuthenticationOptions OptionsOf(
        ServerCertificate certificate, bool asksClients, ConnectionContext connection) => new()
        {
            ServerCertificateContext = certificate.Current,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CipherSuitesPolicy = Suites,
            ClientCertificateRequired = asksClients,
            // A resumed connection would not bring the certificates above the client's.
            AllowTlsResume = !asksClients,
            // The platform looks at the chain before we do. A stranger's certificate names addresses of missing parts
            // and of revocation lists: none of them is fetched.
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = new()
            {
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
                TrustMode = X509ChainTrustMode.CustomRootTrust,
            },
            RemoteCertificateValidationCallback = (_, shown, chain, _) => Keep(connection, shown, chain),
        };

    [SuppressMessage(
        "Security", "CA5359", Justification = "The certificate of a client, which is judged where it counts.")]
    private static bool Keep(ConnectionContext connection, X509Certificate? shown, X509Chain? chain)
    {
        if (shown is not null && chain is not null)
        {
            connection.Features.Set(SentCertificates.Of(chain.ChainPolicy.ExtraStore));
        }

        return true;
    }
}
