using System.Security.Cryptography.X509Certificates;
using Postern.Platform.Http;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Workloads that prove themselves by what SPIFFE gave them (draft-ietf-oauth-spiffe-client-auth): a JWT-SVID as
/// assertion, or an X.509-SVID on the connection. Who may have issued it is decided by its trust domain alone.
/// </summary>
internal sealed class Svids(SpiffeBundles bundles, TimeProvider clock)
{
    /// <summary>What SPIFFE signs with that is served.</summary>
    private static readonly string[] Algorithms = ["ES256", "ES384", "PS256", "RS256"];

    /// <summary>JWT-SVID §2: these, and no others.</summary>
    private static readonly string[] HeaderMembers = ["alg", "kid", "typ"];

    /// <summary>They are used again and again while they last, so they must not last long.</summary>
    private static readonly TimeSpan MaxLife = TimeSpan.FromHours(1);

    /// <summary>The workload that a JWT-SVID says it is of, not yet proven.</summary>
    public static string? Claimed(string svid) => ForeignToken.Read(svid)?.Text("sub");

    /// <summary>Null when a JWT-SVID proves the client (§3.1); else why not, for the log.</summary>
    public async ValueTask<string?> RefusalAsync(
        Tenant tenant, Client client, string? named, string svid, CancellationToken stop)
    {
        if (ForeignToken.Read(svid) is not { } token)
        {
            return "svid: malformed";
        }

        if (SpiffeId.Parse(token.Text("sub")) is not { } id || !IsOf(client, named, id))
        {
            return "svid: of another workload, or of none";
        }

        if (token switch
        {
            { Typ: not (null or "jwt" or "jose") } => "another kind of token",
            _ when token.Header.EnumerateObject().Any(member => !HeaderMembers.Contains(member.Name)) =>
                "more in the header than an SVID has",
            _ when !token.IsForAlone(tenant.Issuer) => "aud is not this issuer alone",
            _ => token.TimeRefusal(clock.GetUtcNow(), MaxLife),
        } is { } refusal)
        {
            return $"svid: {refusal}";
        }

        // An iss says nothing (JWT-SVID §3 knows none): whose keys count stands in sub, and some domains name there
        // where others find theirs.
        var bundle = await bundles.FindAsync(
            id.TrustDomain, known => known.Keys.Any(key => key.Kid == token.Kid), stop);
        return bundle is not null && token.Kid is not null && await token.IsSignedByAsync(bundle.Keys, Algorithms)
            ? null
            : "svid: not signed by its trust domain";
    }

    /// <summary>Null when the X.509-SVID of the connection proves the client (§3.2); else why not.</summary>
    public async ValueTask<string?> RefusalAsync(HttpContext http, Client client, string? named, CancellationToken stop)
    {
        // The request names the workload itself, so that it is not the certificate that says which client it means.
        if (http.CallerCertificate is not { } shown || SpiffeId.Parse(named) is null)
        {
            return "no certificate on the connection, or no SPIFFE ID as client_id";
        }

        if (CertificateNames.Of(shown.Leaf) is not { Uris: [var uri] }
            || SpiffeId.Parse(uri) is not { } id || !IsOf(client, named, id))
        {
            return "the certificate is of another workload, or of none";
        }

        if (!IsLeaf(shown.Leaf))
        {
            return "the certificate is not one of a workload";
        }

        return await bundles.FindAsync(id.TrustDomain, _ => true, stop) is { Authorities: { Count: > 0 } authorities }
            ? ClientCertificates.PathRefusal(shown, authorities, clock.GetUtcNow())
            : "nothing is known of the trust domain";
    }

    // What the request calls itself, when that is a SPIFFE ID, is what the SVID is of.
    private static bool IsOf(Client client, string? named, SpiffeId id) =>
        client.SpiffeId is { } pattern && pattern.Has(id)
        && (named is null || !named.StartsWith(SpiffeId.Scheme, StringComparison.Ordinal) || named == id.ToString());

    // X509-SVID §4: no authority, and for signatures.
    private static bool IsLeaf(X509Certificate2 certificate) =>
        !certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(one => one.CertificateAuthority)
        && certificate.Extensions.OfType<X509KeyUsageExtension>().ToList() is [{ KeyUsages: var usages }]
        && usages.HasFlag(X509KeyUsageFlags.DigitalSignature)
        && (usages & (X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign)) is X509KeyUsageFlags.None;
}
