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
    public static void On(ListenOptions listen, TlsSeed seed)
    {
        var services = listen.ApplicationServices;
        var certificate = new ServerCertificate(
            seed,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<ServerCertificate>>());
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = arriving => new(OptionsOf(certificate, seed.AsksClients, arriving.Connection)),
        });
    }

    private static SslServerAuthenticationOptions OptionsOf(
        ServerCertificate certificate, bool asksClients, ConnectionContext connection) => new()
        {
            ServerCertificateContext = certificate.Current,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
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
