using System.Buffers.Text;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Tests.OAuth;

/// <summary>Somebody who issues certificates, and keeps their keys with them.</summary>
internal sealed class Authority : IDisposable
{
    public const string ForClients = "1.3.6.1.5.5.7.3.2", ForServers = "1.3.6.1.5.5.7.3.1";

    // Around the time of the tests' clock.
    private static readonly DateTimeOffset
        Begin = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), End = new(2027, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string file = Path.GetTempFileName();
    private int serial;

    public Authority(
        string name = "CN=An authority", Authority? above = null, Action<CertificateRequest>? change = null)
    {
        var (request, key) = Request(name, null);
        using (key)
        {
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            request.CertificateExtensions.Add(
                new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
            change?.Invoke(request);
            Certificate = above is null
                ? request.CreateSelfSigned(Begin, End)
                : request.Create(above.Certificate, Begin, End, above.Next()).CopyWithPrivateKey(key);
        }

        System.IO.File.WriteAllText(file, Certificate.ExportCertificatePem());
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>Its certificate, as an operator would name it.</summary>
    public string File => file;

    /// <summary>A certificate of a client, with what a test changes.</summary>
    public X509Certificate2 Issue(
        string subject,
        Action<SubjectAlternativeNameBuilder>? names = null,
        Action<CertificateRequest>? change = null,
        string usage = ForClients,
        ECDsa? like = null,
        (DateTimeOffset Begin, DateTimeOffset End)? good = null)
    {
        var (request, key) = Request(subject, like);
        Extend(request, names, usage);
        change?.Invoke(request);
        var (begin, end) = good ?? (Begin, End.AddDays(-1));
        return request.Create(Certificate, begin, end, Next()).CopyWithPrivateKey(key);
    }

    /// <summary>One whose name a test has made of bytes.</summary>
    public X509Certificate2 Issue(X500DistinguishedName name)
    {
        var (_, key) = Request("CN=x", null);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        Extend(request, null, ForClients);
        return request.Create(Certificate, Begin, End.AddDays(-1), Next()).CopyWithPrivateKey(key);
    }

    /// <summary>A certificate that nobody issued.</summary>
    public static X509Certificate2 SelfSigned(
        string subject, ECDsa? like = null, (DateTimeOffset Begin, DateTimeOffset End)? good = null)
    {
        var (request, _) = Request(subject, like);
        Extend(request, null, ForClients);
        var (begin, end) = good ?? (Begin, End);
        return request.CreateSelfSigned(begin, end);
    }

    /// <summary>One of a server on this machine, good by the real clock: clients of others look at that.</summary>
    public static X509Certificate2 OfServer(string subject)
    {
        var (request, _) = Request(subject, null);
        Extend(request, names => names.AddIpAddress(System.Net.IPAddress.Loopback), ForServers);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
    }

    /// <summary>A key of a client as it registers it, with the certificate or without.</summary>
    public static string Jwks(X509Certificate2 certificate, bool withCertificate = true)
    {
        var q = certificate.GetECDsaPublicKey()!.ExportParameters(false).Q;
        var chain = withCertificate ? $$""","x5c":["{{Convert.ToBase64String(certificate.RawData)}}"]""" : "";
        var (x, y) = (Base64Url.EncodeToString(q.X), Base64Url.EncodeToString(q.Y));
        return $$"""{"keys":[{"kty":"EC","crv":"P-256","kid":"c","x":"{{x}}","y":"{{y}}"{{chain}}}]}""";
    }

    /// <summary>A connection on which a certificate is shown, with those above it, or none.</summary>
    public static HttpClient Connect(TestServer server, X509Certificate2? shown, params X509Certificate2[] above) =>
        new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, theirs, _, _) => theirs is not null,
                ClientCertificateContext = shown is null
                    ? null
                    : SslStreamCertificateContext.Create(shown, [.. above], offline: true),
            },
        })
        {
            BaseAddress = server.Http.BaseAddress,
        };

    /// <summary>SHA-256 of the certificate (RFC 8705 §3.1).</summary>
    public static string Thumbprint(X509Certificate2 certificate) =>
        Base64Url.EncodeToString(SHA256.HashData(certificate.RawData));

    public void Dispose()
    {
        Certificate.Dispose();
        System.IO.File.Delete(file);
    }

    private static (CertificateRequest Request, ECDsa Key) Request(string subject, ECDsa? like)
    {
        var key = like ?? ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (new(new X500DistinguishedName(subject), key, HashAlgorithmName.SHA256), key);
    }

    private static void Extend(CertificateRequest request, Action<SubjectAlternativeNameBuilder>? names, string usage)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        if (names is not null)
        {
            var builder = new SubjectAlternativeNameBuilder();
            names(builder);
            request.CertificateExtensions.Add(builder.Build());
        }
    }

    private byte[] Next() => BitConverter.GetBytes(++serial).Prepend((byte)1).ToArray();
}
