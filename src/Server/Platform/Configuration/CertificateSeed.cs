namespace Postern.Platform.Configuration;

/// <summary>What an operator says of a client's certificates, in the names of RFC 8705 §2.1.2 and §3.4.</summary>
/// <param name="Names">Each member that says which certificate is the client's; there may be one.</param>
/// <param name="BindsTokens">Its tokens are bound to the certificate it shows.</param>
internal sealed record CertificateSeed(IReadOnlyDictionary<string, string> Names, bool BindsTokens)
{
    private static readonly (string Member, string What, string Expected)[] Members =
    [
        ("tls_client_auth_subject_dn", "The subject of its certificate.", "a distinguished name (RFC 4514)"),
        ("tls_client_auth_san_dns", "The DNS name in its certificate.", "a DNS name"),
        ("tls_client_auth_san_uri", "The URI in its certificate.", "a URI"),
        ("tls_client_auth_san_ip", "The IP address in its certificate.", "an IP address"),
        ("tls_client_auth_san_email", "The e-mail address in its certificate.", "an e-mail address"),
    ];

    public static CertificateSeed Read(SettingsNode node)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (member, what, expected) in Members)
        {
            if (node.Text(member, what, null, expected) is { } name)
            {
                names[member] = name;
            }
        }

        return new(names, node.Flag(
            "tls_client_certificate_bound_access_tokens",
            "Its tokens are always bound to the certificate it shows (RFC 8705).",
            false));
    }
}
