using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using Postern.OAuth.ClientAuth;

namespace Postern.Tests.OAuth;

/// <summary>Names of certificates are compared by their parts (RFC 4514), whatever they look like.</summary>
public sealed class DistinguishedNameTests
{
    // As .NET's own parser takes it, in the order of the certificate's making; and as it may be registered.
    [Theory, Rfc(8705, "2.1.2"), Rfc(4514, "2.1"), Rfc(4514, "2.4"), Rfc(4514, "3")]
    [InlineData("O=Example, CN=agent", "CN=agent,O=Example")]
    [InlineData("O=Example, CN=agent", "cn=agent, o=Example")]
    [InlineData("O=Example, CN=agent", "2.5.4.3=agent,2.5.4.10=Example")]
    [InlineData("CN=\"agent, one\"", @"CN=agent\, one")]
    [InlineData("CN=\"agent, one\"", @"CN=agent\2C one")]
    [InlineData("CN=\"a+b=c\"", @"CN=a\+b=c")]
    [InlineData("CN=Lučić", @"CN=Lu\C4\8Di\C4\87")]
    [InlineData("CN=Lučić", "CN=Lučić")]
    [InlineData("CN=🦊", "CN=🦊")]
    [InlineData("CN=\"end \"", @"CN=end\ ")]
    [InlineData("CN=#1", @"CN=\#1")]
    [InlineData("O=Example, CN=agent", "CN=#0C056167656E74,O=Example")]
    [InlineData("O=Example, CN=agent", "cn=#13056167656e74, o=Example")]
    [InlineData("L=a, S=b, C=DE, STREET=c, OU=d", "OU=d,STREET=c,C=DE,ST=b,L=a")]
    [InlineData("DC=example, DC=net, CN=agent", "CN=agent,DC=net,DC=example")]
    public void Two_spellings_of_one_name_are_equal(string certificate, string registered) =>
        Assert.True(Is(certificate, registered));

    [Theory, Rfc(4514, "2.1"), Rfc(4514, "2.3")]
    [InlineData("O=Example, CN=agent", "O=Example,CN=agent")]
    [InlineData("O=Example, CN=agent", "CN=agent")]
    [InlineData("CN=agent", "CN=agent,O=Example")]
    [InlineData("CN=\"agent,O=Example\"", "CN=agent,O=Example")]
    [InlineData("CN=\"agent+O=Example\"", "CN=agent+O=Example")]
    [InlineData("CN=Agent", "CN=agent")]
    [InlineData("CN=agent", "OU=agent")]
    [InlineData("CN=agent", @"CN=agent\ ")]
    [InlineData("CN=agent", "CN=#04056167656E74")]
    [InlineData("CN=ağent", "CN=agent")]
    public void Names_that_only_look_alike_are_not(string certificate, string registered) =>
        Assert.False(Is(certificate, registered));

    [Fact, Rfc(4514, "2.2")]
    public void Parts_of_one_step_have_no_order()
    {
        var der = new AsnWriter(AsnEncodingRules.DER);
        using (der.PushSequence())
        using (der.PushSetOf())
        {
            Part("2.5.4.3", "agent");
            Part("0.9.2342.19200300.100.1.1", "7");
        }

        var name = new X500DistinguishedName(der.Encode());

        Assert.True(DistinguishedName.Parse("CN=agent+UID=7")!.Is(name));
        Assert.True(DistinguishedName.Parse("UID=7+CN=agent")!.Is(name));
        Assert.False(DistinguishedName.Parse("UID=7,CN=agent")!.Is(name));

        void Part(string type, string value)
        {
            using var part = der.PushSequence();
            der.WriteObjectIdentifier(type);
            der.WriteCharacterString(UniversalTagNumber.UTF8String, value);
        }
    }

    [Theory, Rfc(4514, "3")]
    [InlineData("")]
    [InlineData("agent")]
    [InlineData("=agent")]
    [InlineData("CN=")]
    [InlineData("CN=agent,")]
    [InlineData("XX=agent")]
    [InlineData("CN=\"agent\"")]
    [InlineData("CN=a;O=b")]
    [InlineData("CN=#0C05616765")]
    [InlineData("CN=#0C0161FF")]
    [InlineData("CN=#0C0")]
    [InlineData("CN=#x")]
    [InlineData("CN=#")]
    [InlineData(@"CN=a\")]
    [InlineData(@"CN=a\x")]
    public void What_is_no_name_is_not_registered(string text) => Assert.Null(DistinguishedName.Parse(text));

    private static bool Is(string certificate, string registered)
    {
        var name = new X500DistinguishedName(
            certificate, X500DistinguishedNameFlags.UseUTF8Encoding | X500DistinguishedNameFlags.UseCommas);
        return DistinguishedName.Parse(registered)!.Is(name);
    }
}
