using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Postern.Platform.Configuration;

namespace Postern.Platform.Http;

/// <summary>
/// RFC 9440: a proxy that ends TLS says which certificate was shown to it. Of a proxy that an operator named only this
/// counts, since the connection is the proxy's own; of everybody else only the connection does, and what they say of
/// certificates is not even seen by the rest of the house.
/// </summary>
internal sealed class CertificateHeader(RequestDelegate next, Settings settings)
{
    public const string Leaf = "Client-Cert", Chain = "Client-Cert-Chain";

    /// <summary>Characters of one encoded certificate.</summary>
    private const int MaxLength = 16 * 1024;

    // Before the caller's address is taken from a proxy's word: here it is that of the connection.
    public Task InvokeAsync(HttpContext http)
    {
        var (leaf, chain) = (http.Request.Headers[Leaf], http.Request.Headers[Chain]);
        http.Request.Headers.Remove(Leaf);
        http.Request.Headers.Remove(Chain);
        if (settings.MutualTls.Proxies.Count is 0 || !IsBelieved(http.Connection.RemoteIpAddress))
        {
            return next(http);
        }

        if (!TryRead(leaf, chain, out var shown, out var above))
        {
            return OAuthError.InvalidRequest("Client-Cert or Client-Cert-Chain is not as RFC 9440 says.").ToHttp()
                .ExecuteAsync(http);
        }

        // Of this request alone: the next on the same connection may be another client's.
        http.Features.Set<ITlsConnectionFeature>(new Shown(shown));
        http.Features.Set(new SentCertificates(above));
        foreach (var one in above.Append(shown).OfType<X509Certificate2>())
        {
            http.Response.RegisterForDispose(one);
        }

        return next(http);
    }

    private bool IsBelieved(IPAddress? peer)
    {
        var address = peer is { IsIPv4MappedToIPv6: true } ? peer.MapToIPv4() : peer;
        return address is not null && settings.MutualTls.Proxies.Any(network => network.Contains(address));
    }

    // §2.2: one certificate, once. §2.3: those above it, in any number of lines, and never without it.
    internal static bool TryRead(
        StringValues leaf, StringValues chain, out X509Certificate2? shown, out X509Certificate2[] above)
    {
        (shown, above) = (null, []);
        if (leaf.Count is 0)
        {
            return chain.Count is 0;
        }

        var items = chain.Count is 0 ? [] : string.Join(',', chain.ToArray()).Split(',');
        if (leaf is not [{ } text] || items.Length > SentCertificates.Most)
        {
            return false;
        }

        var read = items.Prepend(text).Select(Read).ToList();
        if (read.Contains(null))
        {
            read.ForEach(one => one?.Dispose());
            return false;
        }

        (shown, above) = (read[0], [.. read.Skip(1).OfType<X509Certificate2>()]);
        return true;
    }

    // A byte sequence (RFC 8941 §3.3.5) that is one DER certificate and nothing besides.
    private static X509Certificate2? Read(string item)
    {
        var text = item.AsSpan().Trim(" \t");
        if (text is not [':', .. var encoded, ':'] || encoded.Length > MaxLength || encoded.ContainsAny(" \t\r\n"))
        {
            return null;
        }

        try
        {
            var bytes = Convert.FromBase64String(encoded.ToString());
            var certificate = X509CertificateLoader.LoadCertificate(bytes);
            if (certificate.RawDataMemory.Span.SequenceEqual(bytes))
            {
                return certificate;
            }

            certificate.Dispose();
            return null;
        }
        catch (Exception malformed) when (malformed is FormatException or CryptographicException)
        {
            return null;
        }
    }

    private sealed class Shown(X509Certificate2? certificate) : ITlsConnectionFeature
    {
        public X509Certificate2? ClientCertificate { get; set; } = certificate;

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) =>
            Task.FromResult(ClientCertificate);
    }
}
