using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Postern.Tests.OAuth;

namespace Postern.Tests.Interop;

/// <summary>Certificates by which scripts prove themselves, good by the real clock.</summary>
internal sealed class ShownCertificates
{
    private readonly X509Certificate2 authority = Make("CN=An authority", null);

    private readonly X509Certificate2 self = Make("CN=self", null);

    public ShownCertificates() => File.WriteAllText(AuthorityFile, authority.ExportCertificatePem());

    /// <summary>Who is trusted to issue some.</summary>
    public string AuthorityFile { get; } = Path.GetTempFileName();

    /// <summary>The key of the one that nobody issued, as its client registers it.</summary>
    public string Jwks => Authority.Jwks(self);

    /// <summary>
    /// One that was issued for CN=agent, the one that is registered itself, and one that has the issued one's name.
    /// </summary>
    public string Json => JsonSerializer.Serialize(new Dictionary<string, string>
    {
        ["authority"] = authority.ExportCertificatePem(),
        ["issued"] = Text(Make("CN=agent", authority)),
        ["self"] = Text(self),
        ["stranger"] = Text(Make("CN=agent", null)),
        ["jwks"] = Jwks,
    });

    private static string Text(X509Certificate2 certificate) => Convert.ToBase64String(certificate.RawData);

    private static X509Certificate2 Make(string name, X509Certificate2? issuer)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        var isAuthority = name.EndsWith("authority", StringComparison.Ordinal);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            isAuthority ? X509KeyUsageFlags.KeyCertSign : X509KeyUsageFlags.DigitalSignature, true));
        if (!isAuthority)
        {
            request.CertificateExtensions.Add(
                new X509EnhancedKeyUsageExtension([new Oid(Authority.ForClients)], false));
        }

        var now = TimeProvider.System.GetUtcNow();
        return issuer is null
            ? request.CreateSelfSigned(now.AddDays(-1), now.AddDays(3))
            : request.Create(issuer, now.AddDays(-1), now.AddDays(2), RandomNumberGenerator.GetBytes(8));
    }
}
