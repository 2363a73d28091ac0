namespace Postern.Tests;

/// <summary>
/// The sections in which the implemented standards say what an authorization server or a resource server MUST do: each
/// has a test, or a reason why it asks nothing of this one.
/// </summary>
internal static class Musts
{
    private const string
        ByReference = "request objects are taken by value alone", NoEncryption = "nothing is encrypted";

    /// <summary>Standard, and its sections with blanks between.</summary>
    public static readonly (string Document, string Sections)[] All =
    [
        ("RFC 6749", "2.3 2.3.1 3.1 3.1.1 3.1.2 3.1.2.2 3.1.2.3 3.1.2.4 3.2 3.2.1 3.3 4.1.1 4.1.2 4.1.2.1 4.1.3 4.1.4"),
        ("RFC 6749", "4.2 4.3 4.4 4.4.2 5.1 5.2 6 10.2 10.3 10.4 10.5 10.6 10.10 10.12 10.13 10.14 10.15"),
        ("RFC 6750", "2.1 2.2 2.3 3 3.1"),
        ("RFC 7009", "2.1 2.2"),
        ("RFC 7517", "5"),
        ("RFC 7523", "2.1 2.2 3"),
        ("RFC 7591", "2 2.1 3.1 3.2.1 3.2.2"),
        ("RFC 7592", "2 2.1 2.2 2.3 3"),
        ("RFC 7636", "4.4 4.4.1 4.6 6.2"),
        ("RFC 7662", "2.1 2.2 4"),
        ("RFC 8252", "7.3 8.4 8.6"),
        ("RFC 8414", "2 3 3.1 3.2 6.2"),
        ("RFC 8693", "2.1 2.2.1 2.2.2 4.1 4.4"),
        ("RFC 8707", "2 2.1 2.2"),
        ("RFC 8725", "3.1 3.8 3.9 3.10 3.11 3.12"),
        ("RFC 9068", "2.1 2.2 3 4"),
        ("RFC 9207", "2 3"),
        ("RFC 9396", "2 3 5 6 7 9.1 9.2 10"),
        ("RFC 9449", "4.3 5 5.1 5.2 6.1 6.2 7.1 7.2 8 8.2 9 10 10.1 11.1"),
        ("RFC 9470", "5 6.1"),
        ("RFC 9700", "2.1 2.1.1 2.1.2 2.2.2 2.3 2.4 4.1.3 4.2.4 4.5 4.7 4.8 4.10 4.11 4.12 4.14.2 4.16"),
        ("RFC 9728", "2 3 3.1 3.2 5.1"),
        ("RFC 9701", "4 5 6"),
        ("OAuth Client ID Metadata Document", "3 4 4.1"),
        ("OpenID Connect Core", "2 3.1.2.1 3.1.2.2 3.1.2.3 3.1.2.4 3.1.2.5 3.1.2.6 3.1.3.1 3.1.3.2 3.1.3.3 3.1.3.4"),
        ("OpenID Connect Core", "3.1.3.6 3.2 3.3 5.3 5.3.1 5.3.2 5.3.3 5.4 5.5 5.5.1.1 6.1 6.2 8 8.1 9 10.1"),
        ("OpenID Connect Core", "10.1.1 10.2 11 12.1 12.2"),
        ("OpenID Connect Discovery", "3 4 4.1 4.2"),
        ("OpenID Connect Registration", "2 3.1 3.2 3.3 5"),
        ("OpenID Connect RP-Initiated Logout", "2 3 4"),
        ("OpenID Connect Back-Channel Logout", "2.1 2.4 2.5 2.8"),
        ("OpenID CIBA Core", "7.1 7.1.1 7.2 7.3 10.1 10.2 10.3 11 13"),
        ("FAPI-CIBA", "5.2.2"),
        ("FAPI 2.0 Security Profile", "5.3.2.1 5.3.2.2 5.3.4"),
        ("FAPI 2.0 Message Signing", "5.3.1 5.4.1"),
        ("ID-JAG", "3 4 4.3.1 4.3.3 4.3.4 4.4 4.4.1 7.1 7.2"),
        ("OAuth Identity and Authorization Chaining", "2.4"),
        ("OAuth Transaction Tokens", "2.2 4.1 4.2"),
        ("Deferred Token Response", "5 6"),
    ];

    /// <summary>What asks nothing of this server, and why.</summary>
    public static readonly Dictionary<(string Document, string Section), string> Spared = new()
    {
        [("RFC 6749", "4.2")] = "the implicit grant is not served",
        [("RFC 6749", "4.3")] = "passwords are no grant here",
        [("RFC 6750", "2.2")] = "a token is taken in the header alone, which is allowed",
        [("OpenID Connect Core", "3.2")] = "the implicit flow is not served",
        [("OpenID Connect Core", "3.3")] = "the hybrid flow is not served",
        [("OpenID Connect Core", "6.2")] = ByReference,
        [("OpenID Connect Core", "10.2")] = NoEncryption,
        [("OpenID CIBA Core", "10.3")] = "answers are polled for or announced, never pushed",
    };
}
