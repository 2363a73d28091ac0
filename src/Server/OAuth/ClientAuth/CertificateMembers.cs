using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// What a client registered of its certificates: which one is its own (RFC 8705 §2.1.2), and whether its tokens are
/// bound to it (§3.4).
/// </summary>
internal sealed record CertificateMembers
{
    public static readonly CertificateMembers None = new();

    private const string
        SubjectDn = "tls_client_auth_subject_dn",
        SanDns = "tls_client_auth_san_dns",
        SanUri = "tls_client_auth_san_uri",
        SanIp = "tls_client_auth_san_ip",
        SanEmail = "tls_client_auth_san_email",
        Binds = "tls_client_certificate_bound_access_tokens";

    private const int MaxName = 1000;

    private static readonly string[] NameMembers = [SubjectDn, SanDns, SanUri, SanIp, SanEmail];

    /// <summary>The one member that says which certificate is the client's, and what it says.</summary>
    public string? Member { get; init; }

    public string? Name { get; init; }

    public bool BindsTokens { get; init; }

    public static CertificateMembers Read(MetadataMembers members, AuthMethods methods)
    {
        var binds = members.Flag(Binds);
        if (binds && !methods.TakeCertificates)
        {
            members.Refuse($"{Binds}: nobody can show a certificate here.");
        }

        var names = NameMembers.Select(member => KeyValuePair.Create(member, members.Text(member, MaxName)))
            .Where(name => name.Value is not null)
            .ToDictionary(name => name.Key, name => name.Value!);
        return Of(names, binds, members.Refuse);
    }

    /// <param name="names">What is said of the certificate, by member.</param>
    /// <param name="bindsTokens">Its tokens are bound to it.</param>
    /// <param name="refuse">Hears what is wrong.</param>
    public static CertificateMembers Of(
        IReadOnlyDictionary<string, string> names, bool bindsTokens, Action<string> refuse)
    {
        // §2.1.2: exactly one, or two would have to be weighed against each other.
        if (names.Count > 1)
        {
            refuse($"One of {string.Join(", ", NameMembers)} names the certificate, and not several.");
        }

        var (member, name) = names.FirstOrDefault();
        if (member is not null && !IsReadable(member, name))
        {
            refuse($"{member} is not the name of a certificate.");
        }

        return new() { Member = member, Name = name, BindsTokens = bindsTokens };
    }

    /// <summary>What contradicts itself; null when nothing does.</summary>
    public string? Refusal(string method, bool isBoundToKey, bool hasKeys) => this switch
    {
        { BindsTokens: true } when isBoundToKey =>
            $"Either dpop_bound_access_tokens or {Binds}: a token is bound to one of the two.",
        { Member: null } when method is ClientMetadata.TlsClientAuth =>
            $"{ClientMetadata.TlsClientAuth} needs one of {string.Join(", ", NameMembers)}.",
        { Member: { } named } when method is not ClientMetadata.TlsClientAuth =>
            $"{named} is for {ClientMetadata.TlsClientAuth}.",
        _ when method is ClientMetadata.SelfSignedTlsClientAuth && !hasKeys =>
            $"{ClientMetadata.SelfSignedTlsClientAuth} needs jwks or jwks_uri.",
        _ => null,
    };

    /// <summary>Whether a certificate says of itself what is registered.</summary>
    public bool Names(X509Certificate2 certificate)
    {
        if (Member is SubjectDn)
        {
            return DistinguishedName.Parse(Name!) is { } registered && registered.Is(certificate.SubjectName);
        }

        return CertificateNames.Of(certificate) is { } names && Member switch
        {
            SanDns => names.Dns.Contains(Name, StringComparer.OrdinalIgnoreCase),
            SanUri => names.Uris.Contains(Name),
            SanIp => IPAddress.TryParse(Name, out var address) && names.Addresses.Contains(address),
            SanEmail => names.Emails.Contains(Name),
            _ => false,
        };
    }

    /// <summary>As it is repeated to the client.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        if (Member is not null)
        {
            json[Member] = Name;
        }

        if (BindsTokens)
        {
            json[Binds] = true;
        }

        return json;
    }

    private static bool IsReadable(string member, string name) => member switch
    {
        SubjectDn => DistinguishedName.Parse(name) is not null,
        SanIp => IPAddress.TryParse(name, out _),
        SanUri => Uri.TryCreate(name, UriKind.Absolute, out _),
        SanEmail => name.Contains('@'),
        _ => name.Length > 0,
    };
}
