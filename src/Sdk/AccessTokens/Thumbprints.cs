using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.AspNetCore.AccessTokens;

/// <summary>The names of certificates in tokens that are bound to them (RFC 8705 §3.1).</summary>
public static class Thumbprints
{
    /// <summary>SHA-256 of the whole certificate, base64url: what <c>x5t#S256</c> says.</summary>
    public static string Of(X509Certificate2 certificate) =>
        Base64Url.EncodeToString(SHA256.HashData(certificate.RawDataMemory.Span));
}
