using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Postern.OAuth.ClientAuth;

/// <summary>The other names in a certificate (RFC 5280 §4.2.1.6) by which clients are known.</summary>
internal sealed record CertificateNames(
    IReadOnlyList<string> Dns,
    IReadOnlyList<string> Uris,
    IReadOnlyList<IPAddress> Addresses,
    IReadOnlyList<string> Emails)
{
    private const string Extension = "2.5.29.17";

    // The tags of GeneralName.
    private const int Email = 1, DnsName = 2, UriName = 6, Address = 7;

    /// <summary>Null when there are none, or they are not as they must be: nobody is known by such.</summary>
    public static CertificateNames? Of(X509Certificate2 certificate)
    {
        var extensions = certificate.Extensions.Where(one => one.Oid?.Value is Extension).ToList();
        try
        {
            return extensions is [{ RawData: var bytes }] ? Read(bytes) : null;
        }
        catch (Exception malformed) when (malformed is AsnContentException or ArgumentException)
        {
            return null;
        }
    }

    private static CertificateNames Read(byte[] bytes)
    {
        var (dns, uris, addresses, emails) =
            (new List<string>(), new List<string>(), new List<IPAddress>(), new List<string>());
        var outer = new AsnReader(bytes, AsnEncodingRules.DER);
        var names = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        while (names.HasData)
        {
            var tag = names.PeekTag();
            switch (tag)
            {
                case { TagClass: TagClass.ContextSpecific, TagValue: DnsName }:
                    dns.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                    break;
                case { TagClass: TagClass.ContextSpecific, TagValue: UriName }:
                    uris.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                    break;
                case { TagClass: TagClass.ContextSpecific, TagValue: Email }:
                    emails.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                    break;
                case { TagClass: TagClass.ContextSpecific, TagValue: Address }:
                    addresses.Add(new(names.ReadOctetString(tag)));
                    break;
                default:
                    names.ReadEncodedValue();
                    break;
            }
        }

        return new(dns, uris, addresses, emails);
    }
}
