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
    ];

    /// <summary>What asks nothing of this server, and why.</summary>
    public static readonly Dictionary<(string Document, string Section), string> Spared = new()
    {
        [("OpenID Connect Core", "3.2")] = "the implicit flow is not served",
        [("OpenID Connect Core", "3.3")] = "the hybrid flow is not served",
        [("OpenID Connect Core", "6.2")] = ByReference,
        [("OpenID Connect Core", "10.2")] = NoEncryption,
        [("OpenID CIBA Core", "10.3")] = "answers are polled for or announced, never pushed",
    };
}
