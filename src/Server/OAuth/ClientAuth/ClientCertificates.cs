using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.IdentityModel.Tokens;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Outbound;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Mutual TLS (RFC 8705 §2): a client proves itself by the certificate of its connection, one that an authority issued
/// or one that it registered.
/// </summary>
internal sealed class ClientCertificates(Settings settings, ClientKeys keys, TimeProvider clock)
{
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    private readonly X509Certificate2Collection authorities =
        [.. settings.MutualTls.Authorities.SelectMany(file => OutboundOptions.AuthoritiesIn(file, "mtls.authorities"))];

    /// <summary>Null when the certificate proves the client; else why not, for the log.</summary>
    public async ValueTask<string?> RefusalAsync(HttpContext http, Client client, CancellationToken stop)
    {
        if (http.CallerCertificate is not { } shown)
        {
            return "no certificate on the connection";
        }

        if (client.AuthMethods.Contains(ClientMetadata.TlsClientAuth))
        {
            return client.Certificate.Names(shown.Leaf)
                ? PathRefusal(shown, authorities, clock.GetUtcNow())
                : "the certificate is another's";
        }

        var now = clock.GetUtcNow();
        return now < new DateTimeOffset(shown.Leaf.NotBefore) || now >= new DateTimeOffset(shown.Leaf.NotAfter)
            ? "the certificate is not good now"
            : await keys.HasAsync(client, key => IsOf(key, shown.Leaf), stop)
                ? null
                : "the certificate is not one that the client registered";
    }

    /// <summary>
    /// Whether a certificate leads to one of these authorities, is for clients and is good now (RFC 5280 §6); null when
    /// it does. Nothing is fetched for it, and nothing that the machine trusts counts.
    /// </summary>
    public static string? PathRefusal(
        CallerCertificate shown, X509Certificate2Collection authorities, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(authorities);
        policy.ExtraStore.AddRange(shown.Above.ToArray());
        policy.ApplicationPolicy.Add(ClientAuthentication);
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.VerificationTime = now.LocalDateTime;
        return chain.Build(shown.Leaf)
            ? null
            : $"the certificate leads nowhere: {string.Join(", ", chain.ChainStatus.Select(why => why.Status))}";
    }

    // §2.2.2: the certificate stands in x5c. A key that is registered without one says as much: that it is held was
    // proven when the connection began.
    private static bool IsOf(JsonWebKey key, X509Certificate2 certificate)
    {
        try
        {
            return key.X5c is [var encoded, ..]
                ? certificate.RawDataMemory.Span.SequenceEqual(Convert.FromBase64String(encoded))
                : ThumbprintOf(certificate) is { } own && key.ComputeJwkThumbprint().AsSpan().SequenceEqual(own);
        }
        catch (Exception malformed) when (malformed is FormatException or ArgumentException or CryptographicException)
        {
            return false;
        }
    }

    private static byte[]? ThumbprintOf(X509Certificate2 certificate)
    {
        using var ec = certificate.GetECDsaPublicKey();
        using var rsa = certificate.GetRSAPublicKey();
        return (ec, rsa) switch
        {
            ({ }, _) => new ECDsaSecurityKey(ec).ComputeJwkThumbprint(),
            (_, { }) => new RsaSecurityKey(rsa.ExportParameters(false)).ComputeJwkThumbprint(),
            _ => null,
        };
    }
}
