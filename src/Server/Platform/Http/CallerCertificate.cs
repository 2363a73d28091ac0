using System.Security.Cryptography.X509Certificates;

namespace Postern.Platform.Http;

/// <summary>
/// The certificate that a caller showed: on the connection, or to a proxy that is believed (<see
/// cref="CertificateHeader"/>). That its key is held is proven; whose it is, and whether it is still good, is not.
/// </summary>
/// <param name="Leaf">The certificate.</param>
/// <param name="Above">What came with it, in no order.</param>
internal sealed record CallerCertificate(X509Certificate2 Leaf, IReadOnlyList<X509Certificate2> Above);

/// <summary>What a client sent on a connection beside its own certificate.</summary>
internal sealed record SentCertificates(IReadOnlyList<X509Certificate2> All)
{
    /// <summary>No honest chain is longer.</summary>
    public const int Most = 8;

    public static readonly SentCertificates None = new([]);

    /// <summary>Copies: those of a handshake end with it.</summary>
    public static SentCertificates Of(X509Certificate2Collection sent) =>
        new([.. sent.Take(Most).Select(one => X509CertificateLoader.LoadCertificate(one.RawDataMemory.Span))]);
}

internal static class CallerCertificates
{
    extension(HttpContext http)
    {
        /// <summary>The certificate of the caller; null when it showed none.</summary>
        public CallerCertificate? CallerCertificate => http.Connection.ClientCertificate is { } leaf
            ? new(leaf, (http.Features.Get<SentCertificates>() ?? SentCertificates.None).All)
            : null;
    }
}
